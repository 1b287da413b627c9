"""Steps that hypothesis puts together from the array API's operations.

All numbers are small integers, so that sums and products are exact in whatever order they are made.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from hypothesis import assume
from hypothesis import strategies as st

LARGEST = 2.0**40
"""Bound on all numbers; sums and products of integers far below 2^53 are exact."""


def change(*changes: Callable[[Any], Any]) -> Callable[..., Any]:
    """The parts of a vector, before and behind an index, each worked over, put together again."""

    def changed(xp: Any, n: int, x: Any) -> Any:
        parts = x[..., :n], x[..., n:]
        return xp.concat([one(part) for one, part in zip(changes, parts, strict=True)], axis=-1)

    return changed


def keep(x: Any) -> Any:
    return x


OPERATIONS: dict[str, Callable[..., Any]] = {
    # of two arrays
    "x + y": lambda xp, n, x, y: x + y,
    "x - y": lambda xp, n, x, y: x - y,
    "x * y": lambda xp, n, x, y: x * y,
    "x > y": lambda xp, n, x, y: x > y,
    "x == y": lambda xp, n, x, y: x == y,
    "x @ y": lambda xp, n, x, y: x @ y,
    "x @ y.mT": lambda xp, n, x, y: x @ y.mT,
    "x.mT @ y": lambda xp, n, x, y: x.mT @ y,
    "maximum(x, y)": lambda xp, n, x, y: xp.maximum(x, y),
    "minimum(x, y)": lambda xp, n, x, y: xp.minimum(x, y),
    "logical_or(x > 0, y > 0)": lambda xp, n, x, y: xp.logical_or(x > 0, y > 0),
    "where(x > y, x, 0.0)": lambda xp, n, x, y: xp.where(x > y, x, 0.0),
    "where(x > 0, 2.0, y)": lambda xp, n, x, y: xp.where(x > 0, 2.0, y),
    "where(x > 0, x, y)": lambda xp, n, x, y: xp.where(x > 0, x, y),
    "concat([x, y])": lambda xp, n, x, y: xp.concat([x, y], axis=-1),
    "concat([x, y], axis=0)": lambda xp, n, x, y: xp.concat([x, y], axis=0),
    "concat([x, gap, y])": lambda xp, n, x, y: xp.concat([x, xp.ones((*x.shape[:-1], n), dtype=x.dtype), y], axis=-1),
    "concat([flat x, flat y])": lambda xp, n, x, y: xp.concat([xp.reshape(x, (-1,)), xp.reshape(y, (-1,))]),
    "concat([x[:n], y[n:]])": lambda xp, n, x, y: xp.concat([x[..., :n], y[..., n:]], axis=-1),
    "concat([x[:n] + y[:n], x[n:]])": lambda xp, n, x, y: xp.concat([x[..., :n] + y[..., :n], x[..., n:]], axis=-1),
    "concat([x[:n] + sum(y), x[n:]])": lambda xp, n, x, y: xp.concat([x[..., :n] + xp.sum(y), x[..., n:]], axis=-1),
    "take(x, y)": lambda xp, n, x, y: xp.take(x, xp.astype(y % x.shape[0], xp.int64) - x.shape[0], axis=0),
    "take(x, y, axis=-1)": lambda xp, n, x, y: xp.take(x, xp.astype(y % x.shape[-1], xp.int64), axis=-1),
    # parts of a vector
    "concat([2 * x[:n], x[n:]])": change(lambda part: 2 * part, keep),
    "concat([x[:n], x[n:] - 1])": change(keep, lambda part: part - 1),
    "concat([2 * x[:n], -x[n:]])": change(lambda part: 2 * part, lambda part: -part),
    "concat([x[:n] + flip(x[:n]), x[n:]])": change(lambda part: part + part[..., ::-1], keep),
    "concat([x[n:], x[:n]])": lambda xp, n, x: xp.concat([x[..., n:], x[..., :n]], axis=-1),
    # with numbers
    "x + 1": lambda xp, n, x: x + 1,
    "2.0 - x": lambda xp, n, x: 2.0 - x,
    "x * True": lambda xp, n, x: x * True,
    "x ** 2": lambda xp, n, x: x if x.dtype == xp.bool else x**2,  # the standard has no powers of bools
    "x % 3": lambda xp, n, x: x % 3,
    "x // 2": lambda xp, n, x: x // 2,
    "x > 0.5": lambda xp, n, x: x > 0.5,
    "bool(x) + 1": lambda xp, n, x: xp.astype(x, xp.bool) + 1,
    # of each number
    "-x": lambda xp, n, x: -x,
    "~bool(x)": lambda xp, n, x: ~xp.astype(x, xp.bool),
    "float(x)": lambda xp, n, x: xp.astype(x, xp.float64),
    "float32(x) * 2": lambda xp, n, x: xp.astype(xp.astype(x % 100, xp.float32) * 2, xp.float64),
    "int(x)": lambda xp, n, x: xp.astype(x, xp.int64),
    "clip(x)": lambda xp, n, x: xp.clip(x, -2, 2),
    "sign(x)": lambda xp, n, x: xp.sign(x),
    "round(9 * tanh(x))": lambda xp, n, x: xp.round(9 * xp.tanh(x)),
    "round(9 * sin(x))": lambda xp, n, x: xp.round(9 * xp.sin(xp.astype(x, xp.float64))),
    "round(9 * cos(x))": lambda xp, n, x: xp.round(9 * xp.cos(xp.astype(x, xp.float64))),
    "where(x > 0, log(x), 0.0)": lambda xp, n, x: xp.round(xp.where(x > 0, xp.log(xp.astype(x, xp.float64)), 0.0)),
    "asarray(x)": lambda xp, n, x: xp.asarray(x),
    # reductions
    "sum(x)": lambda xp, n, x: xp.sum(x),
    "sum(x, axis=-1)": lambda xp, n, x: xp.sum(x, axis=-1),
    "sum(x, axis=-2)": lambda xp, n, x: xp.sum(x, axis=-2),
    "sum(x, axis=-2, keepdims)": lambda xp, n, x: xp.sum(x, axis=-2, keepdims=True),
    "sum(x, axis=(0, -1))": lambda xp, n, x: xp.sum(x, axis=(0, -1)),
    "sum(uint8(x), axis=-1)": lambda xp, n, x: xp.sum(xp.astype(xp.astype(x, xp.bool), xp.uint8) * 200, axis=-1),
    "sum(bool(x), axis=-1)": lambda xp, n, x: xp.sum(xp.astype(x, xp.bool), axis=-1),
    "mean(x, axis=-1)": lambda xp, n, x: xp.round(x.shape[-1] * xp.mean(xp.astype(x, xp.float64), axis=-1)),
    "mean(x, axis=-2, keepdims)": lambda xp, n, x: xp.round(
        x.shape[-2] * xp.mean(xp.astype(x, xp.float64), axis=-2, keepdims=True)
    ),
    "mean(x)": lambda xp, n, x: xp.round(xp.mean(xp.astype(x, xp.float64)) * (8 if x.ndim else 1)),
    "max(x, axis=-1, keepdims)": lambda xp, n, x: xp.max(x, axis=-1, keepdims=True),
    "max(x, axis=-1)": lambda xp, n, x: xp.max(x, axis=-1),
    "min(x, axis=0)": lambda xp, n, x: xp.min(x, axis=0),
    "prod(x)": lambda xp, n, x: xp.prod(x % 3),
    "any(x, axis=-1)": lambda xp, n, x: xp.any(xp.astype(x, xp.bool), axis=-1),
    "all(x)": lambda xp, n, x: xp.all(xp.astype(x, xp.bool)),
    "argmax(x)": lambda xp, n, x: xp.argmax(x, axis=-1),
    "count_nonzero(x)": lambda xp, n, x: xp.count_nonzero(x),
    "cumulative_sum(x)": lambda xp, n, x: xp.cumulative_sum(x, axis=-1),
    # views
    "x[..., :n]": lambda xp, n, x: x[..., :n],
    "x[..., n:]": lambda xp, n, x: x[..., n:],
    "x[:n, ...]": lambda xp, n, x: x[:n, ...],
    "x[n:, ...]": lambda xp, n, x: x[n:, ...],
    "x[0, ...]": lambda xp, n, x: x[0, ...],
    "x[..., -1]": lambda xp, n, x: x[..., -1],
    "x[..., None]": lambda xp, n, x: x[..., None],
    "x[None, ...]": lambda xp, n, x: x[None, ...],
    "x[..., ::n]": lambda xp, n, x: x[..., ::n],
    "x.mT": lambda xp, n, x: x.mT,
    "flip(x, axis=0)": lambda xp, n, x: xp.flip(x, axis=0),
    "reshape(x, (-1,))": lambda xp, n, x: xp.reshape(x, (-1,)),
    "reshape(x, (2, -1))": lambda xp, n, x: xp.reshape(x, (2, -1)),
    "reshape(x, (-1, n))": lambda xp, n, x: xp.reshape(x, (-1, n)),
    "expand_dims(x, axis=1)": lambda xp, n, x: xp.expand_dims(x, axis=1),
    "broadcast_to(x, (n, ...))": lambda xp, n, x: xp.broadcast_to(x, (n, *x.shape)),
    "broadcast_to(x[:1], ...)": lambda xp, n, x: xp.broadcast_to(x[:1, ...], x.shape),
    "roll(x)": lambda xp, n, x: xp.roll(x, n, axis=-1),
    "stack([x, 2 * x])": lambda xp, n, x: xp.stack([x, 2 * x]),
}
"""By text, functions of the namespace, a number from 1 to 3, and one or two arrays."""

SHAPES = [(), (4,), (4,), (6,), (1, 4), (4, 1), (4, 4), (4, 4), (2, 4), (6, 4), (4, 6), (2, 4, 4)]
DTYPES = ["float64"] * 6 + ["int64", "bool"]


class Drawn(NamedTuple):
    """A step, what to call a loop of it with, and how it reads."""

    step: Callable[[Any, Any, Any], Any]
    carry: tuple
    shared: tuple
    rows: tuple
    text: str

    def __repr__(self) -> str:
        return self.text


@st.composite
def arrays(draw: st.DrawFn, least: int, most: int, steps: tuple[int, ...] = ()) -> tuple:
    """Arrays of numbers from -3 to 3."""

    def one(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
        return np.asarray(np.random.default_rng(seed).integers(-3, 4, (*steps, *shape))).astype(dtype)

    kinds = st.builds(one, st.sampled_from(SHAPES), st.sampled_from(DTYPES), st.integers(0, 9))
    return tuple(draw(st.lists(kinds, min_size=least, max_size=most)))


@st.composite
def steps(draw: st.DrawFn, most: int = 24) -> Drawn:
    """A step of up to ``most`` operations, which returns any arrays shaped like its carry's, and some of any shape."""
    carry, shared, rows = draw(arrays(1, 3)), draw(arrays(0, 2)), draw(arrays(1, 2, steps=(3,)))
    inputs = [*carry, *shared, *(row[0, ...] for row in rows)]
    lines: list[tuple[str, int, list[int]]] = []
    values = list(inputs)
    for _ in range(draw(st.integers(1, most))):
        name, n = draw(st.sampled_from(list(OPERATIONS))), draw(st.integers(1, 3))
        operands = [len(values) - 1 - draw(st.integers(0, len(values) - 1)) for _ in range(arity(name))]
        try:
            value = apply(name, n, [values[i] for i in operands])
        except (ValueError, TypeError, IndexError, AttributeError):  # it does not fit these shapes or dtypes
            continue
        if 0 < value.size < 100:
            values.append(value)
            lines.append((name, n, operands))
    assume(lines)
    outputs = [draw(st.sampled_from(alike(values, old))) for old in carry]
    watched = [len(values) - 1, *draw(st.lists(st.integers(len(inputs), len(values) - 1), max_size=3))]

    def everything(carry: tuple, shared: tuple, row: tuple) -> list[Any]:
        values = [*carry[: len(outputs)], *shared, *row]
        for name, n, operands in lines:
            values.append(apply(name, n, [values[i] for i in operands]))
        return values

    def step(carry: tuple, shared: tuple, row: tuple) -> tuple:
        values = everything(carry, shared, row)
        return tuple(values[i] for i in (*outputs, *watched))

    ahead = *carry, *(np.zeros_like(values[i]) for i in watched)
    drawn = Drawn(step, ahead, shared, rows, "")
    for i in [0, 1, 2] * 2:
        row = tuple(row[i, ...] for row in rows)
        assume(all(np.all(np.abs(np.asarray(value, float)) < LARGEST) for value in everything(ahead, shared, row)))
        ahead = step(ahead, shared, row)
    text = [f"carry={carry}", f"shared={shared}", f"rows={rows}"]
    text += [f"v{len(inputs) + i} = {name}, n={n}, of {operands}" for i, (name, n, operands) in enumerate(lines)]
    text += [f"return {outputs}, {watched}"]
    return drawn._replace(text="\n".join(text))


def alike(values: list[Any], old: Any) -> list[int]:
    """Where there are values of the same shape and dtype, the newest first."""
    return [i for i in reversed(range(len(values))) if (values[i].shape, values[i].dtype) == (old.shape, old.dtype)]


def arity(name: str) -> int:
    return OPERATIONS[name].__code__.co_argcount - 2


def apply(name: str, n: int, operands: list[Any]) -> Any:
    with np.errstate(all="ignore"):
        return OPERATIONS[name](array_namespace(*operands), n, *operands)
