"""A recorded step as calls of NumPy's functions, run again and again in arrays that are allocated once."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.backends.numpy_blocks import block_calls, in_blocks
from anynet.backends.numpy_calls import Call, calls, evaluate
from anynet.backends.numpy_memory import Memory
from anynet.tracing import vectors
from anynet.tracing.graph import Graph, Node
from anynet.tracing.schedule import VIEWS, schedule

Host = NDArray[Any]
GroupCalls = Callable[[list[Node], Memory], list[Call]]


class Program:
    """A step that has its arrays.

    graph: of ``step(carry, shared, row)``, which returns the next carry; its inputs are the leaves of all three.
    n_carry: how many of them are the carry's. shared: the arrays that stay the same during a loop.

    group_calls: gives the calls for a group of elementwise operations, as ``block_calls`` does.

    ``start`` takes what a loop begins with, ``step`` a row; ``carry`` is what it has come to.
    """

    def __init__(self, graph: Graph, n_carry: int, shared: list[Host], group_calls: GroupCalls = block_calls) -> None:
        carry, fixed = graph.inputs[:n_carry], graph.inputs[n_carry : n_carry + len(shared)]
        row = graph.inputs[n_carry + len(shared) :]
        groups = schedule(graph, in_blocks)
        updates = {new: old for old, new in zip(carry, graph.outputs, strict=True) if new is not old}
        self._memory = Memory(graph, groups, updates)
        self.carry, self._row = ([self._own(node) for node in nodes] for nodes in (carry, row))
        self._shared = [
            self._memory.hold(n, a) if in_use(a) else self._own(n) for n, a in zip(fixed, shared, strict=True)
        ]
        self._fixed = set(fixed)
        self._once: list[Call] = []
        self._calls: list[Call] = []
        for group in groups:
            if in_blocks(group[0]):
                self._calls += group_calls(group, self._memory)
            else:
                self._bind(group[0])
        self._hand_over([self._memory[new] for new in graph.outputs])

    def start(self, carry: list[Host], shared: list[Host]) -> None:
        """Begin a loop with these arrays' values."""
        for mine, array in zip((*self.carry, *self._shared), (*carry, *shared), strict=True):
            if mine is not array:
                np.copyto(mine, array)
        for function, args in self._once:
            function(*args)

    def step(self, row: tuple[Host, ...]) -> None:
        """Run the step once."""
        for mine, array in zip(self._row, row, strict=True):
            mine[...] = array
        for function, args in self._calls:
            function(*args)

    def _own(self, node: Node) -> Host:
        return self._memory.hold(node, np.empty(node.shape, node.dtype))

    def _bind(self, node: Node) -> None:
        args, kwargs = self._memory.arguments(node)
        is_vector = vectors.is_vector(node)
        fixed = not is_vector and all(needed in self._fixed or needed.op == "constant" for needed in node.inputs)
        if fixed:
            self._fixed.add(node)
        if node.op in VIEWS:
            view, base = evaluate(node, args, kwargs), node.inputs[0]
            if np.may_share_memory(view, self._memory[base]):
                self._memory.hold(node, view, base)
                return
        if is_vector:
            self._fill(node)
        elif fixed:
            self._once += calls(node, args, kwargs, self._own(node))
        else:
            self._calls += calls(node, args, kwargs, self._memory.allocate(node))

    def _fill(self, node: Node) -> None:
        """Write the parts of a vector that are not in their places yet."""
        vector = self._memory.vector(node, node)
        for part, piece in vectors.pieces(node):
            array, where = self._memory[piece], vector[part.key]
            if piece.op == "constant" and not self._memory.will_change(node):
                np.copyto(where, array)
            elif (array.ctypes.data, array.strides) != (where.ctypes.data, where.strides):
                self._calls.append((np.copyto, (where, array)))

    def _hand_over(self, results: list[Host]) -> None:
        """Copy what is not in the carry's arrays yet; by way of others, for one may be what another was."""
        moves = [
            (mine, np.empty_like(mine), new) for mine, new in zip(self.carry, results, strict=True) if mine is not new
        ]
        self._calls += [(np.copyto, (between, new)) for _, between, new in moves]
        self._calls += [(np.copyto, (mine, between)) for mine, between, _ in moves]


def in_use(array: Host) -> bool:
    """Whether a shared array is used where it lies: images and labels are; numbers to compute with are copied."""
    return array.dtype.kind not in "fc" and array.ndim > 0
