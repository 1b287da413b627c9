"""Chains of elementwise operations as one loop over their elements, compiled by PyTorch.

Done one after the other, each operation sends its arrays through memory; the loop does so once.
"""

from typing import Any

import torch
from torch import Tensor, fx

from anynet.compiler.graph import Node
from anynet.compiler.memory import MemoryPlan
from anynet.compiler.target import Call
from anynet.compiler.torch.functions import FUNCTIONS, overlap, same


class CannotCompileError(Exception):
    """Operations that stay as they are."""


def kernel_calls(group: list[Node], memory: MemoryPlan, device: torch.device) -> list[Call]:
    """The call that runs all operations of a group.

    Raises CannotCompileError where PyTorch cannot compile it, for want of a C++ compiler, for one.
    """
    written = {node: memory.allocate(node) for node in memory.needed_outside(group)}
    # Parts of one vector are the same memory to PyTorch: the loop writes them elsewhere.
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
    """The operations as PyTorch compiles them, and the tensors that they take."""

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
        """The parameter that stands for a tensor, the same for the same memory."""
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
        compiled = torch.compile(fx.GraphModule({}, source.graph), fullgraph=True, dynamic=False)
        kernel = torch.no_grad()(compiled)
        kernel(*map(torch.zeros_like, source.tensors))  # PyTorch compiles at the first call
    except Exception as error:
        raise CannotCompileError from error
    return kernel
