"""Labels of samples: what becomes of integers, texts and booleans, and of numbers to predict."""

from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from anynet.backends import to_library_of, to_numpy
from anynet.core.typing import ConcreteArray
from anynet.data.array_like import as_array
from anynet.data.dataset import Label
from anynet.data.samples import as_signed, is_numbers

KINDS = {"booleans": bool | np.bool, "integers": int | np.integer, "texts": str, "floats": float | np.floating}
"""Types of labels, and of numbers to predict."""

LARGEST = 2**63 - 1
"""Largest label that is an integer: those of int64."""


class Targets(NamedTuple):
    """Targets of training samples: numbers, or class numbers with the classes' labels."""

    y: ConcreteArray
    classes: tuple[Label, ...]

    @classmethod
    def of(cls, y: Any) -> "Targets":
        """Return the targets that labels, or numbers, stand for."""
        array = _labels("y", y)
        if _kind(array) == "floats":
            return cls(array, ())
        if isinstance(array, np.ndarray):
            unique, numbers = np.unique(array, return_inverse=True)
            classes = tuple(unique.tolist())
        else:
            xp = array_namespace(array)
            plain = xp.astype(array, xp.uint8) if array.dtype == xp.bool else array
            unique = xp.sort(xp.unique_values(plain))
            numbers = xp.searchsorted(unique, plain)
            classes = tuple((int if plain is array else bool)(value) for value in to_numpy(unique).tolist())
        if len(classes) < 2:
            got = f"{classes[0]!r} alone" if classes else "none"
            raise ValueError(f"y: expected labels of 2 classes or more, got {got}; floats are numbers to predict")
        return cls(numbers, classes)

    def of_validation(self, y: Any) -> ConcreteArray:
        """Return the targets of validation samples, whose labels must be among those of training."""
        array = _labels("y_val", y)
        got = _kind(array)
        if not self.classes or got == "floats":
            return array
        expected = _kind_of(type(self.classes[0]))
        if got != expected:
            raise TypeError(f"y_val: expected {expected}, as y, got {got}")
        numbers = {label: k for k, label in enumerate(self.classes)}
        host = (array if isinstance(array, np.ndarray) else to_numpy(array)).tolist()
        unknown = next((label for label in host if label not in numbers), None)
        if unknown is not None:
            raise ValueError(f"y_val: expected labels that y has too, got {unknown!r}, which no training sample has")
        return to_library_of(np.asarray([numbers[label] for label in host], np.int64), array)


def _labels(name: str, value: Any) -> ConcreteArray:
    """Return labels, all integers, texts or booleans, or numbers to predict."""
    array = as_array(name, value)
    if isinstance(array, np.ndarray):
        if array.dtype.kind == "O" or isinstance(value, list | tuple):
            array = _of_objects(name, array, value)
        if array.dtype.kind not in "biufUT":
            raise TypeError(f"{name}: expected integers, texts or booleans as labels, or floats, got {array.dtype}")
        ravel = f"numpy.ravel({name})"
    else:
        ravel = f"{name}.ravel()"
        array = as_signed(array)
    if _kind(array) != "floats" and array.ndim != 1:
        way = f"{ravel} makes it one" if array.ndim == 2 and array.shape[1] == 1 else "floats may have more axes"
        raise ValueError(f"{name}: expected one label for each sample, shape (N,), got {tuple(array.shape)}; {way}")
    _check_range(name, array)
    return array


def _of_objects(name: str, array: NDArray[Any], value: Any) -> NDArray[Any]:
    """Return labels that were Python objects, one by one. NumPy makes texts of all, or integers of booleans."""
    items = array.ravel().tolist() if array.dtype.kind == "O" or array.ndim != 1 else value
    kinds = {_kind_of(each) for each in {type(each) for each in items}}
    if array.dtype.kind != "O" and not kinds <= KINDS.keys():
        return array  # numbers of a library, or of other shapes, which are arrays for NumPy
    if (len(kinds) != 1 and kinds != {"integers", "floats"}) or not kinds <= KINDS.keys():
        got = " and ".join(sorted(kinds)) or "none"
        raise TypeError(f"{name}: expected labels of one kind, integers, texts or booleans, or floats, got {got}")
    if kinds == {"texts"} and (bad := next((each for each in items if "\0" in each), None)) is not None:
        raise ValueError(f"{name}: expected printable characters in labels, got {bad!r}")
    if kinds == {"integers"} and not all(-LARGEST - 1 <= each <= LARGEST for each in items):
        raise ValueError(f"{name}: expected integers of 64 bits as labels, got larger ones; texts may be longer")
    return np.asarray(array.tolist()) if array.dtype.kind == "O" else array


def _kind_of(label: type) -> str:
    return next((name for name, kind in KINDS.items() if issubclass(label, kind)), label.__name__)


def _kind(array: ConcreteArray) -> str:
    if isinstance(array, np.ndarray):
        return {"b": "booleans", "f": "floats", "U": "texts", "T": "texts"}.get(array.dtype.kind, "integers")
    xp = array_namespace(array)
    return "floats" if is_numbers(array) else "booleans" if array.dtype == xp.bool else "integers"


def _check_range(name: str, array: ConcreteArray) -> None:
    """Refuse integers that int64 lacks, in which predictions are."""
    large = isinstance(array, np.ndarray) and array.dtype == np.uint64 and array.size and int(array.max()) > LARGEST
    if large:
        raise ValueError(f"{name}: expected integers of 64 bits as labels, got larger ones; texts may be longer")
