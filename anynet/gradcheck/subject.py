"""Subject of a check: a function with its gradients and a point."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from anynet.core.settings_text import in_lines
from anynet.gradcheck.differences import FloatArray, Function
from anynet.gradcheck.on_device import Point

SHOWN = 10
"""Number of arrays that a repr shows."""


class Subject(NamedTuple):
    """A function of NumPy arrays with its gradients, at a point.

    Attributes
    ----------
    value : callable
        ``value(arrays) -> terms``. Takes arrays by name; the sum of the terms is the function. Differences are taken
        term by term, which is more precise than a difference of sums.
    gradients : callable
        ``gradients(arrays) -> gradients``: the gradients with respect to each array, by name.
    point : mapping of str to ndarray of float32 or float64
        Arrays at which gradients and differences are compared.
    headings : mapping of str to str
        Headings of the table of a result, by the name of the array below.

    Examples
    --------
    >>> import numpy as np
    >>> from anynet.gradcheck import check
    >>> point = {"x": np.linspace(0, 1, 5)}
    >>> sine = Subject(lambda p: np.sin(p["x"]), lambda p: {"x": np.cos(p["x"])}, point)
    >>> check(sine).passed
    True
    """

    value: Callable[[Point], FloatArray]
    gradients: Callable[[Point], Mapping[str, FloatArray]]
    point: Point
    headings: Mapping[str, str] = {}

    def __repr__(self) -> str:
        shapes = [f"{name} {x.shape}" for name, x in self.point.items()]
        more = [f"... {len(shapes) - SHOWN} more"] if len(shapes) > SHOWN else []
        return in_lines(f"Subject({', '.join(shapes[:SHOWN] + more)})")

    def along(self, name: str) -> Function:
        """Return the value as a function of one array, with the others fixed at the point.

        Parameters
        ----------
        name : str
            Name of the array, a key of `point`.

        Returns
        -------
        callable
        """
        return lambda moved: self.value({**self.point, name: moved})
