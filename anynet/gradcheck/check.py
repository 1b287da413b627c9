"""Comparison of gradients with difference quotients, array by array."""

import math
from dataclasses import replace

import numpy as np

from anynet.core.checks import nearest
from anynet.core.meter import Meter
from anynet.core.seeding import Purpose, generator
from anynet.gradcheck.check_result import Result
from anynet.gradcheck.compared_array import Entry
from anynet.gradcheck.differences import (
    METHODS,
    Direction,
    Element,
    FloatArray,
    Function,
    Line,
    Method,
    difference,
    extrapolate,
)
from anynet.gradcheck.kinks import at_kink
from anynet.gradcheck.steps import default_step
from anynet.gradcheck.subject import Subject
from anynet.gradcheck.values import evaluate

ELEMENTS, DIRECTIONS = 1000, 10
"""Default numbers of elements, or of directions, that are compared in each array."""

ROUNDINGS = 10
"""Assumed rounding error of the value, in units of its size times machine epsilon: a net has many operations."""


@np.errstate(all="ignore")  # what is not finite is refused by name
def check(
    subject: Subject,
    *,
    method: str = "central",
    step: float | None = None,
    tolerance: float | None = None,
    probes: int | None = None,
    seed: int = 0,
    progress: bool | None = False,
) -> Result:
    """Compare the gradients of a function with difference quotients of its value.

    Parameters
    ----------
    subject : Subject
        From `of_layer`, `of_loss` or `of_net`, or of your own.
    method : {"central", "finite", "directional"}
        Central or one-sided ("finite") differences of single elements, or central differences along random unit
        vectors.
    step : float, optional
        Step h. Default: for each array, the step at which errors of rounding and truncation are about equal.
    tolerance : float, optional
        Largest relative error that passes. Default: 1e-6, and 1e-4 for one-sided differences. In float32, differences
        are too coarse to tell kinks from mistakes; 1e-2 suits smooth functions.
    probes : int, optional
        Number of random elements, or directions, compared in each array. Default: 1,000 elements, or 10 directions. An
        array with no more elements than that is compared completely.
    seed : int
        Seed of the random choice of probes.
    progress : bool, optional
        Show which array is compared, as `anynet.fit` shows its epochs.

    Returns
    -------
    Result

    Raises
    ------
    ValueError
        If a setting is out of range, if `tolerance` is smaller than the dtype allows, if a number is not finite, if a
        second call gives another value, or if the function modifies its arguments.

    Examples
    --------
    >>> import anynet as an
    >>> from anynet.gradcheck import check, of_layer
    >>> check(of_layer(an.Linear(3, 2))).passed
    True
    """
    if method not in METHODS:
        raise ValueError(f'method: there is no "{method}"{nearest(method, METHODS)}')
    how, point = METHODS[method], subject.point
    tolerance = how.tolerance if tolerance is None else tolerance
    terms, gradients = evaluate(subject)
    eps = max(float(np.finfo(x.dtype).eps) for x in point.values())
    _check_settings(method, step, tolerance, probes, eps)
    size = float(np.linalg.norm(terms))
    if not math.isfinite(size):
        raise ValueError(
            f"the value: expected terms whose squares are finite, got terms of up to {np.max(np.abs(terms)):g}; scale "
            f"the function down"
        )
    count = probes or (DIRECTIONS if how.directions else ELEMENTS)

    entries = {}
    total = sum(count if how.directions else min(count, x.size) for x in point.values())
    with Meter(progress, total=total, unit="probe", leave=False) as meter:
        for i, (name, x) in enumerate(point.items()):
            meter.show(f"array {name}", name)
            f = subject.along(name)
            lines = draw_lines(how, x, count, generator(seed, Purpose.CHECK, i))
            analytical = np.asarray([line.along(gradients[name]) for line in lines])
            # Rounding error of the value: from its terms, and from the array's elements in every operation on them.
            rounding = ROUNDINGS * eps * (size + float(np.linalg.norm(x * gradients[name])))
            h = step or default_step(how, f, x, lines, analytical, rounding)
            numerical = np.empty(len(lines))
            for k, line in enumerate(lines):
                numerical[k] = difference(how, f, x, line, h)
                meter.bar.update()
                meter.say(f"array {name}, {i + 1} of {len(point)}: {k + 1} of {len(lines)} probes", keep=False)
            entry = Entry(
                name, x.size, lines, analytical, numerical, np.zeros(len(lines), bool), h, rounding / h, tolerance
            )
            entries[name] = _refine(entry, how, f, x)
    return Result(entries, method, tolerance, subject.headings, point)


def draw_lines(method: Method, x: FloatArray, count: int, rng: np.random.Generator) -> list[Line]:
    """Draw random directions, or random elements without repetition in the order of the array.

    Parameters
    ----------
    method : Method
    x : ndarray
        Array that is moved along the lines.
    count : int
        Number of lines. All elements are taken if there are no more.
    rng : numpy.random.Generator

    Returns
    -------
    list of Line
    """
    if method.directions:
        drawn = rng.standard_normal((count, *x.shape))
        return [Direction(i, u / np.linalg.norm(u)) for i, u in enumerate(drawn)]
    chosen = np.arange(x.size) if x.size <= count else np.sort(rng.choice(x.size, count, replace=False))
    return [Element(tuple(map(int, np.unravel_index(i, x.shape)))) for i in chosen]


def _refine(entry: Entry, method: Method, f: Function, x: FloatArray) -> Entry:
    """Look again at slopes that differ: extrapolate to step 0, and if they still differ, look for a kink."""
    numerical, kinks = entry.numerical.copy(), entry.kinks.copy()
    for i in map(int, np.nonzero(entry.relative > entry.tolerance)[0]):
        numerical[i] = extrapolate(method, f, x, entry.lines[i], entry.step)
    refined = replace(entry, numerical=numerical)
    for i in map(int, np.nonzero(refined.relative > entry.tolerance)[0]):
        kinks[i] = at_kink(
            f, x, entry.lines[i], entry.analytical[i], entry.step, entry.noise * entry.step, entry.tolerance
        )
        numerical[i] = entry.numerical[i]
    return replace(refined, kinks=kinks)


def _check_settings(method: str, step: float | None, tolerance: float, probes: int | None, eps: float) -> None:
    if step is not None and not 0 < step < math.inf:
        raise ValueError(f"step: expected a positive number, got {step}")
    if probes is not None and probes < 1:
        raise ValueError(f"probes: expected 1 or more, got {probes}")
    if tolerance >= 1:
        raise ValueError(f"tolerance: expected less than 1, because it is relative, got {tolerance}")
    best = METHODS[method].attainable(eps)
    if not tolerance >= best:
        dtype, advice = ("float32", "; use it, or float64") if eps > 1e-10 else ("float64", "; use it")
        raise ValueError(
            f"tolerance: expected {best:.1e} or more, which {method} differences attain in {dtype}, "
            f"got {tolerance:g}{advice}"
        )
