"""The step of the differences, where none is given."""

import math
from collections.abc import Sequence

import numpy as np

from anynet.gradcheck.differences import Function, Host, Line, Method, difference

LARGEST_STEP = 1e-2
TRIALS = 20
"""On how many lines a step is tried."""


def default_step(
    method: Method, f: Function, x: Host, lines: Sequence[Line], slopes: np.ndarray, rounding: float
) -> float:
    r"""The step at which rounding and truncation cost about the same.

    .. math:: h = \left(\frac{\delta}{|f'|}\right)^{1 / (p + 1)}

    with the value's rounding :math:`\delta`, the root mean square of the slopes, and the method's order p: right for a
    function that bends over a length of 1. Where half the step gives other slopes than rounding explains, the function
    bends sooner, and the step is halved; but not where that takes the slopes further apart, for then it is
    rounding after all.
    """
    size = math.sqrt(float(np.mean(slopes**2)))
    h = min(LARGEST_STEP, (rounding / size) ** (1 / (method.order + 1))) if size > 0 else LARGEST_STEP
    some = lines[:: math.ceil(len(lines) / TRIALS)]
    before, whole = math.inf, _slopes(method, f, x, some, h)
    while True:
        half = _slopes(method, f, x, some, h / 2)
        bend = float(np.quantile(np.abs(whole - half), 0.9))
        if bend <= rounding / h / 2:
            return h
        if bend > 1.2 * before:  # it doubles where it is rounding
            return 2 * h
        before, whole, h = bend, half, h / 2


def _slopes(method: Method, f: Function, x: Host, lines: Sequence[Line], h: float) -> np.ndarray:
    return np.asarray([difference(method, f, x, line, h) for line in lines])
