"""The check itself: gradients against differences, array by array."""

import math
from dataclasses import replace

import numpy as np

from anynet.core.checks import nearest
from anynet.core.seeding import Purpose, generator
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
from anynet.gradcheck.steps import default_step
from anynet.gradcheck.subjects import Subject
from anynet.gradcheck.values import values_of

ELEMENTS, DIRECTIONS = 1000, 10
"""How many of each array are compared by default."""

ROUNDINGS = 10
"""How many roundings of its size the value may be off by: those of a net's many operations, added up."""


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

    In float32 differences are too coarse to tell kinks from mistakes; a tolerance of 1e-2 holds for smooth functions.

    Raises ValueError for what cannot be checked: numbers that are not finite, a value that is another when it is asked
    for again, a function that writes into its arguments, a tolerance below what the dtype can hold.
    """
    if method not in METHODS:
        raise ValueError(f'method: there is no "{method}"{nearest(method, METHODS)}')
    how, point = METHODS[method], subject.point
    tolerance = how.tolerance if tolerance is None else tolerance
    terms, gradients = values_of(subject)
    eps = max(float(np.finfo(x.dtype).eps) for x in point.values())
    _refuse(how, step, tolerance, probes, eps)
    with np.errstate(over="ignore"):
        size = float(np.linalg.norm(terms))
    if not math.isfinite(size):
        raise ValueError(f"the value, of terms as large as {np.max(np.abs(terms)):g}, overflows when it is squared")
    count = probes or (DIRECTIONS if how.directions else ELEMENTS)

    entries = {}
    for i, (name, x) in enumerate(point.items()):
        f = subject.along(name)
        lines = lines_of(how, x, count, generator(seed, Purpose.CHECK, i))
        analytical = np.asarray([line.along(gradients[name]) for line in lines])
        # What rounding may make of the value: of its terms, and of the array's elements in every operation on them.
        rounding = ROUNDINGS * eps * (size + float(np.linalg.norm(x * gradients[name])))
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


def _refuse(method: Method, step: float | None, tolerance: float, probes: int | None, eps: float) -> None:
    if step is not None and not 0 < step < math.inf:
        raise ValueError(f"step: expected a positive number, got {step}")
    if probes is not None and probes < 1:
        raise ValueError(f"probes: expected 1 or more, got {probes}")
    if tolerance >= 1:
        raise ValueError(f"tolerance: expected less than 1, for it is relative, got {tolerance}")
    if not tolerance >= method.best(eps):
        dtype = "float32" if eps > 1e-10 else "float64"
        raise ValueError(
            f"tolerance {tolerance:g} cannot hold in {dtype}, where these differences are good to "
            f"{method.best(eps):.1e} at best; ask for that or more{', or for float64' if dtype == 'float32' else ''}"
        )


def lines_of(method: Method, x: Host, count: int, rng: np.random.Generator) -> list[Line]:
    """Directions, or elements drawn without repetition, in order: all of them where there are no more."""
    if method.directions:
        drawn = rng.standard_normal((count, *x.shape))
        return [Direction(i, u / np.linalg.norm(u)) for i, u in enumerate(drawn)]
    chosen = np.arange(x.size) if x.size <= count else np.sort(rng.choice(x.size, count, replace=False))
    return [Element(tuple(map(int, np.unravel_index(i, x.shape)))) for i in chosen]
