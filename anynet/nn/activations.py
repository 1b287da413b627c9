"""Activations: functions of each value on its own, so any number of features and of members will do."""

from dataclasses import dataclass

from array_api_compat import array_namespace

from anynet.core.typing import Array, Arrays
from anynet.nn.layer import Layer


@dataclass(frozen=True)
class ReLU(Layer):
    """y = max(x, 0); its derivative at 0 is taken as 0."""

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Array, Arrays]:
        y = array_namespace(x).maximum(x, 0.0)
        return y, y, state

    def backward(self, params: Arrays, cache: Array, dy: Array) -> tuple[Array, Arrays]:
        y, xp = cache, array_namespace(dy)
        return xp.where(y > 0, dy, 0.0), {}


@dataclass(frozen=True)
class LeakyReLU(Layer):
    """y = x where x > 0, ``slope`` times x elsewhere.

    Source: Maas et al. 2013, "Rectifier nonlinearities improve neural network acoustic models".
    """

    slope: float = 0.01

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Array, Arrays]:
        xp = array_namespace(x)
        return xp.where(x > 0, x, self.slope * x), x, state

    def backward(self, params: Arrays, cache: Array, dy: Array) -> tuple[Array, Arrays]:
        x, xp = cache, array_namespace(dy)
        return xp.where(x > 0, dy, self.slope * dy), {}


@dataclass(frozen=True)
class Sigmoid(Layer):
    """y = 1 / (1 + exp(-x)), with derivative y (1 - y)."""

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Array, Arrays]:
        # The same function as the fraction, and nothing in it overflows.
        y = 0.5 * (array_namespace(x).tanh(0.5 * x) + 1.0)
        return y, y, state

    def backward(self, params: Arrays, cache: Array, dy: Array) -> tuple[Array, Arrays]:
        y = cache
        return dy * y * (1.0 - y), {}


@dataclass(frozen=True)
class Tanh(Layer):
    """y = tanh(x), with derivative 1 - y²."""

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Array, Arrays]:
        y = array_namespace(x).tanh(x)
        return y, y, state

    def backward(self, params: Arrays, cache: Array, dy: Array) -> tuple[Array, Arrays]:
        y = cache
        return dy * (1.0 - y * y), {}
