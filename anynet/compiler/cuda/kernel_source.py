"""CUDA C++ source of kernels: arguments, blocks and threads, barriers between phases."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from anynet.compiler.cuda.dependences import Footprint, address_range
from anynet.compiler.cuda.expressions import TYPES
from anynet.compiler.cuda.kernels import Kernel
from anynet.compiler.cuda.phases import Phase, Span
from anynet.compiler.cuda.reductions import WARP, Workers
from anynet.core.typing import ConcreteArray as Array

TILES, EACH = (1 << 8, 1 << 11), 4
"""Least work of a block that computes a part of every phase, and the work that is intended for each of its threads.

The larger of the tiles is for phases that have enough work for `MANY_BLOCKS` such blocks.
"""

MANY_BLOCKS = 1 << 7

MOST_THREADS = 1 << 10
"""Largest number of threads of a block."""

ALONE = 1 << 8, 1 << 16
"""Threads per block and the largest number of blocks, for a kernel of a single phase."""

FEW_BLOCKS = 1 << 5
"""Number of blocks below which those that reduce columns are large: more warps share the rows then."""


class Row(NamedTuple):
    """Argument of a kernel that stands for the buffer with one of the row's arrays of all steps.

    Attributes
    ----------
    place : int
        Position of the array in the row.
    """

    place: int


class Source(NamedTuple):
    """CUDA C++ source of a kernel.

    Attributes
    ----------
    name : str
        Name of the function.
    text : str
    arguments : list of cupy.ndarray, Row or int
        Arguments of the function.
    has_rows : bool
        If True, the kernel also takes a pointer to the first step's index and this step's offset.
    blocks, threads : int
        Number of blocks, and of threads per block.
    """

    name: str
    text: str
    arguments: list[Array | Row | int]
    has_rows: bool
    blocks: int
    threads: int


def write(kernel: Kernel, name: str, rows: Sequence[Array] = ()) -> Source:
    """Return the source of a kernel.

    Parameters
    ----------
    kernel : Kernel
    name : str
        Name of the function.
    rows : sequence of cupy.ndarray
        Arrays that stand for a step's row; the kernel reads it from the buffers with the rows of all steps.

    Returns
    -------
    Source
    """
    arguments: list[Array | Row | int] = []
    addresses: dict[Row | tuple[int, str], str] = {}
    has_rows = False

    def argument(thing: Array | Row | int) -> str:
        arguments.append(thing)
        return f"a{len(arguments) - 1}"

    def address(thing: Array | Row) -> str:  # equal numbers are not looked for: they may differ next time
        key = thing if isinstance(thing, Row) else (thing.data.ptr, str(thing.dtype))
        if key not in addresses:
            addresses[key] = argument(thing)
        return addresses[key]

    def pointer(array: Array) -> str:
        nonlocal has_rows
        for k, row in enumerate(rows):
            if address_range(array).overlaps(address_range(row)):
                has_rows = True
                offset = (array.data.ptr - row.data.ptr) // row.itemsize
                return f"({address(Row(k))} + (row * {row.size} + {offset}))"
        return address(array)

    body, blocks, threads = _body(kernel, pointer, argument)
    parameters = [f"{_type(thing, rows)} a{k}" for k, thing in enumerate(arguments)]
    if has_rows:
        parameters += ["const long long* step", "int later"]
        body = ["const long long row = *step + later;", *body]
    if any(phase.by is Workers.COLUMN for phase in kernel.phases):
        body = [f"alignas(8) __shared__ char shared[{8 * threads}];", *body]  # the phases use it one after another
    head = f'extern "C" __global__ void __launch_bounds__({threads}) {name}({", ".join(parameters)}) {{'
    return Source(name, "\n    ".join([head, *body]) + "\n}\n", arguments, has_rows, blocks, threads)


def _type(argument: Array | Row | int, rows: Sequence[Array]) -> str:
    """Return the C++ type of a kernel's argument."""
    if isinstance(argument, int):
        return "const long long"
    return TYPES[str((rows[argument.place] if isinstance(argument, Row) else argument).dtype)] + "*"


def _body(kernel: Kernel, pointer: Callable[[Array], str], number: Callable[[int], str]) -> tuple[list[str], int, int]:
    """Return statements, the number of blocks, and that of threads per block."""
    phases, (threads, most) = kernel.phases, ALONE
    if len(phases) == 1 and (phases[0].work > MOST_THREADS or not kernel.small):
        at_a_time = {Workers.THREAD: threads, Workers.WARP: threads // WARP, Workers.COLUMN: phases[0].columns}
        blocks = min(most, math.ceil(phases[0].n_results / at_a_time[phases[0].by]))
        if phases[0].by is Workers.COLUMN and blocks < FEW_BLOCKS:
            threads = MOST_THREADS
        span = _span(phases[0], threads, shared_by=blocks)
        return phases[0].source(pointer, number, span, threads), blocks, threads
    n, part = 1, 1
    work = max(map(_parallelism, phases))
    if not kernel.small:
        n = max(phase.outer[0] for phase in phases)
        each = max(phase.work // phase.outer[0] for phase in phases)
        least, most = TILES
        part = min(n, max(1, max(least, min(most, each * n // MANY_BLOCKS)) // each))
        work = max(_parallelism(phase) // phase.outer[0] for phase in phases) * part // EACH
    threads, blocks = min(MOST_THREADS, WARP * max(1, math.ceil(work / WARP))), math.ceil(n / part)
    lines: list[str] = []
    since_barrier: list[Footprint] = []
    for phase, own in zip(phases, kernel.footprints, strict=True):
        if any(own.conflicts(other) for other in since_barrier):
            lines.append("__syncthreads();")
            since_barrier = []
        since_barrier += [] if phase.by is Workers.COLUMN else [own]  # which ends with a barrier
        if blocks > 1:
            length = phase.outer[0]
            span = _span(phase, threads, part=phase.n_results // length * part, ends=length < part * blocks)
        else:
            span = _span(phase, threads)
        lines += phase.source(pointer, number, span, threads)
    return lines, blocks, threads


def _span(phase: Phase, threads: int, shared_by: int = 1, part: int | None = None, ends: bool = False) -> Span:
    """Return the iterations of a thread or warp, if blocks share all of them, or compute parts of this length each.

    ends: True if there are blocks with fewer iterations, or none.
    """
    own = {Workers.THREAD: "threadIdx.x", Workers.WARP: "threadIdx.x / 32", Workers.COLUMN: "0"}[phase.by]
    columns = phase.columns if shared_by > 1 else max(1, min(part or phase.n_results, threads // 2))
    per_block = {Workers.THREAD: threads, Workers.WARP: threads // WARP, Workers.COLUMN: columns}[phase.by]
    if part is None:
        first = f"blockIdx.x * {per_block} + {own}" if shared_by > 1 else own
        step = per_block * shared_by
        return Span(first, f"{phase.n_results}", step, math.ceil(phase.n_results / step), columns)
    block, n = f"({phase.index_type})blockIdx.x", f"({phase.index_type}){phase.n_results}"
    end = f"({block} + 1) * {part}"
    stop = f"min({end}, {n})" if ends else end
    return Span(f"{block} * {part} + {own}", stop, per_block, math.ceil(part / per_block), columns)


def _parallelism(phase: Phase) -> int:
    """Return the number of threads that can work at the same time: up to 32 for each result."""
    return phase.n_results if phase.by is Workers.THREAD else phase.n_results * WARP
