"""What phases and calls do with memory, and whether it matters which goes first."""

from typing import NamedTuple

from anynet.compiler.cuda.phases import INT, Access, Phase, extent
from anynet.core.typing import ConcreteArray as Array


class Reach(NamedTuple):
    """The addresses that an array's elements lie between."""

    low: int
    high: int

    def meets(self, other: "Reach") -> bool:
        return self.low < other.high and other.low < self.high


class Use(NamedTuple):
    """What is read and written."""

    reads: tuple[Reach, ...]
    writes: tuple[Reach, ...]

    def conflicts(self, other: "Use") -> bool:
        """Whether it matters which of the two goes first."""
        return _meet(self.writes, other.writes) or _meet(self.writes, other.reads) or _meet(self.reads, other.writes)


ANYTHING = Use((), (Reach(0, 1 << 64),))
"""What a call may do of which nothing is known."""


def reach(array: Array) -> Reach:
    """Where an array lies."""
    if 0 in array.shape:
        return Reach(0, 0)
    ends = [stride * (n - 1) for stride, n in zip(array.strides, array.shape, strict=True)]
    start = array.data.ptr
    return Reach(start + sum(e for e in ends if e < 0), start + sum(e for e in ends if e > 0) + array.itemsize)


def use(phase: Phase) -> Use:
    """What a phase reads and writes."""
    return Use(tuple(reach(a.array) for a in phase.reads), tuple(reach(a.array) for a in phase.writes))


def in_slices(phases: list[Phase]) -> bool:
    """Whether what a phase does at an index of the first axis needs nothing done at another index by the others."""
    if not all(phase.kept and phase.kept[0] == phases[0].kept[0] and phase.turns < INT for phase in phases):
        return False
    for k, phase in enumerate(phases):
        for other in phases[:k]:
            pairs = [(w, a) for w in phase.writes for a in other.accesses]
            pairs += [(w, a) for w in other.writes for a in phase.reads]
            shapes = {id(a): (*p.kept, *p.inner) for p in (phase, other) for a in p.accesses}
            if any(reach(w.array).meets(reach(a.array)) and not _aligned(w, a, shapes) for w, a in pairs):
                return False
    return True


def _aligned(one: Access, other: Access, shapes: dict[int, tuple[int, ...]]) -> bool:
    """Whether two accesses at different indices of the first axis meet nowhere."""
    step = one.strides[0]
    if one.array.data.ptr != other.array.data.ptr or other.strides[0] != step or step == 0 or one.also or other.also:
        return False
    return one.strides == other.strides or all(
        extent(a.strides[1:], shapes[id(a)][1:]) < abs(step) for a in (one, other)
    )


def _meet(some: tuple[Reach, ...], others: tuple[Reach, ...]) -> bool:
    return any(one.meets(other) for one in some for other in others)
