"""Choice of the step of difference quotients."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anynet.gradcheck.differences import FloatArray, Function, Line, Method, difference

MAX_STEP = 1e-2
TRIALS = 20
"""Number of lines on which a step is tried."""


def default_step(
    method: Method, f: Function, x: FloatArray, lines: Sequence[Line], slopes: NDArray[np.float64], rounding: float
) -> float:
    r"""Choose the step at which errors of rounding and truncation are about equal.

    The first choice suits a function that bends over a length of 1:

    .. math:: h = \left(\frac{\delta}{|f'|}\right)^{1 / (p + 1)}

    with the value's rounding error :math:`\delta`, the root mean square :math:`|f'|` of the slopes, and the order p of
    the method. The step is then halved as long as slopes with h and h / 2 differ by more than rounding explains, that
    is, while the function bends sooner; unless halving moves the slopes further apart, which shows that rounding is the
    cause.

    Parameters
    ----------
    method : Method
    f : callable
    x : ndarray
    lines : sequence of Line
    slopes : ndarray of float64, shape (n,)
        Analytical slopes along the lines.
    rounding : float
        Bound on the rounding error of the function's value.

    Returns
    -------
    float
    """
    size = math.sqrt(float(np.mean(slopes**2)))
    h = min(MAX_STEP, float((rounding / size) ** (1 / (method.order + 1)))) if size > 0 else MAX_STEP
    some = lines[:: math.ceil(len(lines) / TRIALS)]
    before, whole = math.inf, _slopes(method, f, x, some, h)
    while True:
        half = _slopes(method, f, x, some, h / 2)
        bend = float(np.quantile(np.abs(whole - half), 0.9))
        if bend <= rounding / h / 2:
            return h
        if bend > 1.2 * before:  # rounding would double it
            return 2 * h
        before, whole, h = bend, half, h / 2


def _slopes(method: Method, f: Function, x: FloatArray, lines: Sequence[Line], h: float) -> NDArray[np.float64]:
    return np.asarray([difference(method, f, x, line, h) for line in lines])
