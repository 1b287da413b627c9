"""Groups of elementwise operations as one loop over their elements."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from anynet.compiler.graph import Node
from anynet.compiler.memory import MemoryPlan
from anynet.compiler.numpy.native.instructions import argument_dtype, convert, expression, is_written, number
from anynet.compiler.numpy.native.kernel import Kernel
from anynet.compiler.numpy.native.merged_axes import Axes
from anynet.compiler.numpy.native.processor import vector_registers
from anynet.compiler.numpy.native.writer import Function, Value, has_type
from anynet.compiler.numpy.ufuncs import check_index
from anynet.compiler.target import Call

SHORT = 32
"""Largest number of elements of a row for which masks pay."""


def in_loop(node: Node) -> bool:
    """Return True if an operation can run in a loop: it has an expression, or takes rows of a table."""
    return math.prod(node.shape) > 0 and (takes_rows(node) if node.op == "take" else is_written(node))


def takes_rows(node: Node) -> bool:
    """Return True for a ``take`` along the first axis with an index that has one axis."""
    if node.op != "take" or len(node.inputs) != 2 or node.kwargs != {"axis": 0}:
        return False
    table, index = node.inputs
    return len(index.shape) == 1 and index.dtype.kind in "iu" and has_type(table.dtype) and table.shape[0] > 0


def loop_calls(group: list[Node], memory: MemoryPlan) -> list[Call]:
    """Return the calls that run a group: checks of indices, and a loop."""
    loop = Loop(group, memory)
    checks = [(check_index, (memory[node.args[0]], memory[node.args[1]], 0)) for node in group if node.op == "take"]
    return [*checks, (loop, ())]


def short_hints(shape: Sequence[int]) -> tuple[str, ...]:
    """Return hints for the inner loop over a shape: a short one is a masked vector, where there are masks.

    LLVM would unroll it ahead of that, and compute single elements then: of rows of 10 in ten times the time.
    """
    if not shape or shape[-1] > SHORT or vector_registers()[0] < 64:
        return ()
    return ('!"llvm.loop.vectorize.predicate.enable", i1 true', '!"llvm.loop.unroll.disable"')


class Loop(Kernel):
    """Loop over the elements of a group's results, which have one shape; an index is not checked.

    Parameters
    ----------
    group : list of Node
        Operations that `in_loop` accepts, each after those it needs.
    memory : MemoryPlan
        Allocates the results that are needed outside the group; the others stay in registers.
    """

    def __init__(self, group: list[Node], memory: MemoryPlan) -> None:
        self._group = group
        self._results = {node: memory.allocate(node) for node in memory.needed_outside(group)}
        inner = set(group)
        used = {needed: memory[needed] for node in group for needed in node.inputs if needed not in inner}
        self._used = used
        super().__init__([*self._results.values(), *used.values()])
        takes = [node for node in group if node.op == "take"]
        elementwise = dict.fromkeys(needed for node in group if node.op != "take" for needed in node.inputs)
        self._read = [node for node in elementwise if node in used and used[node].size == 1]
        arrays = [*self._results.values(), *(used[node] for node in elementwise if node in used)]
        arrays += [used[node.inputs[0]][:1] for node in takes]
        self._axes = Axes(group[0].shape, arrays, apart=bool(takes))

    def write(self, f: Function) -> None:
        """Write the loops."""
        read = {node: f.load(self._used[node]) for node in self._read}  # once
        with f.loops(self._axes.shape, short_hints(self._axes.shape)) as index:
            values = dict(read)
            for node in self._group:
                values[node] = self._value(f, node, values, index)
                if node in self._results:
                    f.store(values[node], self._axes.view(self._results[node]), *index)

    def _value(self, f: Function, node: Node, values: dict[Node, Value], index: list[Value]) -> Value:
        if node.op == "take":
            return self._row(f, node, values, index)
        args = node.args[:1] if node.op == "astype" else node.args
        dtypes = [argument_dtype(node)] * len(args)
        if node.op == "where":
            dtypes[0] = np.dtype(bool)
        found = [self._argument(f, arg, dtype, values, index) for arg, dtype in zip(args, dtypes, strict=True)]
        return expression(f, node, found)

    def _argument(self, f: Function, arg: Any, dtype: np.dtype, values: dict[Node, Value], index: list[Value]) -> Value:
        if not isinstance(arg, Node):
            return number(f, arg, dtype)
        if arg not in values:
            values[arg] = f.load(self._axes.view(self._used[arg]), *index)
        return convert(f, values[arg], arg.dtype, dtype)

    def _row(self, f: Function, node: Node, values: dict[Node, Value], index: list[Value]) -> Value:
        """Return the element of a row that is taken from a table, negative numbers counted from the end."""
        table, rows = (self._used[used] for used in node.inputs)
        row = convert(f, f.load(rows, index[0]), rows.dtype, np.dtype(np.int64))
        row = f.select(f.compare("slt", row, 0), row + table.shape[0], row)
        others = self._axes.view(table[:1])
        whole = as_strided(table, (table.shape[0], *others.shape[1:]), (table.strides[0], *others.strides[1:]))
        return f.load(whole, row, *index[1:])
