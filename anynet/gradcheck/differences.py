"""Difference quotients of a function along a line."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]
"""A NumPy array of float32 or float64."""
Function = Callable[[FloatArray], FloatArray]
"""Function of one array. Its value is the sum of the terms it returns."""


class Method(NamedTuple):
    r"""A difference quotient.

    One-sided and central differences have the errors of truncation

    .. math:: \frac{f(x + h u) - f(x)}{h} = f' + O(h), \qquad \frac{f(x + h u) - f(x - h u)}{2 h} = f' + O(h^2)

    Attributes
    ----------
    order : int
        Exponent of h in the error of truncation: 1 for one-sided, 2 for central differences.
    directions : bool
        If True, u is a random unit vector; otherwise it moves one element of x.
    tolerance : float
        Default limit on the relative error, in float64.

    References
    ----------
    Press et al. (2007), Numerical Recipes, 3rd edition, section 5.7.
    """

    order: int
    directions: bool
    tolerance: float

    def attainable(self, eps: float) -> float:
        """Return the smallest attainable relative error for machine epsilon `eps`, times a safety factor of 100.

        At the best step, truncation and rounding errors are equal: ``eps ** (order / (order + 1))``.

        Parameters
        ----------
        eps : float
            Machine epsilon of the dtype.

        Returns
        -------
        float

        Examples
        --------
        >>> round(METHODS["central"].attainable(2.0**-52), 10)
        3.7e-09
        """
        return float(100 * eps ** (self.order / (self.order + 1)))


METHODS = {
    "finite": Method(order=1, directions=False, tolerance=1e-4),
    "central": Method(order=2, directions=False, tolerance=1e-6),
    "directional": Method(order=2, directions=True, tolerance=1e-6),
}
"""Methods by name: one-sided and central differences of single elements, central differences along directions."""


class Line(Protocol):
    """A straight line through a point, along a vector u."""

    def move(self, x: FloatArray, t: float) -> FloatArray:
        """Return ``x + t u`` as a new array of the dtype of `x`.

        Parameters
        ----------
        x : ndarray
        t : float

        Returns
        -------
        ndarray
        """

    def along(self, x: FloatArray) -> float:
        """Return the component of `x` along u, in float64. For a gradient this is the slope along the line.

        Parameters
        ----------
        x : ndarray

        Returns
        -------
        float
        """


@dataclass(frozen=True)
class Element:
    """The line that moves one element.

    Parameters
    ----------
    index : tuple of int
    """

    index: tuple[int, ...]

    def move(self, x: FloatArray, t: float) -> FloatArray:
        """Return a copy of `x` with t added to the element."""
        moved = x.copy()
        moved[self.index] += t
        return moved

    def along(self, x: FloatArray) -> float:
        """Return the element."""
        return float(x[self.index])

    def __str__(self) -> str:
        return f"[{','.join(map(str, self.index))}]"


@dataclass(frozen=True)
class Direction:
    """The line along a unit vector.

    Parameters
    ----------
    number : int
        Number of the direction, for messages.
    unit : ndarray of float64
        Of the shape of the array that is moved.
    """

    number: int
    unit: NDArray[np.float64]

    def move(self, x: FloatArray, t: float) -> FloatArray:
        """Return ``x + t unit``."""
        return (x + t * self.unit).astype(x.dtype)

    def along(self, x: FloatArray) -> float:
        """Return the dot product of `x` and the unit vector."""
        return float(np.vdot(x.astype(np.float64), self.unit))

    def __str__(self) -> str:
        return f"#{self.number}"


class StepLostError(ValueError):
    """Error for a step that rounding reduces to zero."""


def slope(f: Function, x: FloatArray, line: Line, ahead: float, behind: float) -> float:
    """Compute the difference quotient between ``t = ahead`` and ``t = -behind``.

    The divisor is the distance between the two rounded points. Terms are subtracted one by one before they are summed,
    so terms that do not change cost no precision.

    Parameters
    ----------
    f : callable
    x : ndarray
    line : Line
    ahead, behind : float
        Distances, not negative.

    Returns
    -------
    float

    Raises
    ------
    StepLostError
        If the two rounded points are the same.
    """
    there, here = line.move(x, ahead), line.move(x, -behind)
    run = line.along(there) - line.along(here)
    if run == 0:
        raise StepLostError(
            f"step: {max(ahead, behind):g} is lost in rounding next to {line.along(x):g}; use a larger one"
        )
    return math.fsum((f(there) - f(here)).ravel()) / run


def difference(method: Method, f: Function, x: FloatArray, line: Line, h: float) -> float:
    """Compute the slope of a function along a line by a difference quotient.

    Parameters
    ----------
    method : Method
    f : callable
    x : ndarray
    line : Line
    h : float
        Step.

    Returns
    -------
    float

    Raises
    ------
    StepLostError
        If rounding reduces the step to zero.
    """
    return slope(f, x, line, h, h if method.order == 2 else 0.0)


def extrapolate(method: Method, f: Function, x: FloatArray, line: Line, h: float) -> float:
    r"""Compute the slope of a function by Richardson extrapolation from steps h and h / 2.

    It removes the lowest power p of h from the error of truncation, where p is the order of the method:

    .. math:: D = D_{h/2} + \frac{D_{h/2} - D_h}{2^p - 1}

    Parameters
    ----------
    method : Method
    f : callable
    x : ndarray
    line : Line
    h : float

    Returns
    -------
    float

    Raises
    ------
    StepLostError
        If rounding reduces a step to zero.
    """
    whole, half = (difference(method, f, x, line, step) for step in (h, h / 2))
    return half + (half - whole) / (2.0**method.order - 1)
