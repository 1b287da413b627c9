"""Copies of parts of matrices to contiguous memory, where products read whole vectors of a row."""

from collections.abc import Iterator, Sequence

from anynet.compiler.numpy.native.ir_types import TYPES, element
from anynet.compiler.numpy.native.ir_values import Operand, Value
from anynet.compiler.numpy.native.kernel import Host
from anynet.compiler.numpy.native.writer import Function

ONCE = ('!"llvm.loop.unroll.disable"',)
"""Hint for loops whose bodies are long enough."""

TILE = 8
"""Rows and columns that are transposed at a time, in registers."""


def starts(n: int, lanes: int) -> list[int]:
    """Return where vectors begin that hold `n` neighbors; the last one may overlap with the one before."""
    return [min(start, n - lanes) for start in range(0, n, lanes)]


def power_of_two(n: int) -> int:
    """Return the largest power of two up to `n`."""
    return 1 << (n.bit_length() - 1)


class Panel:
    """Memory of a function's own for rows of a matrix.

    Parameters
    ----------
    f : Function
    array : ndarray, shape (..., k, n)
        The matrix, or a stack of them.
    rows : int
        Largest number of rows that are copied at a time.
    lanes : int
        Number of elements of the vectors that are read. Rows that are shorter are filled up with zeros.
    """

    def __init__(self, f: Function, array: Host, rows: int, lanes: int) -> None:
        self._f, self._array, self._lanes = f, array, lanes
        self._type = TYPES[array.dtype.name]
        self._row = max(array.shape[-1], lanes)
        self._memory = f.reserve(f"[{rows * self._row} x {self._type}], align 64")

    def copy(self, index: Sequence[Operand], rows: int) -> None:
        """Copy rows from an index on, which is that of the first row with those of the members ahead."""
        f, array, n = self._f, self._array, self._array.shape[-1]
        *members, first = index
        if self._row > n:
            with f.loop(rows, hints=ONCE) as p:
                self._store(f.constant(self._vector(self._lanes), 0.0), p, 0)
        if array.strides[-1] == array.itemsize:
            lanes = power_of_two(min(n, self._lanes))
            with f.loop(rows, hints=ONCE) as p:
                for start in starts(n, lanes):
                    self._store(f.load(array, *members, p + first, start, lanes=lanes), p, start)
            return
        turned = array.mT
        tile = power_of_two(min(n, rows, TILE)) if array.strides[-2] == array.itemsize else 1
        for p in _tiles(f, rows, tile):
            for j in _tiles(f, n, tile):
                columns = [f.load(turned, *members, j + i, p + first, lanes=tile) for i in range(tile)]
                for i, row in enumerate(_transpose(f, columns)):
                    self._store(row, p + i, j)

    def load(self, row: Value, start: int) -> Value:
        """Return a vector of neighbors of a row."""
        return self._f.load_at(self._vector(self._lanes), self._address(row, start))

    def _store(self, value: Value, row: Value, start: Operand) -> None:
        self._f.store_at(value, self._address(row, start))

    def _address(self, row: Value, start: Operand) -> str:
        place = row * self._row + start
        return self._f.emit("ptr", f"getelementptr inbounds {self._type}, ptr {self._memory}, {place}").text

    def _vector(self, lanes: int) -> str:
        return f"<{lanes} x {self._type}>"


def _tiles(f: Function, n: int, tile: int) -> Iterator[Value]:
    """Yield the first index of each tile, in a loop and behind it; the last one may overlap with the one before."""
    with f.loop(n - n % tile, step=tile, hints=ONCE) as i:
        yield i
    if n % tile:
        yield f.index(n - tile)


def _transpose(f: Function, rows: list[Value]) -> list[Value]:
    """Return the columns of a square of vectors: halves change places, then halves of halves, and so on."""
    n, step = len(rows), len(rows) // 2
    rows = list(rows)
    while step:
        for i in range(n):
            if not i & step:
                low = [lane if not lane & step else n + lane - step for lane in range(n)]
                high = [lane + step if not lane & step else n + lane for lane in range(n)]
                rows[i], rows[i + step] = (shuffle(f, rows[i], rows[i + step], lanes) for lanes in (low, high))
        step //= 2
    return rows


def shuffle(f: Function, x: Value, y: Value, lanes: Sequence[int]) -> Value:
    """Return a vector of elements of two others, numbered one after the other."""
    type_ = f"<{len(lanes)} x {element(x.type)}>"
    mask = ", ".join(f"i32 {lane}" for lane in lanes)
    return f.emit(type_, f"shufflevector {x}, {y}, <{len(lanes)} x i32> <{mask}>")
