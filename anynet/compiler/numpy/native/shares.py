"""Units of loops over large arrays, equal numbers of indices of the outer axis, and bounds of other parts."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from anynet.compiler.numpy.native.ir_values import Value
from anynet.compiler.numpy.native.writer import Function

LARGE = 1 << 21
"""Number of elements from which on a loop is divided: less takes no longer than threads that wait for each other."""

UNIT = 1 << 14
"""Smallest number of elements of a unit; a multiple of what vectorized loops compute at a time."""


def rows_of_unit(shape: Sequence[int]) -> int:
    """Return the number of indices of the first axis in a unit; all of them for a shape with few elements."""
    if math.prod(shape) < LARGE:
        return shape[0] if shape else 1
    return -(-UNIT // math.prod(shape[1:]))


def units(shape: Sequence[int]) -> int:
    """Return the number of units of a loop over a shape."""
    return -(-shape[0] // rows_of_unit(shape)) if shape else 1


@contextmanager
def loops(f: Function, shape: Sequence[int], inner: int = 0) -> Iterator[list[Value]]:
    """Context manager for the body of nested loops over a shape, on the first axis over the units to be done.

    The last `inner` axes have no loops. With several units, the first axis must have one.
    """
    if len(shape) <= inner:
        yield []
        return
    first, last = f.index(0), f.index(shape[0])
    if units(shape) > 1:
        size = rows_of_unit(shape)
        first, last = f.first * size, least(f, f.last * size, shape[0])
    with f.loop(last, first) as i, f.loops(shape[1 : len(shape) - inner]) as rest:
        yield [i, *rest]


def bounds(f: Function, part: Value, n: int, parts: int) -> tuple[Value, Value]:
    """Return the first of `n` places that are in a part, of so many about equal ones, and that of the next part."""
    first, last = (f.op("udiv", (part + i) * n, parts) for i in (0, 1))
    return first, last


def least(f: Function, one: Value, other: int) -> Value:
    """Return the smaller of two numbers."""
    return f.select(f.compare("slt", one, other), one, other)
