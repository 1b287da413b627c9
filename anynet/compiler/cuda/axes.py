"""Axes of loops, as CUDA source."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Axis(NamedTuple):
    """Axis of a loop.

    Attributes
    ----------
    name : str
        Variable that holds the index.
    n : int
        Length.
    place : int
        Position of the axis's stride in the strides of an `Access`.
    """

    name: str
    n: int
    place: int


def merge_axes(
    letter: str, shape: tuple[int, ...], places: Iterable[int], strides: Sequence[tuple[int, ...]]
) -> list[Axis]:
    """Return as few axes as possible: adjacent ones are merged where the strides of all arrays let one index do.

    Parameters
    ----------
    letter : str
        First letter of the variables.
    shape : tuple of int
        Lengths of all axes.
    places : iterable of int
        Axes to return.
    strides : sequence of tuple of int
        Strides of each array along all axes.

    Returns
    -------
    list of Axis
    """
    found: list[Axis] = []
    for place in places:
        n = shape[place]
        if n == 1:
            continue
        if found and all(s[found[-1].place] == s[place] * n for s in strides):
            found[-1] = Axis(found[-1].name, found[-1].n * n, place)
        else:
            found.append(Axis(f"{letter}{len(found)}", n, place))
    return found


def unravel(index: str, axes: list[Axis], kind: str) -> list[str]:
    """Return statements that compute each axis's index from a flat index."""
    lines, below = [], 1
    for k, axis in reversed(list(enumerate(axes))):
        part = index if below == 1 else f"{index} / {below}"
        lines.append(f"const {kind} {axis.name} = {part}{f' % {axis.n}' if k else ''};")
        below *= axis.n
    return lines


def indent(lines: list[str]) -> list[str]:
    """Return lines of a block one level deeper."""
    return ["    " + line for line in lines]
