"""Matrix products that are small, or have few columns: cuBLAS needs two kernels for them, which mostly wait."""

import math
from functools import cached_property
from typing import NamedTuple

from anynet.compiler.cuda.dependences import Footprint, address_range
from anynet.compiler.cuda.expressions import TYPES
from anynet.compiler.cuda.kernel_source import Source
from anynet.compiler.cuda.launch import Launch, compile_all
from anynet.compiler.cuda.phases import INT, element_strides, extent
from anynet.compiler.cuda.reductions import WARP
from anynet.core.typing import ConcreteArray as Array

SMALL, NARROW = 1 << 19, 1 << 24
"""Largest numbers of multiplications of products of any shape, and of those with long sums and few columns."""

LONG_SUM, FEW_COLUMNS = 1 << 9, 1 << 4

ROWS, COLUMNS = 8, 64
"""Most rows and columns that a block computes."""

BLOCKS = 100
"""Number of blocks that fill a GPU of about a hundred multiprocessors."""

ADDED = 16
"""Number of products that a thread adds, if they are enough for the most threads of a block."""


class Tile(NamedTuple):
    """Part of a product that a block computes.

    Attributes
    ----------
    rows, columns : int
    threads : int
        Number of threads, which share the sums.
    """

    rows: int
    columns: int
    threads: int


def choose_tile(m: int, k: int, n: int, itemsize: int) -> Tile:
    """Return the tile for a product of matrices of shapes (m, k) and (k, n), whose elements have so many bytes."""
    rows, columns = ROWS, min(n, COLUMNS)
    while rows > 1 and math.ceil(m / rows) * math.ceil(n / columns) < BLOCKS:
        rows //= 2
    sharing = max(1, k // ADDED)
    return Tile(rows, columns, min(4096 // itemsize, WARP * math.ceil(columns * sharing / WARP)))


def is_tiled(a: Array, b: Array, out: Array) -> bool:
    """Return True if ``out = a @ b`` takes less time by tiles; cuBLAS must be able to compute it."""
    n, k = out.shape[-1], a.shape[-1]
    most = NARROW if n <= FEW_COLUMNS and k >= LONG_SUM else SMALL
    return out.size * k <= most and all(extent(element_strides(x), x.shape) < INT for x in (a, b, out))


class TiledProduct:
    """``out = a @ b`` by a generated kernel; call the object to compute it.

    A block computes a few rows and columns. Each of its threads adds a part of the sums of one column and all rows, for
    which it reads an element of the right operand once. The order of additions is fixed.

    Parameters
    ----------
    a, b, out : cupy.ndarray
        Matrices, or stacks of matrices with three dimensions.

    Attributes
    ----------
    footprint : Footprint
        Memory that the product accesses.
    """

    def __init__(self, a: Array, b: Array, out: Array) -> None:
        self.footprint = Footprint((address_range(a), address_range(b)), (address_range(out),))
        self._arrays = a, b, out

    def __call__(self) -> None:
        """Compute the product on the current stream."""
        self._launch()

    @cached_property
    def _launch(self) -> Launch:
        return compile_all([self.source("product")])[0]

    def source(self, name: str) -> Source:
        """Return the source of the kernel, whose function has this name."""
        a, b, out = self._arrays
        (m, n), k, members = out.shape[-2:], a.shape[-1], out.shape[0] if out.ndim == 3 else 1
        rows, columns, threads = choose_tile(m, k, n, out.itemsize)
        (a0, am, ak), (b0, bk, bn), (o0, om, on) = map(_strides, (a, b, out))
        across, down = math.ceil(n / columns), math.ceil(m / rows)
        X, sharing = TYPES[str(out.dtype)], threads // columns
        body = f"""
    __shared__ {X} sums[{rows * threads}];
    const int member = blockIdx.x / {across * down};
    const int row = blockIdx.x / {across} % {down} * {rows}, column = blockIdx.x % {across} * {columns};
    const int j = column + threadIdx.x % {columns}, own = threadIdx.x / {columns};
    {X} s[{rows}] = {{}};
    if (j < {n} && own < {sharing}) {{
        #pragma unroll 4
        for (int r = own; r < {k}; r += {sharing}) {{
            const {X} y = b[member * {b0} + r * {bk} + j * {bn}];
            #pragma unroll
            for (int t = 0; t < {rows}; t++) s[t] += a[member * {a0} + min(row + t, {m - 1}) * {am} + r * {ak}] * y;
        }}
    }}
    #pragma unroll
    for (int t = 0; t < {rows}; t++) sums[t * {threads} + threadIdx.x] = s[t];
    __syncthreads();
    for (int i = threadIdx.x; i < {rows * columns}; i += {threads}) {{
        const int t = i / {columns}, c = i % {columns};
        {X} sum = 0;
        #pragma unroll 8
        for (int q = 0; q < {sharing}; q++) sum += sums[t * {threads} + q * {columns} + c];
        if (row + t < {m} && column + c < {n}) out[member * {o0} + (row + t) * {om} + (column + c) * {on}] = sum;
    }}
}}
"""
        parameters = f"const {X}* __restrict__ a, const {X}* __restrict__ b, {X}* __restrict__ out"
        head = f'extern "C" __global__ void __launch_bounds__({threads}) {name}({parameters}) {{'
        return Source(name, head + body, [a, b, out], False, across * down * members, threads)


def _strides(array: Array) -> tuple[int, ...]:
    """Return the strides in elements, of a single matrix or a stack of one with 0 ahead."""
    stacked = array.ndim == 3 and array.shape[0] > 1
    return (element_strides(array)[0] if stacked else 0, *element_strides(array)[-2:])
