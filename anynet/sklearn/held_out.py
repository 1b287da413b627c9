"""Samples that a training leaves out, to validate the net with them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from anynet.core.typing import Array, Arrays
from anynet.nn import Sequential
from anynet.sklearn.input_arrays import to_host
from anynet.sklearn.net_fits import Course

Score = Callable[[NDArray[Any], NDArray[Any], NDArray[Any] | None], float]
"""``score(y, outputs, weights)`` of targets, outputs of a net and weights of the samples; larger ones are better."""


def hold_out(
    course: Course, net: Sequential, fraction: float, seed: int, score: Score
) -> tuple[NDArray[np.int64], Callable[[Array, Arrays], float]]:
    """Divide the samples of a training into those to train on and those to validate with.

    Parameters
    ----------
    course : Course
    net : Sequential
    fraction : float
        Of the samples that are left out. Classes are in the same proportions in both parts.
    seed : int
        Of the choice.
    score : callable

    Returns
    -------
    rows : ndarray of int64
        Numbers of the samples to train on.
    validate : callable
        ``validate(params, state)`` returns the score on the others.

    Raises
    ------
    ValueError
        If fewer than two samples would be left out, or a class has too few.
    """
    samples, numbers = course.samples, np.arange(course.samples.x.shape[0])
    y = to_host(samples.y)
    stratify = y if y.ndim == 1 else None
    rows, others = train_test_split(numbers, test_size=fraction, random_state=seed % 2**32, stratify=stratify)
    if len(others) < 2:
        raise ValueError(f"val: expected 2 validation samples or more, got {len(others)}; increase val or the data")
    x = samples.x[course.backend.asarray(others), ...]
    weights = None if samples.weights is None else to_host(samples.weights)[others]
    forward = course.backend.compile(net)

    def validate(params: Array, state: Arrays) -> float:
        return score(y[others], course.backend.to_host(forward(params, state, x)), weights)

    return rows, validate
