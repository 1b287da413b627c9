"""Arrays of libraries, and of lists and tables that stand for arrays; or one line that says why others do not."""

from typing import Any

import numpy as np
from array_api_compat import is_array_api_obj

from anynet.backends.exchange import exported
from anynet.core.checks import describe
from anynet.core.formatting import first_line
from anynet.core.typing import ConcreteArray


def as_array(name: str, value: Any) -> ConcreteArray:
    """Return an array of any library; of other values, a NumPy array, if there is one."""
    if is_array_api_obj(value) and not isinstance(value, np.ndarray | np.generic):
        return exported(value, name)  # of a library that is no backend, in NumPy
    if hasattr(value, "toarray"):
        raise TypeError(f"{name}: expected a dense array, got {describe(value)}, which is sparse; {name}.toarray()")
    parts = value if isinstance(value, list | tuple) else ()
    if np.ma.is_masked(value) or any(isinstance(each, np.ma.MaskedArray) and np.ma.is_masked(each) for each in parts):
        raise TypeError(f"{name}: expected numbers or labels for all samples, got a MaskedArray; {name}.filled(...)")
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name}: expected rows of equal lengths, got others in {describe(value)}") from None
    except Exception as error:  # what is in the list may raise anything
        got = f"{describe(value)}, of which numpy.asarray makes none ({first_line(error)})"
        raise TypeError(f"{name}: expected an array, a list or a table, got {got}") from None
    if array.dtype.kind == "O" and not array.ndim:
        raise TypeError(f"{name}: expected an array, a list or a table, got {describe(value)}")
    return array


def as_features(name: str, value: Any) -> ConcreteArray:
    """Return samples, which must be numbers."""
    array = as_array(name, value)
    if not isinstance(array, np.ndarray) or array.dtype.kind in "biuf":
        return array
    if array.dtype.kind in "OUT":
        for index, each in np.ndenumerate(array):
            if not isinstance(each, int | float | np.number | np.bool):
                where = " at index " + ", ".join(map(str, index)) if index else ""
                got = describe(each.item() if isinstance(each, np.generic) else each)
                raise TypeError(f"{name}: expected numbers, got {got}{where}")
        try:
            return array.astype(np.float64)
        except OverflowError:
            raise ValueError(f"{name}: expected numbers below 1.8e308, got larger integers") from None
    raise TypeError(f"{name}: expected integers or floating-point numbers, got {array.dtype}")
