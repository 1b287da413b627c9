"""The check itself: gradients against differences, array by array."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from anynet.checks import nearest
from anynet.gradcheck.differences import (
    METHODS,
    Direction,
    Element,
    Function,
    Host,
    Line,
    Method,
    difference,
    extrapolated,
)
from anynet.gradcheck.kinks import at_kink
from anynet.gradcheck.result import Entry, Result
from anynet.gradcheck.subjects import Subject
from anynet.seeding import Purpose, generator

ELEMENTS, DIRECTIONS = 1000, 10
"""How many of each array are compared by default."""

ROUNDINGS = 10
"""How many roundings of its size the value may be off by: those of a net's many operations, added up."""

LARGEST_STEP = 1e-2
TRIALS = 20
"""On how many lines a step is tried."""


def check(
    subject: Subject,
    *,
    method: str = "centred",
    step: float | None = None,
    tolerance: float | None = None,
    probes: int | None = None,
    seed: int = 0,
) -> Result:
    """Hold a function's gradients against differences of its value.

    subject: from ``of_layer``, ``of_loss`` or ``of_net``, or one of your own.
    method: "finite" (one-sided) or "centred" differences of single elements, or "directional", centred ones along
        random unit vectors.
    step: h; by default, for each array, where rounding and truncation cost the same (see ``default_step``).
    tolerance: the largest relative error that passes; by default 1e-6, and 1e-4 for one-sided differences.
    probes: how many elements, or directions, of each array are compared, drawn by ``seed``; by default 1,000 elements
        or 10 directions; all elements where there are no more.

    Raises ValueError for what cannot be checked: numbers that are not finite, a value that is another when it is asked
    for again, a function that writes into its arguments, a tolerance below what the dtype can hold.
    """
    if method not in METHODS:
        raise ValueError(f'method: there is no "{method}"{nearest(method, METHODS)}')
    how, point = METHODS[method], subject.point
    tolerance = how.tolerance if tolerance is None else tolerance
    eps = max(float(np.finfo(x.dtype).eps) for x in point.values())
    _refuse(how, step, tolerance, probes, eps)
    terms, gradients = values_of(subject)
    rounding = ROUNDINGS * eps * float(np.linalg.norm(terms))
    count = probes or (DIRECTIONS if how.directions else ELEMENTS)

    entries = {}
    for i, (name, x) in enumerate(point.items()):

        def f(moved: Host, name: str = name) -> Host:
            return subject.value({**point, name: moved})

        lines = lines_of(how, x, count, generator(seed, Purpose.CHECK, i))
        analytical = np.asarray([line.along(gradients[name]) for line in lines])
        h = step or default_step(how, f, x, lines, analytical, rounding)
        numerical = np.asarray([difference(how, f, x, line, h) for line in lines])
        entry = Entry(
            name, x.size, lines, analytical, numerical, np.zeros(len(lines), bool), h, rounding / h, tolerance
        )
        entries[name] = look_closer(entry, how, f, x)
    return Result(entries, method, tolerance, subject.headings, point)


def look_closer(entry: Entry, method: Method, f: Function, x: Host) -> Entry:
    """Look again at the lines where the two slopes differ: truncation is taken away, then kinks are left out."""
    numerical, kinks = entry.numerical.copy(), entry.kinks.copy()
    for i in map(int, np.nonzero(entry.relative > entry.tolerance)[0]):
        numerical[i] = extrapolated(method, f, x, entry.lines[i], entry.step)
    closer = replace(entry, numerical=numerical)
    for i in map(int, np.nonzero(closer.relative > entry.tolerance)[0]):
        kinks[i] = at_kink(
            f, x, entry.lines[i], entry.analytical[i], entry.step, entry.noise * entry.step, entry.tolerance
        )
        numerical[i] = entry.numerical[i]
    return replace(closer, kinks=kinks)


def default_step(
    method: Method, f: Function, x: Host, lines: Sequence[Line], slopes: np.ndarray, rounding: float
) -> float:
    r"""The step at which rounding and truncation cost about the same.

    .. math:: h = \left(\frac{\delta}{|f'|}\right)^{1 / (p + 1)}

    with the value's rounding :math:`\delta`, the root mean square of the slopes, and the method's order p: right for a
    function that bends over a length of 1. Where half the step gives other slopes than rounding explains, the function
    bends sooner, and the step is halved.
    """
    size = math.sqrt(float(np.mean(slopes**2)))
    h = min(LARGEST_STEP, (rounding / size) ** (1 / (method.order + 1))) if size > 0 else LARGEST_STEP
    some = lines[:: math.ceil(len(lines) / TRIALS)]
    while True:
        bends = [abs(difference(method, f, x, line, h) - difference(method, f, x, line, h / 2)) for line in some]
        if np.quantile(bends, 0.9) <= rounding / h / 2:
            return h
        h /= 2


def _refuse(method: Method, step: float | None, tolerance: float, probes: int | None, eps: float) -> None:
    if step is not None and not 0 < step < math.inf:
        raise ValueError(f"step: expected a positive number, got {step}")
    if probes is not None and probes < 1:
        raise ValueError(f"probes: expected 1 or more, got {probes}")
    if not tolerance >= method.best(eps):
        dtype = "float32" if eps > 1e-10 else "float64"
        raise ValueError(
            f"tolerance {tolerance:g} cannot hold in {dtype}, where these differences are good to "
            f"{method.best(eps):.1e} at best; ask for that or more{', or for float64' if dtype == 'float32' else ''}"
        )


def values_of(subject: Subject) -> tuple[Host, Mapping[str, Host]]:
    """The terms of the value, and the gradients, at the point; ValueError where no difference could be held to them."""
    for name, x in subject.point.items():
        _finite(name, x)
    terms = subject.value(subject.point)
    _finite("the value", terms)
    again = subject.value(subject.point)
    if not np.allclose(again, terms, rtol=1e3 * np.finfo(terms.dtype).eps, atol=0):
        raise ValueError(
            f"at one and the same point the value was {terms.sum()} first and then {again.sum()}: a forward that is "
            f"random, or remembers, cannot be checked; draw its random numbers outside"
        )
    gradients = subject.gradients(subject.point)
    for name, x in subject.point.items():
        if name not in gradients:
            raise ValueError(f"there is no gradient by {name}, only by {', '.join(gradients) or 'nothing'}")
        if gradients[name].shape != x.shape:
            raise ValueError(f"the gradient by {name}: expected shape {x.shape}, got {gradients[name].shape}")
        _finite(f"the gradient by {name}", gradients[name])
    return terms, gradients


def _finite(name: str, x: Host) -> None:
    if x.size == 0:
        raise ValueError(f"{name}: expected numbers, got none, in shape {x.shape}")
    wrong = np.argwhere(~np.isfinite(x))
    if len(wrong):
        where = tuple(map(int, wrong[0]))
        raise ValueError(f"{name}: expected finite numbers, got {x[where]} at {where}, one of {len(wrong)} such")


def lines_of(method: Method, x: Host, count: int, rng: np.random.Generator) -> list[Line]:
    """Directions, or elements drawn without repetition, in order: all of them where there are no more."""
    if method.directions:
        drawn = rng.standard_normal((count, *x.shape))
        return [Direction(i, u / np.linalg.norm(u)) for i, u in enumerate(drawn)]
    chosen = np.arange(x.size) if x.size <= count else np.sort(rng.choice(x.size, count, replace=False))
    return [Element(tuple(map(int, index))) for index in zip(*np.unravel_index(chosen, x.shape), strict=True)]
