"""Phases put together into kernels: small ones in one block of threads, one behind another; large ones in parts."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from anynet.compiler.cuda.expressions import TYPES
from anynet.compiler.cuda.memory_use import Use, in_slices, reach, use
from anynet.compiler.cuda.phases import WARP, Phase, Span
from anynet.core.typing import ConcreteArray as Array

SMALL = 1 << 14
"""Work of a phase that one block of threads does; more is shared among blocks."""

TILE, EACH = 1 << 11, 4
"""Work that a block with a part of every phase does at least, and how much of it is to be each of its threads'."""

MOST_THREADS, MOST_ACCESSES = 1 << 10, 500
"""Of a block; and of a kernel, whose arguments, addresses most of them, may take 4 KB."""

ALONE = 1 << 8, 1 << 11
"""Threads of a block, and blocks, of a phase that is alone; fewer blocks where it is short."""


@dataclass(eq=False)
class Kernel:
    """Phases in one kernel, those that need what earlier ones gave behind a barrier.

    Either all are small, and one block runs them; or all have a first axis of the same length, of which each block has
    a part, and needs nothing of others' parts; or there is one, shared by all threads there are.
    """

    phases: list[Phase] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)

    def takes(self, phase: Phase) -> bool:
        """Whether one more phase can stand behind the others."""
        together = [*self.phases, phase]
        few = sum(len(p.accesses) for p in together) <= MOST_ACCESSES
        return few and (_all_small(together) or (_short_slices(together) and in_slices(together)))

    def add(self, phase: Phase) -> None:
        self.phases.append(phase)
        self.uses.append(use(phase))


class Source(NamedTuple):
    """A kernel as CUDA C++.

    takes: its arguments; numbers stand for the buffers of the steps' rows.
    has_rows: whether it goes by the step that it is run in, with two arguments more: the address of the number of a
        first step, and how many steps later this one is.
    """

    name: str
    text: str
    takes: list[Array | int]
    has_rows: bool
    blocks: int
    threads: int


def join(calls: Sequence[Phase | Any], use_of: Callable[[Any], Use]) -> list[Kernel | Any]:
    """Phases in as few kernels as can be, between the calls that are no phases; where order matters, it stays.

    use_of: what a call that is no phase does with memory.
    """
    done: list[tuple[Kernel | Any, list[Use]]] = []
    last = Kernel()  # not among those done yet
    for call in calls:
        if not isinstance(call, Phase):
            if any(use_of(call).conflicts(used) for used in last.uses):
                done.append((last, last.uses))
                last = Kernel()
            done.append((call, [use_of(call)]))
        elif last.phases and last.takes(call):
            last.add(call)
        elif (earlier := _earlier(call, [*done, (None, last.uses)])) is not None:
            earlier.add(call)
        else:
            done += [(last, last.uses)] if last.phases else []
            last = Kernel()
            last.add(call)
    return [call for call, _ in [*done, (last, [])] if not isinstance(call, Kernel) or call.phases]


def _earlier(phase: Phase, done: list[tuple[Kernel | Any, list[Use]]]) -> Kernel | None:
    """The newest kernel where a phase can as well be."""
    own = use(phase)
    for call, uses in reversed(done):
        if isinstance(call, Kernel) and call.takes(phase):
            return call
        if any(own.conflicts(used) for used in uses):
            return None
    return None


def write(kernel: Kernel, name: str, rows: Sequence[Array] = ()) -> Source:
    """The kernel's source.

    rows: arrays that stand for a step's row: it is read where the rows of all steps lie.
    """
    takes: list[Array | int] = []
    has_rows = False

    def argument(thing: Array | int) -> str:
        for k, known in enumerate(takes):
            if known is thing or (not isinstance(known, int) and not isinstance(thing, int) and _same(known, thing)):
                return f"a{k}"
        takes.append(thing)
        return f"a{len(takes) - 1}"

    def pointer(array: Array) -> str:
        nonlocal has_rows
        for k, row in enumerate(rows):
            if reach(array).meets(reach(row)):
                has_rows = True
                behind = (array.data.ptr - row.data.ptr) // row.itemsize
                return f"({argument(k)} + (row * {row.size} + {behind}))"
        return argument(array)

    body, blocks, threads = _body(kernel, pointer)
    types = [TYPES[str((rows[thing] if isinstance(thing, int) else thing).dtype)] for thing in takes]
    arguments = [f"{kind}* a{k}" for k, kind in enumerate(types)]
    if has_rows:
        arguments += ["const long long* step", "int later"]
        body = ["const long long row = *step + later;", *body]
    head = f'extern "C" __global__ void __launch_bounds__({threads}) {name}({", ".join(arguments)}) {{'
    return Source(name, "\n    ".join([head, *body]) + "\n}\n", takes, has_rows, blocks, threads)


def _same(one: Array, other: Array) -> bool:
    return one.data.ptr == other.data.ptr and one.dtype == other.dtype


def _body(kernel: Kernel, pointer: Callable[[Array], str]) -> tuple[list[str], int, int]:
    """Statements, blocks, threads of each."""
    phases, (threads, most) = kernel.phases, ALONE
    if len(phases) == 1 and phases[0].work > min(MOST_THREADS, SMALL):
        blocks = min(most, math.ceil(_threads(phases[0]) / threads))
        return phases[0].source(pointer, _span(phases[0], threads, shared_by=blocks)), blocks, threads
    n, part = 1, 1
    work = max(map(_threads, phases))
    if not _all_small(phases):
        n = phases[0].kept[0]
        part = min(n, max(1, TILE // max(phase.work // n for phase in phases)))
        work = max(_threads(phase) // n for phase in phases) * part // EACH
    threads, blocks = min(MOST_THREADS, WARP * max(1, math.ceil(work / WARP))), math.ceil(n / part)
    lines: list[str] = []
    since: list[Use] = []
    for phase, own in zip(phases, kernel.uses, strict=True):
        if any(own.conflicts(used) for used in since):
            lines.append("__syncthreads();")
            since = []
        since.append(own)
        lines += phase.source(pointer, _span(phase, threads, part=phase.turns // n * part if blocks > 1 else None))
    return lines, blocks, threads


def _span(phase: Phase, threads: int, shared_by: int = 1, part: int | None = None) -> Span:
    """The turns of a thread, or a warp, in blocks that share all, or have a part each of so many, or in one block."""
    own, per_block = ("threadIdx.x / 32", threads // WARP) if phase.by_warp else ("threadIdx.x", threads)
    if part is None:
        first = f"blockIdx.x * {per_block} + {own}" if shared_by > 1 else own
        return Span(first, f"{phase.turns}", f"{per_block * shared_by}")
    end = f"int(blockIdx.x + 1) * {part}"
    stop = end if phase.turns % part == 0 else f"min({end}, {phase.turns})"
    return Span(f"blockIdx.x * {part} + {own}", stop, f"{per_block}")


def _threads(phase: Phase) -> int:
    """How many threads could have a turn at once."""
    return phase.turns * WARP if phase.by_warp else phase.turns


def _all_small(phases: Sequence[Phase]) -> bool:
    return all(phase.work <= SMALL for phase in phases)


def _short_slices(phases: Sequence[Phase]) -> bool:
    return all(phase.kept and phase.kept[0] > 1 and phase.work // phase.kept[0] <= SMALL for phase in phases)
