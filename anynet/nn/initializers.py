"""Where parameters start. Every initializer is called as ``init(rng, shape)`` and draws float64 on the host."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Initializer = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]


@dataclass(frozen=True)
class Normal:
    """Normal numbers of mean 0 and standard deviation ``std``."""

    std: float = 0.01

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        return self.std * rng.standard_normal(shape)


@dataclass(frozen=True)
class He:
    """Normal numbers of variance 2 / n_in, for weights of shape (n_in, n_out) ahead of a ReLU.

    Source: He et al. 2015, "Delving deep into rectifiers", equation 10. https://arxiv.org/abs/1502.01852
    """

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        return math.sqrt(2 / shape[0]) * rng.standard_normal(shape)


@dataclass(frozen=True)
class Xavier:
    """Normal numbers of variance 2 / (n_in + n_out), for weights of shape (n_in, n_out) ahead of a sigmoid or tanh.

    Source: Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks",
    equation 12. https://proceedings.mlr.press/v9/glorot10a.html
    """

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        return math.sqrt(2 / sum(shape)) * rng.standard_normal(shape)


@dataclass(frozen=True)
class Zeros:
    """Zeros: for biases. Weights that all start alike stay alike."""

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        return np.zeros(shape)


@dataclass(frozen=True)
class Ones:
    """Ones: for scales."""

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        return np.ones(shape)
