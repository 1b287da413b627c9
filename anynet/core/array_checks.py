"""Checks of arrays: one library, one dtype, one device; finite values."""

import numpy as np
from array_api_compat import array_namespace, device

from anynet.core.typing import Array, ConcreteArray

ROWS = 4096
"""Number of rows that are looked at together."""


def check_same_device(**arrays: Array) -> None:
    """Check that arrays are of the same library and on the same device.

    Parameters
    ----------
    **arrays : array
        At least one, by the names that the error message uses.

    Raises
    ------
    TypeError
        If one is not an array, or libraries differ.
    ValueError
        If devices differ.
    """
    (first, one), *others = arrays.items()
    library = _library(first, one)
    for name, other in others:
        # Types are compared first, because that is fast: this runs in every step.
        if type(other) is not type(one) and _library(name, other) != library:
            raise TypeError(
                f"{first} is an array of {library}, {name} one of {_library(name, other)}: "
                f"bring both to one library, for instance with anynet.backend(...).put"
            )
        here, there = device(one), device(other)
        if here != there and None not in (here, there):  # None: unknown while JAX traces
            raise ValueError(f"{first} is on device {here}, {name} on {there}: bring both to one device")


def check_same_dtype(**arrays: Array) -> None:
    """Check that arrays are of the same library and dtype, and on the same device.

    Parameters
    ----------
    **arrays : array
        At least one, by the names that the error message uses.

    Raises
    ------
    TypeError
        If one is not an array, or libraries or dtypes differ.
    ValueError
        If devices differ.
    """
    check_same_device(**arrays)
    (first, one), *others = arrays.items()
    for name, other in others:
        if other.dtype != one.dtype:
            raise TypeError(f"{name}: expected the dtype of {first}, {one.dtype}, got {other.dtype}; cast one of them")


def _library(name: str, array: Array) -> str:
    try:
        namespace: str = array_namespace(array).__name__
    except TypeError:
        raise TypeError(f"{name}: expected an array of a library, got {type(array).__name__}") from None
    return namespace.removeprefix("array_api_compat.")


def check_finite(name: str, array: Array, dtype: str | None = None) -> None:
    """Check that an array has neither NaN nor infinity.

    Parameters
    ----------
    name : str
        Name in the error message.
    array : array
        Of any real dtype.
    dtype : {"float32", "float64"}, optional
        Dtype that it is to be converted to.

    Raises
    ------
    ValueError
        If it has one, or a number that is too large for `dtype`; the message names the index of the first.
    """
    xp = array_namespace(array)
    if not xp.isdtype(array.dtype, "real floating"):
        return
    largest = None
    if dtype is not None and np.finfo(dtype).bits < xp.finfo(array.dtype).bits:
        largest = float(np.finfo(dtype).max)
    for start in range(0, array.shape[0], ROWS):
        rows: ConcreteArray = array[start : min(start + ROWS, array.shape[0]), ...]
        finite: ConcreteArray = xp.isfinite(rows) if largest is None else xp.abs(rows) <= largest
        if not bool(xp.all(finite)):
            flat: ConcreteArray = xp.reshape(xp.astype(finite, xp.int32), (-1,))
            first: ConcreteArray = xp.argmin(flat)
            place = int(first)
            row, *others = map(int, np.unravel_index(place, rows.shape))
            value: ConcreteArray = xp.reshape(rows, (-1,))[place]
            where = ", ".join(map(str, (start + row, *others)))
            kind = "finite numbers" if largest is None or not np.isfinite(float(value)) else f"numbers that {dtype} has"
            raise ValueError(f"{name}: expected {kind}, got {float(value)} at index {where}")
