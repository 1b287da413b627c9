"""Memory that phases and calls access, and which of them depend on each other's order."""

from typing import NamedTuple

from anynet.compiler.cuda.phases import INT, Access, Phase, extent
from anynet.core.typing import ConcreteArray as Array


class AddressRange(NamedTuple):
    """Range of addresses that holds an array.

    Attributes
    ----------
    low : int
        First byte.
    high : int
        First byte behind the array.
    """

    low: int
    high: int

    def overlaps(self, other: "AddressRange") -> bool:
        """Return True if the ranges have an address in common."""
        return self.low < other.high and other.low < self.high


class Footprint(NamedTuple):
    """Memory that a phase or a call accesses.

    Attributes
    ----------
    reads, writes : tuple of AddressRange
    """

    reads: tuple[AddressRange, ...]
    writes: tuple[AddressRange, ...]

    def conflicts(self, other: "Footprint") -> bool:
        """Return True if the order of the two matters: one writes what the other reads or writes."""
        return (
            _any_overlap(self.writes, other.writes)
            or _any_overlap(self.writes, other.reads)
            or _any_overlap(self.reads, other.writes)
        )


UNKNOWN = Footprint((), (AddressRange(0, 1 << 64),))
"""Footprint of a call that may access anything."""


def address_range(array: Array) -> AddressRange:
    """Return the addresses between the first and the last element of an array, whatever its strides.

    Parameters
    ----------
    array : cupy.ndarray

    Returns
    -------
    AddressRange
        Empty if the array has no elements.
    """
    if 0 in array.shape:
        return AddressRange(0, 0)
    ends = [stride * (n - 1) for stride, n in zip(array.strides, array.shape, strict=True)]
    start = array.data.ptr
    return AddressRange(start + sum(e for e in ends if e < 0), start + sum(e for e in ends if e > 0) + array.itemsize)


def footprint(phase: Phase) -> Footprint:
    """Return the memory that a phase accesses."""
    return Footprint(
        tuple(address_range(a.array) for a in phase.reads), tuple(address_range(a.array) for a in phase.writes)
    )


def independent_along_first_axis(phases: list[Phase]) -> bool:
    """Return True if phases depend on each other only at equal indices of the first axis.

    Blocks of threads can then compute parts of that axis without waiting for each other. Vectors may differ in length.
    """
    are_vectors = all(len(phase.outer) == 1 and not phase.inner for phase in phases)
    if not all(phase.outer and phase.n_results < INT for phase in phases):
        return False
    if not are_vectors and len({phase.outer[0] for phase in phases}) > 1:
        return False
    for k, phase in enumerate(phases):
        for other in phases[:k]:
            pairs = [(w, a) for w in phase.writes for a in other.accesses]
            pairs += [(w, a) for w in other.writes for a in phase.reads]
            shapes = {id(a): (*p.outer, *p.inner) for p in (phase, other) for a in p.accesses}
            if any(
                address_range(w.array).overlaps(address_range(a.array)) and not _aligned(w, a, shapes) for w, a in pairs
            ):
                return False
    return True


def _aligned(one: Access, other: Access, shapes: dict[int, tuple[int, ...]]) -> bool:
    """Return True if two accesses never meet at different indices of the first axis."""
    step = one.strides[0]
    if one.array.data.ptr != other.array.data.ptr or other.strides[0] != step or step == 0:
        return False
    if one.offset or other.offset:
        return False
    return one.strides == other.strides or all(
        extent(a.strides[1:], shapes[id(a)][1:]) < abs(step) for a in (one, other)
    )


def _any_overlap(some: tuple[AddressRange, ...], others: tuple[AddressRange, ...]) -> bool:
    return any(one.overlaps(other) for one in some for other in others)
