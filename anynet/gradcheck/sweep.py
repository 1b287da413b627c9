"""How the error of differences depends on their step."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anynet.gradcheck.check import lines_of, values_of
from anynet.gradcheck.differences import METHODS, Host, difference
from anynet.gradcheck.subjects import Subject
from anynet.seeding import Purpose, generator


def sweep(
    subject: Subject, steps: Sequence[float], *, probes: int = 10, seed: int = 0
) -> dict[str, NDArray[np.float64]]:
    """The relative error of each method by step: a V, of rounding where steps are small, of truncation where large.

    steps: positive numbers. probes: how many elements, or directions, of each array are taken.

    Returns, by method, |a - n| / |a| for every step, with a and n the slopes along all of them, as vectors.
    """
    point, (_, gradients) = subject.point, values_of(subject)
    errors = {}
    for name, method in METHODS.items():
        wrong, size = np.zeros(len(steps)), 0.0
        for i, (array, x) in enumerate(point.items()):

            def f(moved: Host, array: str = array) -> Host:
                return subject.value({**point, array: moved})

            for line in lines_of(method, x, probes, generator(seed, Purpose.CHECK, i)):
                slope = line.along(gradients[array])
                size += slope**2
                wrong += [(difference(method, f, x, line, h) - slope) ** 2 for h in steps]
        errors[name] = np.sqrt(wrong / size)
    return errors
