"""NumPy's functions for the array API's operations, writing into arrays that are there already."""

from collections.abc import Callable
from functools import partial
from typing import Any

import array_api_compat.numpy as xp
import numpy as np
from numpy.typing import NDArray

from anynet.tracing.graph import Node

Call = tuple[Callable[..., Any], tuple]
"""A function and what to call it with."""

UFUNCS = {name: getattr(np, name) for name in dir(np) if isinstance(getattr(np, name), np.ufunc)}
ELEMENTWISE = frozenset(UFUNCS) - {"matmul", "vecdot", "matvec", "vecmat"} | {"astype", "where", "take"}
REDUCTIONS = {
    "sum": np.add,
    "prod": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
    "all": np.logical_and,
    "any": np.logical_or,
}


def in_place(node: Node) -> bool:
    """Whether the result may be written over an argument of the same shape."""
    if node.op == "where":
        return _is_zero(node.args[2])
    return node.op in ELEMENTWISE and node.op != "take"


def _is_zero(value: Any) -> bool:
    return isinstance(value, int | float) and value == 0


def _product(op: str, x: NDArray[Any], out: NDArray[Any], axis: int, keepdims: bool = False) -> tuple:
    """A sum as a product with a vector, which adds up the axis faster than a sum does."""
    n = x.shape[axis]
    weights = np.full(n, 1 if op == "sum" else 1 / n, x.dtype)
    if keepdims:
        out = out[..., 0] if axis == -1 else out[..., 0, :]
    return (x, weights, out) if axis == -1 else (weights, x, out)


def evaluate(node: Node, args: tuple, kwargs: dict[str, Any]) -> NDArray[Any]:
    """The operation as the array API has it: a new array, or a view."""
    if node.op == "getitem":
        array, key = args
        return array[key]
    return np.asarray(getattr(xp, node.op)(*args, **kwargs))


def calls(node: Node, args: tuple, kwargs: dict[str, Any], out: NDArray[Any]) -> list[Call]:
    """What to call so that ``out`` holds the operation's result."""
    op = node.op
    if op in UFUNCS and not kwargs:
        dtype = next(a.dtype for a in args if isinstance(a, np.ndarray))
        arrays = tuple(a if isinstance(a, np.ndarray) else np.asarray(a, dtype) for a in args)
        if op in ("maximum", "minimum"):  # which take no third array
            return [(partial(UFUNCS[op], out=out), arrays)]
        return [(UFUNCS[op], (*arrays, out))]
    match op, args:
        case "astype", (x, *_):
            return [(np.copyto, (out, x, "unsafe"))]
        case "take", (x, index):  # any other mode than "clip" goes through a copy
            return [(x.take, (index, kwargs["axis"], out, "clip"))]
        case "where", (condition, x, y):
            if _is_zero(y):  # a product is many times faster than a choice
                return [(np.multiply, (x, condition, out))]
            return [(np.copyto, (out, y)), (np.copyto, (out, x, "same_kind", condition))]
        case "concat", (parts,):
            axis, start, found = kwargs["axis"], 0, []
            for part in parts:
                stop = start + part.shape[axis]
                found.append((np.copyto, (np.moveaxis(np.moveaxis(out, axis, 0)[start:stop], 0, axis), part)))
                start = stop
            return found
        case (("sum" | "mean"), (x,)) if x.ndim > 1 and kwargs.get("axis") in (-1, -2):
            return [(np.matmul, _product(op, x, out, **kwargs))]
        case "max", (x,) if x.ndim > 1 and kwargs.get("axis") == -1 and x.shape[-1] < x.shape[-2]:
            # Short rows are compared fastest column by column.
            columns = np.empty((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)
            flat = out[..., 0] if kwargs.get("keepdims") else out
            return [(np.copyto, (columns, x.mT)), (np.maximum.reduce, (columns, -2, None, flat))]
        case "mean", (x,):
            axis = kwargs.get("axis")
            reduce = partial(np.add.reduce, keepdims=kwargs.get("keepdims", False))
            return [(reduce, (x, axis, None, out)), (np.multiply, (out, np.asarray(out.size / x.size, x.dtype), out))]
    if op in REDUCTIONS and set(kwargs) <= {"axis", "keepdims"}:
        reduce = partial(REDUCTIONS[op].reduce, keepdims=kwargs.get("keepdims", False))
        return [(reduce, (args[0], kwargs.get("axis"), None, out))]

    def plain() -> None:
        np.copyto(out, evaluate(node, args, kwargs))

    return [(plain, ())]
