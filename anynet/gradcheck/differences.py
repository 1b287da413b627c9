"""Differences along a line: the slope of a function without calculus, and how far it can be trusted."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Host = NDArray[np.floating]
Function = Callable[[Host], Host]
"""What is differentiated: of one array, its value the sum of the terms it returns."""


class Method(NamedTuple):
    r"""A difference quotient.

    .. math:: \frac{f(x + h u) - f(x)}{h} = f' + O(h), \qquad \frac{f(x + h u) - f(x - h u)}{2 h} = f' + O(h^2)

    order: the power of h in the error of truncation.
    directions: whether u is a random unit vector, one element of x otherwise.
    tolerance: the relative error that is taken for rounding and truncation, in float64.
    """

    order: int
    directions: bool
    tolerance: float

    def best(self, eps: float) -> float:
        """The relative error that can be hoped for where numbers have this precision, with a hundredfold margin.

        At the best step, truncation and rounding cost the same: ε^(p / (p + 1)) with the method's order p.
        """
        return 100 * eps ** (self.order / (self.order + 1))


METHODS = {
    "finite": Method(order=1, directions=False, tolerance=1e-4),
    "centred": Method(order=2, directions=False, tolerance=1e-6),
    "directional": Method(order=2, directions=True, tolerance=1e-6),
}


class Line(Protocol):
    """A way to go from a point."""

    def move(self, x: Host, t: float) -> Host:
        """x + t u, in x's dtype, in an array of its own."""

    def along(self, x: Host) -> float:
        """The component of x along u, in float64: of a gradient, the slope it promises."""


@dataclass(frozen=True)
class Element:
    """Along one element."""

    index: tuple[int, ...]

    def move(self, x: Host, t: float) -> Host:
        moved = x.copy()
        moved[self.index] += t
        return moved

    def along(self, x: Host) -> float:
        return float(x[self.index])

    def __str__(self) -> str:
        return f"[{','.join(map(str, self.index))}]"


@dataclass(frozen=True)
class Direction:
    """Along a unit vector."""

    number: int
    unit: NDArray[np.float64]

    def move(self, x: Host, t: float) -> Host:
        return (x + t * self.unit).astype(x.dtype)

    def along(self, x: Host) -> float:
        return float(np.vdot(x.astype(np.float64), self.unit))

    def __str__(self) -> str:
        return f"#{self.number}"


class StepLostError(ValueError):
    """A step that rounding swallows."""


def slope(f: Function, x: Host, line: Line, ahead: float, behind: float) -> float:
    """The difference quotient between t = ``ahead`` and t = -``behind``.

    It divides by the distance that was really gone, which rounding makes another than was asked for. Terms are
    subtracted one by one before they are summed, so that those that stay the same cost no precision.

    Raises StepLostError for a step that rounding swallows.
    """
    there, here = line.move(x, ahead), line.move(x, -behind)
    run = line.along(there) - line.along(here)
    if run == 0:
        raise StepLostError(
            f"the step {max(ahead, behind):g} is lost in rounding beside {line.along(x):g}; take a larger one"
        )
    return math.fsum((f(there) - f(here)).ravel()) / run


def difference(method: Method, f: Function, x: Host, line: Line, h: float) -> float:
    """The slope of f at x, by the method, with step h."""
    return slope(f, x, line, h, h if method.order == 2 else 0.0)


def extrapolated(method: Method, f: Function, x: Host, line: Line, h: float) -> float:
    r"""Richardson's extrapolation, from two steps to none, which takes away the first power of h in the error.

    .. math:: D = D_{h/2} + \frac{D_{h/2} - D_h}{2^p - 1}
    """
    whole, half = (difference(method, f, x, line, step) for step in (h, h / 2))
    return half + (half - whole) / (2**method.order - 1)
