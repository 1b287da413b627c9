"""Error of difference quotients as a function of their step."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anynet.core.meter import Meter
from anynet.core.seeding import Purpose, generator
from anynet.gradcheck.check import draw_lines
from anynet.gradcheck.differences import METHODS, FloatArray, Function, Line, Method, StepLostError, difference
from anynet.gradcheck.subject import Subject
from anynet.gradcheck.values import evaluate


@np.errstate(all="ignore")
def sweep(
    subject: Subject, steps: Sequence[float], *, probes: int = 10, seed: int = 0, progress: bool | None = False
) -> dict[str, NDArray[np.float64]]:
    """Compute the relative error of each method for a range of steps.

    Over the step the error has the shape of a V: rounding dominates at small steps, truncation at large ones.

    Parameters
    ----------
    subject : Subject
        Function and gradients.
    steps : sequence of float, length S
        Positive.
    probes : int
        Number of elements, or directions, of each array.
    seed : int
        Seed of their random choice.
    progress : bool, optional
        Show which array is compared, as `anynet.fit` shows its epochs.

    Returns
    -------
    dict of str to ndarray, shape (S,)
        By method, ``norm(a - n) / norm(a)`` with the analytical and numerical slopes of all arrays as vectors a and n.
        NaN if rounding reduces the step to zero or if the gradient is zero.

    Raises
    ------
    ValueError
        If a step or the number of probes is not positive, and as `check` does.
    """
    if probes < 1 or not all(0 < step < math.inf for step in steps):
        raise ValueError(f"expected positive steps and 1 probe or more, got {list(steps)} and {probes}")
    _, gradients = evaluate(subject)
    errors = {}
    with Meter(progress, total=len(METHODS) * len(subject.point), unit="array", leave=False) as meter:
        for name, method in METHODS.items():
            squares, size = np.zeros(len(steps)), 0.0
            for i, (array, x) in enumerate(subject.point.items()):
                meter.show(f"{name} differences, array {array}", array)
                meter.say(f"error over the step: {name} differences, array {array}", keep=False)
                f = subject.along(array)
                for line in draw_lines(method, x, probes, generator(seed, Purpose.CHECK, i)):
                    slope = line.along(gradients[array])
                    size += slope**2
                    squares += [(_difference(method, f, x, line, h) - slope) ** 2 for h in steps]
                meter.bar.update()
            errors[name] = np.sqrt(squares / size) if size else np.full(len(steps), np.nan)
    return errors


def _difference(method: Method, f: Function, x: FloatArray, line: Line, h: float) -> float:
    try:
        return difference(method, f, x, line, h)
    except StepLostError:
        return math.nan
