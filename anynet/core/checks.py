"""Checks of arguments, and parts of error messages."""

import difflib
import inspect
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from numbers import Real
from typing import Any

import numpy as np


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the end of an error message about an unknown name: similar names, or all if none is similar.

    Parameters
    ----------
    name : str
        Unknown name.
    names : iterable of str
        Known names.

    Returns
    -------
    str
        At most three similar names.

    Examples
    --------
    >>> nearest("zzz", ["relu", "tanh"])
    '; there are "relu", "tanh"'
    >>> nearest("rleu", ["relu", "tanh"])
    '; did you mean "relu"?'
    """
    names = sorted(names)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return "; did you mean " + " or ".join(f'"{c}"' for c in close) + "?"
    return "; there are " + ", ".join(f'"{n}"' for n in names)


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """Return a text about the names that have different values in two mappings.

    Parameters
    ----------
    there, here : mapping of str to object
        Values by name; None, or a missing name, stands for "not given".

    Returns
    -------
    str
        Empty if there is no difference.

    Examples
    --------
    >>> differences({"lr": 0.1, "val": "1000", "seed": 1}, {"lr": 0.2, "val": None, "seed": 1})
    "lr is 0.1 there and 0.2 here; val is '1000' there and not given here"
    """

    def said(value: Any) -> str:
        return "not given" if value is None else repr(value)

    pairs = {name: (there.get(name), here.get(name)) for name in sorted(there.keys() | here.keys())}
    return "; ".join(f"{name} is {said(a)} there and {said(b)} here" for name, (a, b) in pairs.items() if a != b)


def describe(value: Any) -> str:
    """Return text for the "got ..." of an error message: the value if it is short, otherwise its type.

    Parameters
    ----------
    value : object
        Unexpected argument.

    Returns
    -------
    str

    Examples
    --------
    >>> describe("yes"), describe(int), describe([1.5])
    ("'yes'", 'the class int', 'a list')
    """
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if value is None or (isinstance(value, str | bytes | Real) and len(repr(value)) < 80):
        return repr(value)
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def whole_number(name: str, value: Any) -> int:
    """Return a whole number as int.

    Parameters
    ----------
    name : str
        Name in the error message.
    value : int or NumPy integer
        Number.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        If it is anything else, such as 3.0 or True.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected a whole number, got {describe(value)}") from None


def real_number(name: str, value: Any) -> float:
    """Return a number as float.

    Parameters
    ----------
    name : str
        Name in the error message.
    value : int, float or NumPy number
        Number.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If it is anything else, such as True.
    ValueError
        If it is a whole number beyond the floating-point numbers.
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name}: expected a number, got {describe(value)}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name}: expected a number below 1.8e308, got {describe(value)}") from None


def true_or_false(name: str, value: Any) -> bool:
    """Return a truth value as bool.

    Parameters
    ----------
    name : str
        Name in the error message.
    value : bool or NumPy bool
        Truth value.

    Returns
    -------
    bool

    Raises
    ------
    TypeError
        If it is anything else, such as 1.
    """
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name}: expected True or False, got {describe(value)}")
    return bool(value)


@cache
def takes_keyword(function: Callable[..., Any], name: str) -> bool:
    """Return True if a function has a parameter of this name or ``**kwargs``.

    Parameters
    ----------
    function : callable
    name : str

    Returns
    -------
    bool
    """
    parameters = inspect.signature(function).parameters
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def store(instance: object, name: str, value: Any) -> None:
    """Set an attribute of a frozen dataclass, as ``__post_init__`` may: the converted value of a setting.

    Parameters
    ----------
    instance : object
        Instance of a frozen dataclass.
    name : str
        Name of the attribute.
    value : object
        Value of the attribute.
    """
    object.__setattr__(instance, name, value)


def store_not_negative(instance: object, *names: str) -> None:
    """Store settings of a frozen dataclass as float.

    Parameters
    ----------
    instance : object
        Instance of a frozen dataclass.
    *names : str
        Names of settings.

    Raises
    ------
    TypeError, ValueError
        If one is no number, negative or not finite.
    """
    for name in names:
        value = real_number(f"{instance}: {name}", getattr(instance, name))
        if not 0 <= value < math.inf:
            raise ValueError(f"{instance}: expected {name} finite, 0 or more")
        store(instance, name, value)
