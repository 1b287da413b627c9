"""How the error of differences depends on their step."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anynet.core.seeding import Purpose, generator
from anynet.gradcheck.check import lines_of
from anynet.gradcheck.differences import METHODS, Function, Host, Line, Method, StepLostError, difference
from anynet.gradcheck.subjects import Subject
from anynet.gradcheck.values import values_of


def sweep(
    subject: Subject, steps: Sequence[float], *, probes: int = 10, seed: int = 0
) -> dict[str, NDArray[np.float64]]:
    """The relative error of each method by step: a V, of rounding where steps are small, of truncation where large.

    steps: positive numbers. probes: how many elements, or directions, of each array are taken.

    Returns, by method, |a - n| / |a| for every step, with a and n the slopes along all of them, as vectors; NaN where
    the step is lost in rounding, or the gradient is zero. Raises ValueError as ``check`` does.
    """
    if probes < 1 or not all(0 < step < math.inf for step in steps):
        raise ValueError(f"expected positive steps and 1 probe or more, got {list(steps)} and {probes}")
    _, gradients = values_of(subject)
    errors = {}
    for name, method in METHODS.items():
        wrong, size = np.zeros(len(steps)), 0.0
        for i, (array, x) in enumerate(subject.point.items()):
            f = subject.along(array)
            for line in lines_of(method, x, probes, generator(seed, Purpose.CHECK, i)):
                slope = line.along(gradients[array])
                size += slope**2
                wrong += [(_difference(method, f, x, line, h) - slope) ** 2 for h in steps]
        errors[name] = np.sqrt(wrong / size) if size else np.full(len(steps), np.nan)
    return errors


def _difference(method: Method, f: Function, x: Host, line: Line, h: float) -> float:
    try:
        return difference(method, f, x, line, h)
    except StepLostError:
        return math.nan
