"""Refusals that name what was expected, what came, and what to do."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from array_api_compat import array_namespace, device

from anynet.core.typing import Array


def nearest(name: str, names: Iterable[str]) -> str:
    """``; did you mean "x"?`` where a name is close, all the names otherwise: the end of an error message.

    >>> nearest("rleu", ["relu", "tanh"])
    '; did you mean "relu"?'
    """
    names = sorted(names)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return "; did you mean " + " or ".join(f'"{c}"' for c in close) + "?"
    return "; there are " + ", ".join(f'"{n}"' for n in names)


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """The names that have other values there than here, with both; None is what is not given.

    >>> differences({"lr": 0.1, "val": "1000", "seed": 1}, {"lr": 0.2, "val": None, "seed": 1})
    "lr is 0.1 there and 0.2 here; val is '1000' there and not given here"
    """

    def said(value: Any) -> str:
        return "not given" if value is None else repr(value)

    pairs = {name: (there.get(name), here.get(name)) for name in sorted(there.keys() | here.keys())}
    return "; ".join(f"{name} is {said(a)} there and {said(b)} here" for name, (a, b) in pairs.items() if a != b)


def check_same_device(**arrays: Array) -> None:
    """Check that arrays are of one library and on one device.

    Raises TypeError that names what is no array, or both libraries; ValueError that names both devices.
    """
    (first, one), *others = arrays.items()
    library = _library(first, one)
    for name, other in others:
        # The type is looked at first, because it is quick: this runs in every step.
        if type(other) is not type(one) and _library(name, other) != library:
            raise TypeError(
                f"{first} is an array of {library}, {name} one of {_library(name, other)}: "
                f"bring both to one library, for instance with anynet.backend(...).asarray"
            )
        here, there = device(one), device(other)
        if here != there and None not in (here, there):  # None: JAX traces, not knowing
            raise ValueError(f"{first} is on device {here}, {name} on {there}: bring both to one device")


def check_same_dtype(**arrays: Array) -> None:
    """Check that arrays are of one library, on one device, and of one dtype.

    Raises what ``check_same_device`` raises, and TypeError that names both dtypes.
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
