"""Nested loops over two arrays at a time, by pointers to their places."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from anynet.compiler.numpy.native.ir_values import Operand, Value
from anynet.compiler.numpy.native.writer import Function


class Axis(NamedTuple):
    """Axis of a loop: its length, and the distances in bytes of neighbors in two arrays."""

    n: int | Value
    first: int
    second: int


def merged(axes: Sequence[Axis]) -> list[Axis]:
    """Return axes, from outer to inner, with those as one that both arrays have one after the other in memory."""
    found: list[Axis] = []
    for axis in axes:
        last = found[-1] if found else None
        if last and isinstance(axis.n, int) and last[1:] == (axis.n * axis.first, axis.n * axis.second):
            found[-1] = Axis(last.n * axis.n, axis.first, axis.second)
        elif axis.n != 1:
            found.append(axis)
    return found


@contextmanager
def nested(
    f: Function, axes: Sequence[Axis], first: str, second: str, hints: Sequence[str] = ()
) -> Iterator[tuple[str, str]]:
    """Context manager for the body of nested loops, with pointers to its places; `hints` are for the inner loop."""
    if not axes:
        yield first, second
        return
    axis, *inner = axes
    with f.loop(axis.n, hints=() if inner else hints) as i:
        places = moved(f, first, i * axis.first), moved(f, second, i * axis.second)
        with nested(f, inner, *places, hints) as found:
            yield found


def copy(f: Function, axes: Sequence[Axis], old: str, new: str, type_: str) -> None:
    """Write loops that copy numbers of a type from one place to another."""
    with nested(f, axes, old, new) as (source, into):
        f.store_at(f.load_at(type_, source), into)


def moved(f: Function, pointer: str, far: Operand) -> str:
    """Return a pointer so many bytes behind another one."""
    if not isinstance(far, Value):
        far = f.index(int(far))
    return f.emit("ptr", f"getelementptr inbounds i8, ptr {pointer}, {far}").text


def unravel(f: Function, number: Value, shape: Sequence[int]) -> list[Value]:
    """Return the index of an element of a shape with a number."""
    index = []
    for n in reversed(shape):
        index.append(f.op("urem", number, n))
        number = f.op("udiv", number, n)
    return index[::-1]
