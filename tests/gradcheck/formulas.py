"""Functions with a derivative known in closed form, as subjects of a check."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from anynet.gradcheck import Subject

Elementwise = Callable[[np.ndarray], np.ndarray]


class Formula(NamedTuple):
    """A function of each element, its terms summed, and its derivative."""

    f: Elementwise
    derivative: Elementwise

    def scaled(self, height: float, length: float) -> "Formula":
        """The same shape, so high and so long."""
        return Formula(lambda x: height * self.f(x / length), lambda x: height / length * self.derivative(x / length))

    def at(self, x: np.ndarray) -> Subject:
        return Subject(lambda point: self.f(point["x"]), lambda point: {"x": self.derivative(point["x"])}, {"x": x})

    def spoilt(self, spoil: Elementwise) -> "Formula":
        """The same function with a wrong derivative."""
        return Formula(self.f, lambda x: spoil(self.derivative(x)))


SMOOTH = {
    "sin": Formula(np.sin, np.cos),
    "exp": Formula(np.exp, np.exp),
    "cube": Formula(lambda x: x**3, lambda x: 3 * x**2),
    "reciprocal": Formula(lambda x: 1 / x, lambda x: -1 / x**2),
}
SQUARE = Formula(np.square, lambda x: 2 * x)
RELU = Formula(lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, 1.0, 0.0))
ABSOLUTE = Formula(np.abs, np.sign)
