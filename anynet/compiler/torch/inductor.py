"""Chains of elementwise operations as one loop over their elements, compiled by PyTorch.

Done one after the other, each operation sends its arrays through memory; the loop does so once.
"""

from itertools import combinations
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
    outer = memory.needed_outside(group)
    for node in outer:
        memory.allocate(node)
    source = _Source(device)
    for node in group:
        source.add(node, memory)
        if node in outer:
            source.write(node, memory[node])
    return [(_compile(source), tuple(source.tensors))]


class _Source:
    """The operations as PyTorch compiles them, and the tensors that they take."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.graph = fx.Graph()
        self.tensors: list[Tensor] = []
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
    if any(overlap(*pair) for pair in combinations(source.tensors, 2)):
        raise CannotCompileError("PyTorch compiles operations on overlapping memory, but slowly")
    source.graph.output(())
    try:
        compiled = torch.compile(fx.GraphModule({}, source.graph), fullgraph=True, dynamic=False)
        kernel = torch.no_grad()(compiled)
        kernel(*map(torch.zeros_like, source.tensors))  # PyTorch compiles at the first call
    except Exception as error:
        raise CannotCompileError from error
    return kernel
