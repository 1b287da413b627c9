"""Data sets made of arrays: labels become class numbers, and a part may be split off for validation."""

from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from anynet.backends import to_library_of, to_numpy
from anynet.core.checks import real_number
from anynet.core.seeding import Purpose, generator
from anynet.core.typing import Array
from anynet.data.array_like import as_features
from anynet.data.dataset import ARRAYS, Dataset
from anynet.data.labels import Targets
from anynet.data.samples import Split
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
    name: str = ARRAYS,
) -> Dataset:
    """Make a data set of arrays.

    Parameters
    ----------
    x : array_like, shape (N, *shape)
        Samples, as for `Split`. Arrays of NumPy, CuPy, PyTorch and JAX stay where they are; lists, tables of pandas
        and the like are converted by ``numpy.asarray``, columns by position.
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
    >>> x = [[0.5, 1.0], [0.1, 3.0], [0.2, 1.0], [0.7, 3.5]]
    >>> data = from_arrays(x, ["cat", "dog", "cat", "dog"], val=0.5)
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
    targets = Targets.of(y)
    own = None if weights is None else to_numpy(as_features("weights", weights)).astype(np.float64)
    own = None if own is None else to_library_of(own, targets.y)
    train, other = Split(as_features("x", x), targets.y, shape, own), None
    if x_val is not None:
        other = Split(as_features("x_val", x_val), targets.of_validation(y_val), shape)
    elif fraction:
        train, other = _divided(train, fraction, len(targets.classes), seed)
    return Dataset(name, targets.classes, train, other)


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
