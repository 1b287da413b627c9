"""Random generators that a function can reach.

A function whose generators have another state after a call is not pure, even if the numbers that it drew made no
difference, such as in ``if rng.random() < 0.5``.
"""

import random
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
from array_api_compat import is_array_api_obj

_LEAVES = (str, bytes, int, float, complex, type, ModuleType)
_LIBRARIES = ("site-packages", "dist-packages", Path(random.__file__).parent.name)

GLOBAL = 2
"""Number of generators of which all threads may draw, the first ones of `generator_states`."""


def generator_states(function: Any) -> list[str]:
    """Return the states of NumPy's and Python's generators that a function can reach.

    Parameters
    ----------
    function : callable
        Closures, attributes, containers and, outside of installed libraries, global variables are searched.

    Returns
    -------
    list of str
        In a fixed order, with the global generators of both libraries first.
    """
    states = [repr(random.getstate()), repr(_plain(np.random.get_state(legacy=False)))]  # noqa: NPY002
    stack, seen = [function], dict[int, Any]()
    while stack:
        thing = stack.pop()
        if id(thing) in seen or isinstance(thing, _LEAVES) or is_array_api_obj(thing):
            continue
        seen[id(thing)] = thing
        match thing:
            case np.random.Generator():
                states.append(repr(thing.bit_generator.state))
            case np.random.BitGenerator():
                states.append(repr(thing.state))
            case np.random.RandomState():
                states.append(repr(thing.get_state(legacy=False)))
            case random.SystemRandom():
                pass  # it has no state
            case random.Random():
                states.append(repr(thing.getstate()))
            case _:
                stack += _reached(thing)
    return states


def _plain(state: Any) -> Any:
    """Return the state of a generator of NumPy with bytes in place of arrays, which take long to print."""
    if isinstance(state, dict):
        return {name: _plain(value) for name, value in state.items()}
    return state.tobytes() if isinstance(state, np.ndarray) else state


def _reached(thing: Any) -> list[Any]:
    match thing:
        case dict():
            return list(thing.values())
        case list() | tuple() | set() | frozenset():
            return list(thing)
        case partial():
            return [thing.func, thing.args, thing.keywords]
        case MethodType():
            return [thing.__func__, thing.__self__]
        case FunctionType():
            names = [] if _is_library(thing) else _names(thing.__code__)
            variables = [thing.__globals__[name] for name in names if name in thing.__globals__]
            return [*_cells(thing), thing.__defaults__, thing.__kwdefaults__, vars(thing), *variables]
    slots = (name for kind in type(thing).__mro__ for name in vars(kind).get("__slots__", ()))
    methods = (value for kind in type(thing).__mro__ for value in vars(kind).values())
    return [
        *getattr(thing, "__dict__", {}).values(),
        *(getattr(thing, name, None) for name in slots),
        *(method for method in methods if isinstance(method, FunctionType) and not _is_library(method)),
    ]


def _cells(function: FunctionType) -> list[Any]:
    found = []
    for cell in function.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:  # it is empty
            continue
    return found


def _names(code: CodeType) -> list[str]:
    """Return the names of global variables and attributes in a function and in the functions within it."""
    nested = (name for constant in code.co_consts if isinstance(constant, CodeType) for name in _names(constant))
    return [*code.co_names, *nested]


def _is_library(function: FunctionType) -> bool:
    return _in_library(function.__code__.co_filename)


@cache
def _in_library(file: str) -> bool:
    return any(part in _LIBRARIES for part in Path(file).parts)
