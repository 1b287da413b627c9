"""Groups of elementwise operations as one loop over their elements, compiled by PyTorch.

PyTorch's functions read and write tensors once per operation, the loop once per group.
"""

from typing import Any

import torch
from torch import Tensor, fx

from anynet.compiler.graph import Node
from anynet.compiler.memory import MemoryPlan
from anynet.compiler.target import Call
from anynet.compiler.torch.functions import FUNCTIONS, overlap, same

OPTIONS = {"realize_opcount_threshold": 8}
"""Settings of PyTorch's compiler: it repeats up to so many operations wherever their result is used, before it merges
them. With its default, 50, the chain of operations of random numbers compiles in nine seconds, not one, to no faster
a loop."""


class CannotCompileError(Exception):
    """Raised for groups that PyTorch cannot compile, or only to a slow loop."""


def kernel_calls(group: list[Node], memory: MemoryPlan, device: torch.device) -> list[Call]:
    """Return the calls that run a group: its loop, and copies of parts of vectors.

    Parameters
    ----------
    group : list of Node
        Operations with results of the same shape, each after those it needs.
    memory : MemoryPlan
        Allocates the results that are needed outside the group.
    device : torch.device

    Raises
    ------
    CannotCompileError
        If PyTorch cannot compile the group, for example without a C++ compiler.
    """
    written = {node: memory.allocate(node) for node in memory.needed_outside(group)}
    # To PyTorch, parts of one vector overlap: the loop writes to other tensors, which are copied afterwards.
    apart = {
        node: torch.empty(node.shape, dtype=node.dtype, device=device)
        for node, tensor in written.items()
        if any(overlap(tensor, other) for other_node, other in written.items() if other_node is not node)
    }
    source = _Source(device)
    for node in group:
        source.add(node, memory)
        if node in written:
            source.write(node, apart.get(node, written[node]))
    copies = [(written[node].copy_, (tensor,)) for node, tensor in apart.items()]
    return [(_compile(source), tuple(source.tensors)), *copies]


class _Source:
    """Operations as PyTorch compiles them, with the tensors that they take."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.graph = fx.Graph()
        self.tensors: list[Tensor] = []
        self.written: list[Tensor] = []
        self._given: list[fx.Node] = []
        self._made: dict[Node, fx.Node] = {}

    def add(self, node: Node, memory: MemoryPlan) -> None:
        args = tuple(self._made.get(a) or self._take(memory[a]) if isinstance(a, Node) else a for a in node.args)
        if node.op == "astype":
            made = self.graph.call_method("to", args[:2])
        else:
            dtype = node.inputs[-1].dtype
            made = self.graph.call_function(FUNCTIONS[node.op], tuple(self._number(arg, dtype) for arg in args))
        self._made[node] = made

    def write(self, node: Node, tensor: Tensor) -> None:
        self.written.append(tensor)
        self.graph.call_method("copy_", (self._take(tensor), self._made[node]))

    def _take(self, tensor: Tensor) -> fx.Node:
        """Return the parameter for a tensor, the same one for the same memory."""
        for known, parameter in zip(self.tensors, self._given, strict=True):
            if same(known, tensor):
                return parameter
        self.tensors.append(tensor)
        self._given.append(self.graph.placeholder(f"a{len(self._given)}"))
        return self._given[-1]

    def _number(self, value: Any, dtype: torch.dtype) -> Any:
        if isinstance(value, fx.Node):
            return value
        return self.graph.call_function(torch.full, ((), value), {"dtype": dtype, "device": self._device})


def _compile(source: _Source) -> Any:
    pairs = ((one, other) for one in source.written for other in source.tensors if not same(one, other))
    if any(overlap(one, other) for one, other in pairs):
        raise CannotCompileError("PyTorch compiles operations on overlapping memory, but slowly")
    source.graph.output(())
    try:
        compiled = torch.compile(fx.GraphModule({}, source.graph), fullgraph=True, dynamic=False, options=OPTIONS)
        kernel = torch.no_grad()(compiled)
        kernel(*map(torch.zeros_like, source.tensors))  # PyTorch compiles at the first call
    except Exception as error:
        raise CannotCompileError from error
    return kernel
