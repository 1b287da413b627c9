"""NumPy's functions for recorded operations, with results written to given arrays."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

import array_api_compat.numpy as xp
import numpy as np
from numpy.typing import NDArray

from anynet.compiler import graph
from anynet.compiler.graph import Args, Kwargs, Node
from anynet.compiler.ops import OPERATIONS, is_mask
from anynet.compiler.target import Call
from anynet.core.typing import DType

LINE = 64
"""Bytes of a cache line."""

BUFFER = 1 << 11
"""Elements of a ufunc's buffers. NumPy copies an argument that is broadcast, such as a bias, if a row fits a buffer.

Larger rows are faster without copies, shorter ones with.
"""

UFUNCS = {name: ufunc for name in OPERATIONS if isinstance(ufunc := getattr(xp, name), np.ufunc)}
UFUNCS["matmul"] = np.matmul
REDUCTIONS = {
    "sum": np.add,
    "mean": np.add,
    "prod": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
    "all": np.logical_and,
    "any": np.logical_or,
}


@contextmanager
def small_buffers() -> Iterator[None]:
    """Context manager that sets the size of ufuncs' buffers, `BUFFER`, in this thread."""
    before = np.setbufsize(BUFFER)
    try:
        yield
    finally:
        np.setbufsize(before)


def empty(shape: tuple[int, ...], dtype: DType) -> NDArray[Any]:
    """Return an uninitialized array that begins with a cache line: unaligned vectors are read and written twice."""
    return _aligned(np.empty, shape, dtype)


def zeros(shape: tuple[int, ...], dtype: DType) -> NDArray[Any]:
    """Return an array of zeros that begins with a cache line, as `empty` does."""
    return _aligned(np.zeros, shape, dtype)


def _aligned(make: Callable[..., NDArray[Any]], shape: tuple[int, ...], dtype: DType) -> NDArray[Any]:
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = make(size + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    return memory[start : start + size].view(dtype).reshape(shape)


def in_place(node: Node) -> bool:
    """Return True if an operation's result may be written over an argument of the same shape and dtype."""
    if node.op == "where":
        return _is_mask(node)
    return node.op in OPERATIONS and OPERATIONS[node.op].in_place


def _is_mask(node: Node) -> bool:
    """Return True if a choice can be computed as a product of integers."""
    return is_mask(node) and node.dtype.kind in "fiub" and node.dtype.itemsize <= 8


def _as_integers(array: NDArray[Any]) -> NDArray[Any]:
    """Return the bits of numbers as integers, because 0 times any integer is 0 and 0 times infinity is NaN."""
    return array.view(f"i{array.itemsize}") if array.dtype.kind == "f" else array


def check_index(table: NDArray[Any], index: NDArray[Any], axis: int | None) -> None:
    """Check the index of a ``take``.

    Parameters
    ----------
    table : ndarray
    index : ndarray of int
    axis : int or None

    Raises
    ------
    IndexError
        NumPy's, if a number is out of bounds.
    """
    if not _is_valid(table, index, axis):
        table.take(index, axis)


def count_valid(table: NDArray[Any], indices: NDArray[Any], axis: int | None) -> int:
    """Return how many indices, the rows of an array, come before the first that is out of bounds."""
    if _is_valid(table, indices, axis):
        return len(indices)
    return next(i for i, index in enumerate(indices) if not _is_valid(table, index, axis))


def _is_valid(table: NDArray[Any], index: NDArray[Any], axis: int | None) -> bool:
    n = table.size if axis is None else table.shape[axis]
    return index.size == 0 or bool(-n <= index.min() and index.max() < n)


def take(table: NDArray[Any], index: NDArray[Any], axis: int | None, out: NDArray[Any]) -> Call:
    """Return the call for ``take`` with an index that has been checked; NumPy's mode "raise" would copy once more."""
    return table.take, (index, axis, out, "wrap")


def _arrays(args: Args) -> Args:
    """Return arguments with Python numbers converted to floating-point arrays, once and not in each call."""
    dtype = next(arg.dtype for arg in args if isinstance(arg, np.ndarray))
    if dtype.kind != "f":
        return args
    return tuple(
        _constant(np.asarray(a, dtype).tobytes(), dtype, ()) if isinstance(a, int | float) else a for a in args
    )


def _repeated(array: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
    """Return a single number as an array of it, because NumPy compares two arrays five times as fast."""
    if not isinstance(array, np.ndarray) or array.ndim or array.flags.writeable:
        return array
    axis = next((k for k in reversed(range(out.ndim)) if math.prod(out.shape[k:]) >= BUFFER), 0)
    return _constant(array.tobytes(), array.dtype, out.shape[axis:])


@lru_cache(maxsize=64)
def _constant(number: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an array of one number that is never written to, so that programs can share it."""
    array = empty(shape, dtype)
    array[...] = np.frombuffer(number, dtype)
    array.flags.writeable = False
    return array


def _reduction(op: str, x: NDArray[Any], out: NDArray[Any], axis: Any = None, keepdims: bool = False) -> list[Call]:
    if x.ndim > 1 and axis in (-1, -2):
        n, flat = x.shape[axis], out
        if keepdims:
            flat = out[..., 0] if axis == -1 else out[..., 0, :]
        if op in ("sum", "mean") and x.dtype == out.dtype and x.dtype.kind == "f":
            # A product with a vector is faster than a sum.
            weights = np.full(n, 1 if op == "sum" else 1 / n, x.dtype)
            return [(np.matmul, (x, weights, flat) if axis == -1 else (weights, x, flat))]
        if op == "max" and axis == -1 and n < x.shape[-2]:
            # Short rows are reduced fastest column by column.
            columns = np.empty((*x.shape[:-2], n, x.shape[-2]), x.dtype)
            return [(np.copyto, (columns, x.mT)), (np.maximum.reduce, (columns, -2, None, flat))]
    found: list[Call] = [(partial(REDUCTIONS[op].reduce, keepdims=keepdims), (x, axis, None, out))]
    if op == "mean":
        found.append((np.multiply, (out, np.asarray(out.size / x.size, x.dtype), out)))
    return found


def evaluate(node: Node, args: Args, kwargs: Kwargs) -> NDArray[Any]:
    """Return the result of an operation, a new array or a view."""
    return np.asarray(graph.evaluate(xp, node, args, kwargs))


def calls(node: Node, args: Args, kwargs: Kwargs, out: NDArray[Any]) -> list[Call]:
    """Return the calls that write the result of an operation to `out`; see `Target.calls`."""
    op = node.op
    match op, args:
        case "pow", (x, int() | float() as n) if n == 2 and x.dtype == out.dtype and out.dtype.kind == "f":
            return [(np.square, (x, out))]  # as ** does
        case (("maximum" | "minimum"), _) if not kwargs:  # which take no third array
            return [(partial(UFUNCS[op], out=out), tuple(_repeated(a, out) for a in _arrays(args)))]
        case _ if op in UFUNCS and not kwargs:
            return [(UFUNCS[op], (*_arrays(args), out))]
        case "astype", (x, *_):
            return [(np.copyto, (out, x, "unsafe"))]
        case "take", (x, np.ndarray() as index) if kwargs.keys() <= {"axis"}:
            axis = kwargs.get("axis")
            return [(check_index, (x, index, axis)), take(x, index, axis, out)]
        case "sum_over_ranks", (x, ranks):
            return [(ranks.sum_into, (x, out))]
        case "where", (condition, x, _) if _is_mask(node):  # a product is many times faster
            return [(np.multiply, (_as_integers(x), condition, _as_integers(out)))]
        case "where", (condition, x, y) if np.asarray(condition).dtype.kind == "b":
            return [(np.copyto, (out, y)), (np.copyto, (out, x, "same_kind", condition))]
        case "concat", (parts,) if isinstance(axis := kwargs.get("axis", 0), int) and len(kwargs) < 2:
            stops = np.cumsum([part.shape[axis] for part in parts])
            places = np.split(out, stops[:-1], axis)
            return [(np.copyto, (place, part)) for place, part in zip(places, parts, strict=True)]
        case _, (x,) if op in REDUCTIONS and kwargs.keys() <= {"axis", "keepdims"}:
            if op != "mean" or (x.size and x.dtype == out.dtype):
                return _reduction(op, x, out, **kwargs)

    def plain() -> None:
        np.copyto(out, evaluate(node, args, kwargs))

    return [(plain, ())]
