"""Tiles of sums of products that stay in registers while they grow.

A result is a sum over several axes of a number of the first operand times a number of the second one. A tile has some
results on each of its axes, which only the first operand has, times some vectors of neighbors of the second operand.
Both operands are read where they are: at constant distances from two pointers. A convolution has tiles of pixels and
sums over the elements of its kernel; its gradient by the kernel has tiles of the kernel's elements and sums over
pixels.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from anynet.compiler.numpy.native.ir_types import TYPES
from anynet.compiler.numpy.native.ir_values import Operand, Value
from anynet.compiler.numpy.native.kernel import Host
from anynet.compiler.numpy.native.panels import ONCE, power_of_two, shuffle
from anynet.compiler.numpy.native.processor import vector_registers
from anynet.compiler.numpy.native.strided_loops import Axis, moved, nested
from anynet.compiler.numpy.native.writer import Function


class Tiling(NamedTuple):
    """Sizes of tiles.

    Attributes
    ----------
    lanes : int
        Elements of a vector.
    vectors : int
        Vectors of a panel, whose rows are the vectors that a tile reads together; the last panel may have fewer.
    number : int
        Number of panels.
    """

    lanes: int
    vectors: int
    number: int

    @property
    def width(self) -> int:
        """Number of the elements of a panel's row."""
        return self.lanes * self.vectors

    def nbytes(self, panels: Host) -> int:
        """Return the size of a whole panel of those in an array of shape (..., rows, columns of all panels)."""
        return int(panels.shape[-2]) * self.width * panels.itemsize

    def panels(
        self, f: Function, columns: int, start: Operand = 0, stop: Operand | None = None
    ) -> Iterator[tuple[Value, int, int]]:
        """Yield the number of each panel of some columns, the length of its rows, and the number of its columns."""
        whole, rest = divmod(columns, self.width)
        end = whole if stop is None else f.call("llvm.smin", stop, whole)
        with f.loop(end, start) as panel:
            yield panel, self.width, self.width
        if rest:
            last = f.index(whole), -(-rest // self.lanes) * self.lanes, rest
            if stop is None:
                yield last
            else:
                with f.when(f.compare("sgt", stop, whole)):
                    yield last


def tiling(axes: Sequence[Axis], columns: int, itemsize: int) -> Tiling:
    """Return the sizes with the least work for axes of the results and a number of neighbors of the second operand."""
    lengths = _lengths(axes)
    size, _ = vector_registers()
    lanes = min(size // itemsize, power_of_two(2 * columns - 1))
    n = -(-columns // lanes)

    def work(vectors: int) -> float:
        whole, rest = divmod(n, vectors)
        return whole * _best(lengths, vectors)[0] + (_best(lengths, rest)[0] if rest else 0)

    vectors = min(range(1, min(n, 4) + 1), key=work)
    return Tiling(lanes, vectors, -(-n // vectors))


def _lengths(axes: Sequence[Axis]) -> list[int]:
    return [axis.n for axis in axes if isinstance(axis.n, int)]


def tallest(columns: int, itemsize: int) -> int:
    """Return the largest number of rows of a tile of at most two vectors, for so many neighbors."""
    size, registers = vector_registers()
    vectors = min(-(-columns * itemsize // size), 2)
    return (registers - vectors - 1) // vectors


def _best(lengths: Sequence[int], vectors: int) -> tuple[float, tuple[int, ...]]:
    """Return the work of the best sizes of tiles on each axis, and the sizes."""
    most = max((vector_registers()[1] - vectors - 1) // vectors, 1)
    sizes = product(*(range(1, min(n, most) + 1) for n in lengths))
    return min((_work(lengths, each, vectors), each) for each in sizes if prod(each) <= most)


def _work(lengths: Sequence[int], sizes: Sequence[int], vectors: int) -> float:
    """Return an estimate of the cycles of a term of all sums."""
    work, kinds = 0.0, 0
    for kind in product(*map(_parts, lengths, sizes)):
        rows, tiles = prod(part.size for part in kind), prod(part.tiles for part in kind)
        # Two products, or somewhat fewer loads, in a cycle; eight sums hide the latency of an addition.
        work += tiles * (max(rows * vectors / 2, 0.6 * (rows + vectors), 4) + 0.25 * vectors + 0.5)
        kinds += 1
    return work * (1 + 0.01 * kinds)


class _Part(NamedTuple):
    """Tiles of one size on an axis."""

    start: int
    size: int
    tiles: int


def _parts(n: int, size: int) -> list[_Part]:
    """Return tiles of about one size that have `n` places together."""
    count = -(-n // size)
    size, larger = divmod(n, count)
    found = [_Part(0, size + 1, larger), _Part(larger * (size + 1), size, count - larger)]
    return [part for part in found if part.tiles]


class Tiles:
    """Loops over tiles.

    Parameters
    ----------
    f : Function
    dtype : dtype
    lanes : int
    axes : sequence of Axis
        Axes of the results: distances in the first operand and in the result. Their lengths are numbers.
    terms : sequence of Axis
        Axes of the sums: distances in both operands.
    """

    def __init__(self, f: Function, dtype: np.dtype, lanes: int, axes: Sequence[Axis], terms: Sequence[Axis]) -> None:
        self._f, self._lanes, self._axes, self._terms = f, lanes, list(axes), list(terms)
        self._scalar, self._size = TYPES[dtype.name], dtype.itemsize
        self._zero = f.constant(f"<{lanes} x {self._scalar}>", 0.0)

    def write(self, pointers: tuple[str, str, str], columns: int, *, adds: bool = False) -> None:
        """Write the loops.

        Parameters
        ----------
        pointers : (str, str, str)
            Pointers to the operands, and to the result.
        columns : int
            Number of neighbors of the second operand. It is read in whole vectors.
        adds : bool
            If True, sums are added to the result, which is in whole vectors, too.
        """
        f, (first, second, out) = self._f, pointers
        vectors = -(-columns // self._lanes)
        lengths = _lengths(self._axes)
        _, sizes = _best(lengths, vectors)
        for kind in product(*map(_parts, lengths, sizes)):
            with f.loops([part.tiles for part in kind]) as index:
                a, place = first, out
                for i, part, axis in zip(index, kind, self._axes, strict=True):
                    a = moved(f, a, i * (part.size * axis.first) + part.start * axis.first)
                    place = moved(f, place, i * (part.size * axis.second) + part.start * axis.second)
                rows = [
                    [sum(i * axis[k] for i, axis in zip(each, self._axes, strict=True)) for k in (1, 2)]
                    for each in np.ndindex(*(part.size for part in kind))
                ]
                sums = self._sums(a, second, [row[0] for row in rows], vectors)
                for row, values in zip(rows, sums, strict=True):
                    self._store(moved(f, place, row[1]), values, columns, adds=adds)

    def _sums(self, a: str, b: str, rows: Sequence[int], vectors: int) -> list[list[Value]]:
        f, lanes = self._f, self._lanes
        sums = [[f.variable(self._zero) for _ in range(vectors)] for _ in rows]
        with nested(f, self._terms, a, b, hints=ONCE) as (x, y):
            others = [self._load(y, i) for i in range(vectors)]
            for row, totals in zip(rows, sums, strict=True):
                each = f.splat(f.load_at(self._scalar, moved(f, x, row)), lanes)
                for total, other in zip(totals, others, strict=True):
                    total.set(f.call("llvm.fmuladd", each, other, total.get()))
        return [[total.get() for total in totals] for totals in sums]

    def _load(self, pointer: str, i: int) -> Value:
        return self._f.load_at(self._zero.type, moved(self._f, pointer, i * self._lanes * self._size))

    def _store(self, pointer: str, values: Sequence[Value], columns: int, *, adds: bool) -> None:
        f, lanes = self._f, self._lanes
        for i, value in enumerate(values):
            if adds:
                value = value + self._load(pointer, i)
            start, rest = 0, lanes if adds else min(columns - i * lanes, lanes)
            while rest:
                n = power_of_two(rest)
                part = value if n == lanes else shuffle(f, value, value, range(start, start + n))
                f.store_at(part, moved(f, pointer, (i * lanes + start) * self._size))
                start, rest = start + n, rest - n
