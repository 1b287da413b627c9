"""Checks that arrays go together: one library, one dtype, one device."""

from array_api_compat import array_namespace, device

from anynet.core.typing import Array


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
                f"bring both to one library, for instance with anynet.backend(...).asarray"
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
