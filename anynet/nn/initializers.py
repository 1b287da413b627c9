"""Initializers of parameters.

An initializer is called as ``init(rng, shape)``, with a ``numpy.random.Generator``, and returns an ndarray of float64.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anynet.core.checks import real_number, store, store_not_negative

Initializer = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]
"""``init(rng, shape)`` returns the initial numbers of a parameter."""


@dataclass(frozen=True)
class Normal:
    """Normal distribution with mean 0.

    Parameters
    ----------
    std : float
        Standard deviation, 0 or more.

    Raises
    ------
    TypeError, ValueError
        If it is no number, negative or not finite.
    """

    std: float = 0.01

    def __post_init__(self) -> None:
        store_not_negative(self, "std")

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return numbers with standard deviation ``std``."""
        return self.std * rng.standard_normal(shape)


@dataclass(frozen=True)
class He:
    """Normal distribution with variance 2 / n_in, for weights (n_in, n_out) before a ReLU.

    References
    ----------
    He, Zhang, Ren, Sun (2015), Delving deep into rectifiers, equation 10. https://arxiv.org/abs/1502.01852
    """

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return numbers with variance ``2 / shape[0]``."""
        return math.sqrt(2 / shape[0]) * rng.standard_normal(shape)


@dataclass(frozen=True)
class Xavier:
    """Normal distribution with variance 2 / (n_in + n_out), for weights (n_in, n_out) before a sigmoid or tanh.

    References
    ----------
    Glorot, Bengio (2010), Understanding the difficulty of training deep feedforward neural networks, equation 12.
    https://proceedings.mlr.press/v9/glorot10a.html
    """

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return numbers with variance ``2 / sum(shape)``."""
        return math.sqrt(2 / sum(shape)) * rng.standard_normal(shape)


@dataclass(frozen=True)
class Zeros:
    """Zeros, for biases and shifts. Units whose weights start equal stay equal."""

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return zeros."""
        return np.zeros(shape)


@dataclass(frozen=True)
class Ones:
    """Ones, for scales."""

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return ones."""
        return np.ones(shape)


@dataclass(frozen=True)
class Constant:
    """One number everywhere.

    Parameters
    ----------
    value : float
        The number. Finite.

    Raises
    ------
    TypeError, ValueError
        If it is no number or not finite.
    """

    value: float

    def __post_init__(self) -> None:
        store(self, "value", real_number(f"{self}: value", self.value))
        if not math.isfinite(self.value):
            raise ValueError(f"{self}: expected a finite value")

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return an array filled with ``value``."""
        return np.full(shape, self.value)
