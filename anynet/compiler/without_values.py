"""Results of recorded operations on large arrays, which have a shape and a dtype, but neither values nor memory.

A record needs no values but those of constants. Large results are arrays of one element that is repeated along all
axes; an elementwise operation is done with the first element of its arguments, a matrix product with none.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_numpy_array, is_torch_array

from anynet.compiler.ops import OPERATIONS
from anynet.core.tree import flatten
from anynet.core.typing import Array, DType

LARGE = 1 << 16
"""Number of elements of an array from which on it has a stand-in."""

_REDUCTIONS = {"sum", "mean", "prod", "max", "min", "any", "all", "var", "std"}


def stand_in(like: Array, shape: Sequence[int], dtype: DType) -> Array:
    """Return zeros of a shape, which are one element in memory, on the device of an array."""
    xp = array_namespace(like)
    zero = xp.zeros((1,) * len(shape), dtype=dtype, device=device(like))
    array: Array = xp.broadcast_to(zero, tuple(shape))
    return array


def compute(name: str, function: Callable[..., Any], args: Any, kwargs: Any, arrays: Sequence[Array]) -> Any:
    """Return the result of an operation, or a stand-in for it if an array is large.

    Parameters
    ----------
    name : str
        Name of the operation in the array API standard.
    function : callable
    args, kwargs : tuple, dict
        Its arguments.
    arrays : sequence of array
        Arrays among the arguments.

    Returns
    -------
    array, or what else the function returns

    Raises
    ------
    Exception
        What the function raises for these shapes and dtypes.
    """
    if max(map(_size, arrays), default=0) < LARGE or not all(is_numpy_array(a) or is_torch_array(a) for a in arrays):
        result = function(*args, **kwargs)
    else:
        with np.errstate(all="ignore"):  # of values that do not matter
            result = _without_values(name, function, args, kwargs, arrays)
    if (is_numpy_array(result) or is_torch_array(result)) and _size(result) >= LARGE:
        return stand_in(result, result.shape, result.dtype)
    return result


def _without_values(name: str, function: Callable[..., Any], args: Any, kwargs: Any, arrays: Sequence[Array]) -> Any:
    if name in OPERATIONS and name != "take":
        shape = _broadcast([tuple(array.shape) for array in arrays])
        if shape is not None:
            leaves, rebuild = flatten((args, kwargs))
            few, more = rebuild([_first(leaf) if _is_one_of(leaf, arrays) else leaf for leaf in leaves])
            result = function(*few, **more)
            return stand_in(result, shape, result.dtype)
    if name == "matmul" and not kwargs and all(array.ndim > 1 for array in arrays):
        a, b = args
        ahead = _broadcast([tuple(a.shape[:-2]), tuple(b.shape[:-2])])
        if a.shape[-1] == b.shape[-2] and ahead is not None:
            result = function(_first(a)[..., :0], _first(b)[..., :0, :])  # a sum of nothing
            return stand_in(result, (*ahead, a.shape[-2], b.shape[-1]), result.dtype)
    if name in _REDUCTIONS and len(args) == 1 and args[0].ndim:
        x, axis = args[0], kwargs.get("axis")
        axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        if all(-x.ndim <= a < x.ndim for a in axes):
            reduced = {a % x.ndim for a in axes}
            return function(x[tuple(slice(0, 1 if a in reduced else None) for a in range(x.ndim))], **kwargs)
    return function(*args, **kwargs)


def _size(array: Array) -> int:
    return math.prod(array.shape)


def _first(array: Array) -> Array:
    """Return the first element of an array on each axis, with all axes."""
    return array[(slice(0, 1),) * array.ndim]


def _is_one_of(leaf: Any, arrays: Sequence[Array]) -> bool:
    return any(leaf is array for array in arrays)


def _broadcast(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...] | None:
    """Return the shape that arrays are broadcast to; None if they cannot be."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return None
