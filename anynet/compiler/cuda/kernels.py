"""Put phases together into kernels: those that are small, or independent in parts of the first axis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from anynet.compiler.cuda.dependences import Footprint, footprint, independent_along_first_axis
from anynet.compiler.cuda.phases import Phase

SMALL = 1 << 14
"""Largest work of a phase that one block of threads does; more is distributed over blocks."""

MOST_ARGUMENTS = 500
"""Largest number of a kernel's arguments, addresses and lengths, which may take 4 KB."""


@dataclass(eq=False)
class Kernel:
    """Phases that run in one kernel, with a barrier before those that depend on earlier ones.

    There are three kinds. One block runs phases that are all small. Several blocks each compute a part of the first
    axis, which has the same length in all phases, if no part depends on another. A single phase is distributed over all
    threads.

    Parameters
    ----------
    phases : list of Phase
        In order.
    footprints : list of Footprint
        Memory that each phase accesses.
    """

    phases: list[Phase] = field(default_factory=list)
    footprints: list[Footprint] = field(default_factory=list)

    @property
    def small(self) -> bool:
        """True if no phase is too large for one block of threads."""
        return _all_small(self.phases)

    def accepts(self, phase: Phase) -> bool:
        """Return True if a phase can be added after the others."""
        phases = [*self.phases, phase]
        few = sum(len(p.accesses) + len(p.lengths) for p in phases) <= MOST_ARGUMENTS
        return few and (_all_small(phases) or (_short_slices(phases) and independent_along_first_axis(phases)))

    def add(self, phase: Phase) -> None:
        """Add a phase after the others."""
        self.phases.append(phase)
        self.footprints.append(footprint(phase))


def alone(phase: Phase) -> Kernel:
    """Return a kernel of one phase."""
    return Kernel([phase], [footprint(phase)])


def join(calls: Sequence[Phase | Any], footprint_of: Callable[[Any], Footprint]) -> list[Kernel | Any]:
    """Put phases into as few kernels as possible, between other calls; the order of those that conflict stays.

    Parameters
    ----------
    calls : sequence of Phase or Call
    footprint_of : callable
        ``footprint_of(call)`` returns the memory that a call which is no phase accesses.

    Returns
    -------
    list of Kernel or Call
    """
    done: list[tuple[Kernel | Any, list[Footprint]]] = []
    last = Kernel()  # not in `done` yet
    for call in calls:
        if not isinstance(call, Phase):
            if any(footprint_of(call).conflicts(earlier) for earlier in last.footprints):
                done.append((last, last.footprints))
                last = Kernel()
            done.append((call, [footprint_of(call)]))
        elif last.phases and last.accepts(call):
            last.add(call)
        elif (earlier := _earlier(call, [*done, (None, last.footprints)])) is not None:
            earlier.add(call)
        else:
            done += [(last, last.footprints)] if last.phases else []
            last = alone(call)
    return [call for call, _ in [*done, (last, [])] if not isinstance(call, Kernel) or call.phases]


def _earlier(phase: Phase, done: list[tuple[Kernel | Any, list[Footprint]]]) -> Kernel | None:
    """Return the newest kernel to which a phase can be moved, if there is one."""
    own = footprint(phase)
    for call, footprints in reversed(done):
        if isinstance(call, Kernel) and call.accepts(phase):
            return call
        if any(own.conflicts(other) for other in footprints):
            return None
    return None


def _all_small(phases: Sequence[Phase]) -> bool:
    return all(phase.work <= SMALL for phase in phases)


def _short_slices(phases: Sequence[Phase]) -> bool:
    return all(phase.outer and phase.outer[0] > 1 and phase.work // phase.outer[0] <= SMALL for phase in phases)
