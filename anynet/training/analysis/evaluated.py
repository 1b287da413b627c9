"""Samples to analyse predictions of, and a net's predictions for them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from anynet.backends import to_numpy
from anynet.core.checks import describe
from anynet.core.typing import Array
from anynet.data.dataset import Label
from anynet.data.samples import Split
from anynet.training.given import as_samples
from anynet.training.predictor import BLOCK, Predictor
from anynet.training.score import class_numbers, numbers

NAMES = {"test": "test", "val": "validation"}
"""Names of the samples that a run remembers, and the words for them."""

EXPECTED = 'split: expected "test", "val", a Split or (x, y)'


class Given(NamedTuple):
    """Samples with their targets.

    Attributes
    ----------
    split : str
        "test", "val" or "given".
    x : array_like
        Samples.
    y : array_like
        Class numbers or numbers of a `Split`, otherwise labels or numbers.
    own : Split or None
        The split that they are of.
    """

    split: str
    x: Any
    y: Any
    own: Split | None = None

    @property
    def kind(self) -> str:
        """Word for the samples: "test", "validation" or "given"."""
        return NAMES.get(self.split, self.split)


class Classified(NamedTuple):
    """A net's classes for samples.

    Attributes
    ----------
    given : Given
        The samples.
    classes : tuple of str, int or bool
        Labels of the classes.
    truth, predicted : ndarray of int, shape (N,)
        Class numbers: the right one, and that of the highest probability.
    probability, true_probability : ndarray of float64, shape (N,)
        Of the predicted class, and of the right one.
    """

    given: Given
    classes: tuple[Label, ...]
    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probability: NDArray[np.float64]
    true_probability: NDArray[np.float64]


class Predicted(NamedTuple):
    """A net's numbers for samples.

    Attributes
    ----------
    given : Given
        The samples.
    truth, predicted : ndarray of float64, shape (N, m)
    """

    given: Given
    truth: NDArray[np.float64]
    predicted: NDArray[np.float64]


class LastEvaluated:
    """A net's predictions for the split that was asked for last, which several analyses share.

    Those of arrays ``(x, y)``, which may change, are made each time.

    Parameters
    ----------
    predictor : Predictor
        The net, compiled for predictions.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor, self._last = predictor, list[Classified | Predicted]()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._predictor,)

    def __call__(self, split: Any, remembered: Mapping[str, Split]) -> Classified | Predicted:
        """Return the predictions; see `find_samples` and `evaluate_given`."""
        given = find_samples(split, remembered)
        for last in self._last:
            if given.own is not None and given.own is last.given.own:
                return last._replace(given=given)
        found = evaluate_given(self._predictor, given)
        self._last = [found]
        return found


def find_samples(split: Any, remembered: Mapping[str, Split]) -> Given:
    """Return the samples that an argument `split` names or holds.

    Parameters
    ----------
    split : str, Split, tuple or None
        "test", "val", a `Split`, or ``(x, y)``; None for the test samples or, if there are none, the validation
        samples.
    remembered : mapping from str to Split
        Samples of the training by name.

    Returns
    -------
    Given

    Raises
    ------
    TypeError, ValueError
        If it is something else, or there are no such samples.
    """
    if isinstance(split, Split):
        return Given("given", _shaped(split), split.y, split)
    if isinstance(split, tuple) and len(split) == 2:
        return Given("given", *split)
    if split is not None and not isinstance(split, str):
        raise TypeError(f"{EXPECTED}, got {describe(split)}")
    if split is not None and split not in NAMES:
        raise ValueError(f'{EXPECTED}, got "{split}"')
    name = split or next((name for name in NAMES if name in remembered), "test")
    if name not in remembered:
        reason = f"without {NAMES[name]} samples" if remembered else "without any, or loaded from a file"
        raise ValueError(f"split: expected a Split or (x, y), since the net was trained {reason}")
    return find_samples(remembered[name], {})._replace(split=name)


def _shaped(split: Split) -> Array:
    """Return the samples of a split in their own shape, so that those of another shape are refused."""
    x, xp = split.x, array_namespace(split.x)
    shaped: Array = xp.reshape(x, (x.shape[0], *split.shape))
    return shaped


def evaluate_given(predictor: Predictor, given: Given) -> Classified | Predicted:
    """Return a net's predictions for samples, made in blocks.

    Parameters
    ----------
    predictor : Predictor
    given : Given

    Returns
    -------
    Classified or Predicted

    Raises
    ------
    TypeError, ValueError
        If samples or targets are of another kind or shape, there are none, or a prediction is not finite.
    """
    x = as_samples(given.x, predictor.shape, predictor.input_dtype)
    if not x.shape[0]:
        raise ValueError("split: expected a sample or more, got none")
    if not predictor.classes:
        found = _finite(_rows(predictor.predict(x)))
        truth = _rows(numbers(given.y))
        if truth.shape != found.shape:
            raise ValueError(f"y: expected numbers of shape {found.shape}, got {truth.shape}")
        return Predicted(given, truth, found)
    y = _class_numbers(given, predictor.classes)
    if y.shape != (x.shape[0],):
        raise ValueError(f"y: expected {x.shape[0]} labels, one for each sample, got shape {y.shape}")
    n = 1 << (max(1, BLOCK // len(predictor.classes)).bit_length() - 1)  # whole blocks of the predictor's
    parts = [_of_block(predictor, x[start : start + n, ...], y[start : start + n]) for start in range(0, len(y), n)]
    return Classified(given, predictor.classes, y, *(np.concatenate(part) for part in zip(*parts, strict=True)))


def _of_block(predictor: Predictor, x: Array, y: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
    """Return the predicted classes, their probabilities, and those of the right classes."""
    chances = _finite(to_numpy(predictor.predict_proba(x)).astype(np.float64))
    predicted, every = chances.argmax(axis=1), np.arange(len(y))
    return predicted, chances[every, predicted], chances[every, y]


def _class_numbers(given: Given, classes: tuple[Label, ...]) -> NDArray[np.int64]:
    """Return class numbers: those of a split as they are, otherwise those of labels."""
    if given.own is None:
        return class_numbers(given.y, classes).astype(np.int64)
    y = to_numpy(given.y)
    if y.dtype.kind not in "iu":
        raise TypeError(f"y: expected class numbers, as the net gives classes, got {y.dtype}")
    if y.size and not 0 <= y.min() <= y.max() < len(classes):
        raise ValueError(f"y: expected class numbers, 0 to {len(classes) - 1}, got {y.min()} to {y.max()}")
    return y.astype(np.int64)


def _rows(values: Any) -> NDArray[np.float64]:
    host = to_numpy(values).astype(np.float64)
    return host.reshape(len(host), -1)


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    if not np.isfinite(values).all():
        raise ValueError("the net's outputs for some samples are not finite; its parameters may be too large")
    return values
