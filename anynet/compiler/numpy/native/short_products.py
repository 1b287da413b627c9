"""Short matrix products as native functions, which take less time than BLAS needs to prepare one.

A block of rows and columns of the result stays in registers while the sums of its elements grow, one product at a
time: each element is a sum in the order of the second axis of the first matrix. Long sums are sums of sums of `DEPTH`
products.
"""

from collections.abc import Sequence

import numpy as np

from anynet.compiler.graph import Args, Kwargs, Node
from anynet.compiler.numpy.native.ir_types import TYPES, has_type
from anynet.compiler.numpy.native.ir_values import Operand, Value
from anynet.compiler.numpy.native.kernel import Host, Kernel
from anynet.compiler.numpy.native.panels import ONCE, Panel, power_of_two, shuffle, starts
from anynet.compiler.numpy.native.processor import vector_registers
from anynet.compiler.numpy.native.writer import Function

DEPTH = 256
"""Largest number of products that are summed in registers; as many rows of a block's columns stay in the cache."""

SMALL = 1 << 18
"""Number of multiplications up to which BLAS is no faster."""


def kernel(node: Node, args: Args, kwargs: Kwargs, out: Host) -> Kernel | None:
    """Return a kernel for a product (``matmul``), or None if BLAS is faster."""
    if node.op != "matmul" or kwargs or out.dtype.kind != "f" or not has_type(out.dtype):
        return None
    a, b = args
    if not a.dtype == b.dtype == out.dtype:
        return None
    if a.ndim == 1:
        a, out = a[None], out[..., None, :] if b.ndim > 1 else out[..., None]
    if b.ndim == 1:
        b, out = b[:, None], out[..., None]
    if out.shape[-1] == 1 or out.strides[-1] != out.itemsize:
        a, b, out = b.mT, a.mT, out.mT
    contiguous = out.shape[-1] == 1 or out.strides[-1] == out.itemsize
    return ShortProduct(a, b, out) if contiguous and _pays(a, b) else None


def _pays(a: Host, b: Host) -> bool:
    """Return True if a product is faster without BLAS, which is no faster with columns apart from each other."""
    (m, k), n = a.shape[-2:], b.shape[-1]
    most = SMALL if b.strides[-1] == b.itemsize else 4 * SMALL
    return bool(0 < m * k * n <= most and (n > 4 or m < 4))


class ShortProduct(Kernel):
    """Product of matrices, or of stacks of them, of which the result is contiguous on the last axis."""

    def __init__(self, a: Host, b: Host, out: Host) -> None:
        super().__init__([a, b, out])
        self._out = out
        self._a, self._b = (np.broadcast_to(x, (*out.shape[:-2], *x.shape[-2:])) for x in (a, b))

    def write(self, f: Function) -> None:
        """Write loops over members, blocks of columns, parts of the sums and blocks of rows, from outer to inner."""
        n, (size, registers) = self._out.shape[-1], vector_registers()
        lanes = min(size // self._out.itemsize, power_of_two(2 * n - 1))
        columns = starts(max(n, lanes), lanes)
        width = min(4 if registers > 16 else 2, len(columns))
        width = -(-len(columns) // -(-len(columns) // width))
        # Rows far from each other compete for the same places of the cache, which has at least eight for each.
        most = 24 if self._a.strides[-2] == self._a.itemsize else 12
        rows = _rows(self._out.shape[-2], width, min(most, (registers - width - 2) // width))
        with f.loops(self._out.shape[:-2]) as members:
            for i in range(0, len(columns), width):
                part = slice(columns[i], columns[i : i + width][-1] + lanes)
                _Block(f, self._a, self._b[..., part], self._out[..., part], members, lanes).write(rows)


def _depth(k: int) -> int:
    """Return the number of products that are summed in registers, which divides `k` if possible."""
    parts = -(-k // DEPTH)
    return next((k // p for p in range(parts, 2 * parts) if k % p == 0), -(-k // parts))


def _rows(m: int, width: int, most: int) -> int:
    """Return the number of rows of a block with the least work; eight sums hide the latency of an addition."""

    def work(rows: int) -> tuple[int, bool, int]:
        whole, rest = divmod(m, rows)
        return whole * max(rows * width, 8) + (max(rest * width, 8) if rest else 0), rest > 0, -rows

    return min(range(1, min(m, most) + 1), key=work)


class _Block:
    """Some columns of a product."""

    def __init__(self, f: Function, a: Host, b: Host, out: Host, members: Sequence[Value], lanes: int) -> None:
        self._f, self._a, self._b, self._out, self._members, self._lanes = f, a, b, out, members, lanes
        self._starts = starts(max(out.shape[-1], lanes), lanes)
        self._depth = _depth(a.shape[-1])
        self._zero = f.constant(f"<{lanes} x {TYPES[out.dtype.name]}>", 0.0)
        # Columns apart from each other, or fewer than a vector's, are copied first.
        copies = out.shape[-1] < lanes or b.strides[-1] != b.itemsize
        self._panel = Panel(f, b, self._depth, lanes) if copies else None

    def write(self, rows: int) -> None:
        """Write loops over blocks of some rows."""
        f, k, depth = self._f, self._a.shape[-1], self._depth
        if depth == k:
            self._sums(0, k, rows, adds=False)
            return
        with f.loop(self._out.shape[-2]) as i:
            self._store([self._zero for _ in self._starts], i)
        with f.loop(k - k % depth, step=depth, hints=ONCE) as start:
            self._sums(start, depth, rows, adds=True)
        if k % depth:
            self._sums(k - k % depth, k % depth, rows, adds=True)

    def _sums(self, start: Operand, depth: int, rows: int, *, adds: bool) -> None:
        """Write sums of some products, of which the first ones are at `start`, or add them to the sums there are."""
        f, m = self._f, self._out.shape[-2]
        if self._panel:
            self._panel.copy((*self._members, start), depth)
        with f.loop(m - m % rows, step=rows, hints=ONCE) as i:
            self._block(i, rows, start, depth, adds=adds)
        if m % rows:
            self._block(f.index(m - m % rows), m % rows, start, depth, adds=adds)

    def _block(self, i: Value, rows: int, start: Operand, depth: int, *, adds: bool) -> None:
        f = self._f
        sums = [[f.variable(self._zero) for _ in self._starts] for _ in range(rows)]
        with f.loop(depth, hints=ONCE) as p:
            place = p + start
            if self._panel:
                vectors = [self._panel.load(p, column) for column in self._starts]
            else:
                vectors = [f.load(self._b, *self._members, place, column, lanes=self._lanes) for column in self._starts]
            for r in range(rows):
                x = f.splat(f.load(self._a, *self._members, i + r, place), self._lanes)
                for total, vector in zip(sums[r], vectors, strict=True):
                    total.set(f.call("llvm.fmuladd", x, vector, total.get()))
        for r in range(rows):
            values = [total.get() for total in sums[r]]
            if adds:
                values = [value + old for value, old in zip(values, self._load(i + r), strict=True)]
            self._store(values, i + r)

    def _load(self, row: Value) -> list[Value]:
        f, lanes = self._f, self._lanes
        n = self._out.shape[-1]
        if n >= lanes:
            return [f.load(self._out, *self._members, row, start, lanes=lanes) for start in self._starts]
        value = self._zero
        few = power_of_two(n)
        for start in starts(n, few):
            part = f.load(self._out, *self._members, row, start, lanes=few)
            wide = shuffle(f, part, part, [*range(few), *[0] * (lanes - few)])
            places = [lanes + lane - start if start <= lane < start + few else lane for lane in range(lanes)]
            value = shuffle(f, value, wide, places)
        return [value]

    def _store(self, values: list[Value], row: Value) -> None:
        f, n = self._f, self._out.shape[-1]
        few = min(power_of_two(n), self._lanes)
        for value, first in zip(values, self._starts, strict=True):
            for start in starts(n, few) if n < self._lanes else [0]:
                part = value if few == self._lanes else shuffle(f, value, value, range(start, start + few))
                f.store(part, self._out, *self._members, row, first + start)
