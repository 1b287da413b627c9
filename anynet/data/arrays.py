"""Data sets made of arrays: labels become class numbers, and a part may be split off for validation."""

from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, is_array_api_obj
from numpy.typing import NDArray

from anynet.backends import to_library_of, to_numpy
from anynet.core.checks import describe, real_number
from anynet.core.seeding import Purpose, generator
from anynet.core.typing import Array, ConcreteArray
from anynet.data.dataset import Dataset, Label
from anynet.data.samples import Split, is_numbers
from anynet.data.stratified import stratified_order


def from_arrays(
    x: Any,
    y: Any,
    x_val: Any = None,
    y_val: Any = None,
    *,
    val: float = 0.0,
    weights: Any = None,
    shape: tuple[int, ...] = (),
    seed: int = 0,
    name: str = "arrays",
) -> Dataset:
    """Make a data set of arrays.

    Parameters
    ----------
    x : array_like, shape (N, *shape)
        Samples, as for `Split`. Arrays of NumPy, CuPy, PyTorch and JAX stay where they are; lists, tables of pandas
        and the like are converted by ``numpy.asarray``.
    y : array_like, shape (N,) or (N, m)
        Labels, which are integers, texts or booleans, of shape (N,); or floats to predict. The sorted labels that occur
        are the data set's classes.
    x_val, y_val : array_like, optional
        Validation samples, in the same form.
    val : float, default 0
        Fraction of the samples to split off for validation, 0 to below 1: at random, and of each class alike.
    weights : array_like of floats, shape (N,), optional
        Weights of the samples in the loss, 0 or more.
    shape : tuple of int, optional
        Shape of a sample whose values are in one axis.
    seed : int, default 0
        Seed of the split.
    name : str
        Name of the data set in results.

    Returns
    -------
    Dataset

    Raises
    ------
    TypeError, ValueError
        If the arrays do not have numbers of these shapes, labels of one kind and two classes at least, or `val` is out
        of range.

    Examples
    --------
    >>> data = from_arrays([[0.5, 1.0], [0.1, 3.0], [0.2, 1.0], [0.7, 3.5]], ["cat", "dog", "cat", "dog"], val=0.5)
    >>> data, data.classes
    (Dataset('arrays', 2 training and 2 validation samples of shape (2,)), ('cat', 'dog'))
    """
    fraction = real_number("val", val)
    if not 0 <= fraction < 1:
        raise ValueError(f"val: expected a fraction, 0 to below 1, got {val}")
    if (x_val is None) != (y_val is None):
        raise ValueError("x_val and y_val: expected both or neither, got one")
    if fraction and x_val is not None:
        raise ValueError(f"val: expected 0 with validation samples given, got {fraction}")
    targets = _Targets.of(y)
    own = None if weights is None else to_numpy(as_features("weights", weights)).astype(np.float64)
    own = None if own is None else to_library_of(own, targets.y)
    train, other = Split(as_features("x", x), targets.y, shape, own), None
    if x_val is not None:
        other = Split(as_features("x_val", x_val), targets.of_validation(y_val), shape)
    elif fraction:
        train, other = _divided(train, fraction, len(targets.classes), seed)
    return Dataset(name, targets.classes, train, other)


class _Targets(NamedTuple):
    """Targets of training samples: numbers, or class numbers with the classes' labels."""

    y: ConcreteArray
    classes: tuple[Label, ...]

    @classmethod
    def of(cls, y: Any) -> "_Targets":
        """Return the targets that labels, or numbers, stand for."""
        array = _labels("y", y)
        if isinstance(array, np.ndarray):
            if array.dtype.kind == "f":
                return cls(array, ())
            unique, numbers = np.unique(array, return_inverse=True)
            classes = tuple(unique.tolist())
        else:
            if is_numbers(array):
                return cls(array, ())
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
        texts = isinstance(array, np.ndarray) and array.dtype.kind in "UT"
        if not self.classes or (not texts and is_numbers(array)):
            return array
        numbers = {label: k for k, label in enumerate(self.classes)}
        host = to_numpy(array).tolist()
        unknown = next((label for label in host if label not in numbers), None)
        if unknown is not None:
            raise ValueError(f"y_val: expected labels that y has too, got {unknown!r}, which no training sample has")
        return to_library_of(np.asarray([numbers[label] for label in host], np.int64), array)


def _as_array(name: str, value: Any) -> ConcreteArray:
    """Return an array of any library; of other values, a NumPy array."""
    if is_array_api_obj(value) and not isinstance(value, np.ndarray | np.generic):
        return value
    if hasattr(value, "toarray"):
        raise TypeError(f"{name}: expected a dense array, got {describe(value)}, which is sparse; {name}.toarray()")
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name}: expected rows of equal lengths, got others in {describe(value)}") from None
    if np.ma.is_masked(value):
        raise TypeError(f"{name}: expected numbers or labels for all samples, got a MaskedArray; {name}.filled(...)")
    return array


def as_features(name: str, value: Any) -> ConcreteArray:
    """Return samples, which must be numbers."""
    array = _as_array(name, value)
    if not isinstance(array, np.ndarray) or array.dtype.kind in "biuf":
        return array
    if array.dtype.kind in "OUT":
        for index, each in np.ndenumerate(array):
            if not isinstance(each, int | float | np.number | np.bool):
                where = " at index " + ", ".join(map(str, index)) if index else ""
                got = describe(each.item() if isinstance(each, np.generic) else each)
                raise TypeError(f"{name}: expected numbers, got {got}{where}")
        return array.astype(np.float64)
    raise TypeError(f"{name}: expected integers or floating-point numbers, got {array.dtype}")


def _labels(name: str, value: Any) -> ConcreteArray:
    """Return labels, all integers, texts or booleans, or numbers to predict."""
    array = _as_array(name, value)
    if not isinstance(array, np.ndarray):
        return array
    if array.dtype.kind == "O":
        kinds = {type(each) for each in array.ravel().tolist()}
        if kinds not in ({str}, {bool}, {int}, {float}):
            names = " and ".join(sorted(kind.__name__ for kind in kinds)) or "none"
            raise TypeError(f"{name}: expected labels of one kind, integers, texts or booleans, or floats, got {names}")
        array = np.asarray(array.tolist())
    if array.dtype.kind not in "biufUT":
        raise TypeError(f"{name}: expected integers, texts or booleans as labels, or floats, got {array.dtype}")
    if array.dtype.kind != "f" and array.ndim != 1:
        way = f"{name}.ravel() makes it one" if array.ndim == 2 and array.shape[1] == 1 else "floats may have more axes"
        raise ValueError(f"{name}: expected one label for each sample, shape (N,), got {array.shape}; {way}")
    return array


def _divided(split: Split, fraction: float, classes: int, seed: int) -> tuple[Split, Split]:
    """Return the training and the validation samples, each in their order: at random, of each class alike."""
    n = len(split)
    rng = generator(seed, Purpose.SPLIT, 0)
    order = stratified_order(to_numpy(split.y), rng) if classes else rng.permutation(n)
    count = round(fraction * n)
    if not 0 < count < n:
        raise ValueError(f"val: expected a fraction that leaves samples on both sides, got {fraction} of {n} samples")
    chosen = np.zeros(n, bool)
    chosen[order[:count]] = True
    train, val = (_rows(split, np.flatnonzero(mask)) for mask in (~chosen, chosen))
    if classes and len(np.unique(to_numpy(train.y))) < classes:
        raise ValueError(f"val: expected a fraction that leaves samples of each class, got {fraction}: too much")
    return train, val


def _rows(split: Split, rows: NDArray[np.int64]) -> Split:
    def of(array: Array) -> Array:
        if isinstance(array, np.ndarray):
            return array[rows]
        return array_namespace(array).take(array, to_library_of(rows, array), axis=0)

    return Split(of(split.x), of(split.y), split.shape, None if split.weights is None else of(split.weights))
