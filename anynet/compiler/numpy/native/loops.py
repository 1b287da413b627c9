"""Groups of elementwise operations as one loop over their elements."""

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from anynet.compiler.graph import Node
from anynet.compiler.memory import MemoryPlan
from anynet.compiler.numpy import ufuncs
from anynet.compiler.numpy.native import shares
from anynet.compiler.numpy.native.folds import Reduction
from anynet.compiler.numpy.native.instructions import argument_dtype, convert, expression, is_written, number
from anynet.compiler.numpy.native.ir_types import TYPES, has_type
from anynet.compiler.numpy.native.ir_values import Value
from anynet.compiler.numpy.native.joins import is_sum
from anynet.compiler.numpy.native.kernel import Host, Kernel
from anynet.compiler.numpy.native.merged_axes import Axes
from anynet.compiler.numpy.native.panels import power_of_two, starts
from anynet.compiler.numpy.native.processor import vector_registers
from anynet.compiler.numpy.native.writer import Function
from anynet.compiler.numpy.ufuncs import check_index
from anynet.compiler.target import Call

Part = tuple[Host, list[Value]]

SHORT = 4
"""Largest number of vectors of a row that a loop computes at a time."""


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
    """Return the calls that run a group: checks of indices, a loop, and what is left of sums."""
    results = {node: memory.allocate(node) for node in memory.needed_outside(group)}
    inner = set(group)
    used = {needed: memory[needed] for node in group for needed in node.inputs if needed not in inner}
    checks = [(check_index, (memory[node.args[0]], memory[node.args[1]], 0)) for node in group if node.op == "take"]
    return [*checks, *((kernel, ()) for kernel in kernels(group, results, used))]


def kernels(group: list[Node], results: dict[Node, Host], used: dict[Node, Host]) -> list[Kernel]:
    """Return the kernels of a group, given the arrays of its results and of what it takes from outside."""
    loop = Loop(group, {node: array for node, array in results.items() if not is_sum(node)}, used)
    ends: list[Kernel] = []
    for node, parts in loop.parts.items():
        out = results[node]
        if node.kwargs.get("keepdims"):
            out = out[..., 0, :]
        ends.append(Reduction(node.op, parts.mT, out, node.args[0].shape[-2]))
    return [loop, *ends]


class Loop(Kernel):
    """Loop over the elements of a group's results, which have one shape; an index is not checked.

    Parameters
    ----------
    group : list of Node
        Operations that `in_loop` accepts, each after those it needs, and sums over samples of such results.
    results : dict of Node to ndarray
        Arrays of the results that are needed outside the group; the others stay in registers.
    used : dict of Node to ndarray
        Arrays that the group takes from outside.

    Attributes
    ----------
    parts : dict of Node to ndarray, shape (..., blocks, n)
        For each sum, the sums of blocks of samples.
    """

    def __init__(self, group: list[Node], results: dict[Node, Host], used: dict[Node, Host]) -> None:
        self._group = [node for node in group if not is_sum(node)]
        self._results, self._used, self.parts = results, used, dict[Node, Host]()
        sums = [node for node in group if is_sum(node)]
        shape = (sums[0].args[0] if sums else group[0]).shape
        takes = [node for node in group if node.op == "take"]
        elementwise = dict.fromkeys(needed for node in group if node.op != "take" for needed in node.inputs)
        self._read = [node for node in elementwise if node in used and used[node].size == 1]
        arrays = [*results.values(), *(used[node] for node in elementwise if node in used)]
        arrays += [used[node.inputs[0]][:1] for node in takes]
        if sums:
            self._axes = Axes(shape, arrays, merge=False)
            self._block = max(math.isqrt(shape[-2]), -(-shares.UNIT // shape[-1]))
            blocks = -(-shape[-2] // self._block)
            ahead = shape[:-2]
            self.parts = {node: ufuncs.empty((*ahead, blocks, shape[-1]), node.dtype) for node in sums}
            units = math.prod(ahead) * blocks
        else:
            self._axes = Axes(shape, arrays, apart=bool(takes))
            units = shares.units(self._axes.shape)
        super().__init__([*results.values(), *used.values(), *self.parts.values()], units=units)

    def write(self, f: Function) -> None:
        """Write the loops; those over short rows, which LLVM leaves to scalars in part, as vectors."""
        read = {node: f.load(self._used[node]) for node in self._read}  # once
        lanes = self._lanes()
        if lanes:
            read = {node: f.splat(value, lanes) for node, value in read.items()}
        if self.parts:
            self._write_blocks(f, read, lanes)
            return
        with shares.loops(f, self._axes.shape, inner=1 if lanes else 0) as index:
            if lanes:
                self._write_row(f, read, index, lanes, {})
            else:
                self._write_stores(f, self._write_values(f, read, index, 0), index)

    def _write_blocks(self, f: Function, read: dict[Node, Value], lanes: int) -> None:
        """Write a loop over blocks of samples, each with sums of its own."""
        *ahead, samples, n = self._axes.shape
        blocks = -(-samples // self._block)
        with f.loop(f.last, f.first) as unit:
            member = f.op("udiv", unit, blocks)
            block = unit - member * blocks
            index = [member] if ahead else []
            parts = {node: (array, [*index, block]) for node, array in self.parts.items()}
            with f.loop(n) as j:
                for array, place in parts.values():
                    f.store(f.constant(TYPES[array.dtype.name], 0), array, *place, j)
            first = block * self._block
            with f.loop(shares.least(f, first + self._block, samples), first) as i:
                self._write_row(f, read, [*index, i], lanes, parts)

    def _write_row(
        self, f: Function, read: dict[Node, Value], index: list[Value], lanes: int, parts: dict[Node, Part]
    ) -> None:
        """Write what is done for a row; `parts` are arrays with sums of its elements, and where in them."""
        n = self._axes.shape[-1]
        if lanes:
            self._write_places(f, read, index, [f.index(start) for start in starts(n, lanes)], lanes, parts)
        else:
            with f.loop(n) as j:
                self._write_places(f, read, index, [j], 0, parts)

    def _write_places(
        self,
        f: Function,
        read: dict[Node, Value],
        index: list[Value],
        places: list[Value],
        lanes: int,
        parts: dict[Node, Part],
    ) -> None:
        """Write what is done for elements of a row, or for vectors of them."""
        # All is read before anything is written, because the last two vectors may overlap.
        values = [self._write_values(f, read, [*index, place], lanes) for place in places]
        sums = [
            (f.load(array, *where, place, lanes=lanes) + self._summand(f, node, found, [*index, place], lanes))
            for place, found in zip(places, values, strict=True)
            for node, (array, where) in parts.items()
        ]
        for place, vectors in zip(places, values, strict=True):
            self._write_stores(f, vectors, [*index, place])
            for array, where in parts.values():
                f.store(sums.pop(0), array, *where, place)

    def _summand(self, f: Function, node: Node, values: dict[Node, Value], index: list[Value], lanes: int) -> Value:
        return self._argument(f, node.args[0], node.dtype, values, index, lanes)

    def _lanes(self) -> int:
        """Return the number of lanes of a few vectors that hold a row; 0 where LLVM finds better ones."""
        shape = self._axes.shape
        if len(shape) < 2 or any(node.op == "take" for node in self._group):
            return 0
        nodes = [*self._group, *self.parts]
        size = max(used.dtype.itemsize for node in nodes for used in (node, *node.inputs))
        lanes = power_of_two(min(shape[-1], vector_registers()[0] // size))
        outside = (*self._results.values(), *self._used.values())
        arrays = [self._axes.view(array) for array in outside if array.size > 1]
        contiguous = all(array.strides[-1] in (0, array.itemsize) for array in arrays)
        return lanes if contiguous and shape[-1] <= SHORT * lanes else 0

    def _write_values(self, f: Function, read: dict[Node, Value], index: list[Value], lanes: int) -> dict[Node, Value]:
        values = dict(read)
        for node in self._group:
            values[node] = self._value(f, node, values, index, lanes)
        return values

    def _write_stores(self, f: Function, values: dict[Node, Value], index: list[Value]) -> None:
        for node, array in self._results.items():
            f.store(values[node], self._axes.view(array), *index)

    def _value(self, f: Function, node: Node, values: dict[Node, Value], index: list[Value], lanes: int) -> Value:
        if node.op == "take":
            return self._row(f, node, values, index)
        args = node.args[:1] if node.op == "astype" else node.args
        dtypes = [argument_dtype(node)] * len(args)
        if node.op == "where":
            dtypes[0] = np.dtype(bool)
        found = [self._argument(f, arg, dtype, values, index, lanes) for arg, dtype in zip(args, dtypes, strict=True)]
        return expression(f, node, found)

    def _argument(
        self, f: Function, arg: Any, dtype: np.dtype, values: dict[Node, Value], index: list[Value], lanes: int
    ) -> Value:
        if not isinstance(arg, Node):
            value = number(f, arg, dtype)
            return f.splat(value, lanes) if lanes else value
        if arg not in values:
            array = self._axes.view(self._used[arg])
            if lanes and not array.strides[-1]:
                values[arg] = f.splat(f.load(array, *index), lanes)
            else:
                values[arg] = f.load(array, *index, lanes=lanes)
        return convert(f, values[arg], arg.dtype, dtype)

    def _row(self, f: Function, node: Node, values: dict[Node, Value], index: list[Value]) -> Value:
        """Return the element of a row that is taken from a table, negative numbers counted from the end."""
        table, rows = (self._used[used] for used in node.inputs)
        row = convert(f, f.load(rows, index[0]), rows.dtype, np.dtype(np.int64))
        row = f.select(f.compare("slt", row, 0), row + table.shape[0], row)
        others = self._axes.view(table[:1])
        whole = as_strided(table, (table.shape[0], *others.shape[1:]), (table.strides[0], *others.strides[1:]))
        return f.load(whole, row, *index[1:])
