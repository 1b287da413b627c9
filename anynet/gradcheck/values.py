"""Evaluation and validation of a subject."""

from collections.abc import Mapping

import numpy as np

from anynet.gradcheck.differences import FloatArray
from anynet.gradcheck.subject import Subject


def evaluate(subject: Subject) -> tuple[FloatArray, Mapping[str, FloatArray]]:
    """Evaluate a subject at its point and validate the result.

    Parameters
    ----------
    subject : Subject

    Returns
    -------
    terms : ndarray
        Terms of the value.
    gradients : dict of str to ndarray
        Gradients with respect to the arrays of the point.

    Raises
    ------
    ValueError
        If an array is empty or not float32 or float64, if a number is not finite, if a second call gives another value,
        if the function modifies its arguments, or if a gradient is missing or has the wrong shape.
    """
    if not subject.point:
        raise ValueError("point: expected one array or more, got none")
    for name, x in subject.point.items():
        if not isinstance(x, np.ndarray) or x.dtype not in (np.float32, np.float64):
            found = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
            raise ValueError(f"{name}: expected a NumPy array of float32 or float64, got {found}")
        _check_finite(name, x)
    before = {name: x.copy() for name, x in subject.point.items()}
    terms = np.array(subject.value(subject.point))
    _check_finite("the value", terms)
    again = np.array(subject.value(subject.point))
    _check_unchanged(subject, before)
    if not np.allclose(again, terms, rtol=1e3 * np.finfo(terms.dtype).eps, atol=0):
        raise ValueError(
            f"the value: expected the same in every call, got {terms.sum()}, then {again.sum()}; a forward that draws "
            f"random numbers or keeps state between calls cannot be checked: take random numbers from its argument rng"
        )
    gradients = {name: np.asarray(gradient) for name, gradient in subject.gradients(subject.point).items()}
    _check_unchanged(subject, before)
    for name, x in subject.point.items():
        if name not in gradients:
            raise ValueError(
                f"gradients: expected one with respect to {name}, got those for {', '.join(gradients) or 'no array'}"
            )
        if gradients[name].shape != x.shape:
            raise ValueError(
                f"the gradient with respect to {name}: expected shape {x.shape}, got {gradients[name].shape}"
            )
        _check_finite(f"the gradient with respect to {name}", gradients[name])
    return terms, gradients


def _check_unchanged(subject: Subject, before: Mapping[str, FloatArray]) -> None:
    for name, x in before.items():
        if not np.array_equal(subject.point[name], x):
            raise ValueError(f"the function modifies its argument {name}; let it work on a copy")


def _check_finite(name: str, x: FloatArray) -> None:
    if x.size == 0:
        raise ValueError(f"{name}: expected one number or more, got shape {x.shape}")
    wrong = np.argwhere(~np.isfinite(x))
    if len(wrong):
        where = tuple(map(int, wrong[0]))
        raise ValueError(f"{name}: expected finite numbers, got {x[where]} at {where}, one of {len(wrong)}")
