"""Initializers of parameters.

An initializer is called as ``init(rng, shape)``, with a ``numpy.random.Generator``, and returns an ndarray of float64.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anynet.core.checks import describe, real_number, store, store_not_negative

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

    A kernel (rows, columns, C, D) counts as a matrix (rows * columns * C, D), as it does for the initializers below.

    References
    ----------
    He, Zhang, Ren, Sun (2015), Delving deep into rectifiers, equation 10. https://arxiv.org/abs/1502.01852
    """

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return numbers with variance ``2 / n_in``."""
        return math.sqrt(2 / _fan_in(shape)) * rng.standard_normal(shape)


@dataclass(frozen=True)
class Xavier:
    """Normal distribution with variance 2 / (n_in + n_out), for weights (n_in, n_out) before a sigmoid or tanh.

    For a kernel (rows, columns, C, D), n_out is rows * columns * D.

    References
    ----------
    Glorot, Bengio (2010), Understanding the difficulty of training deep feedforward neural networks, equation 12.
    https://proceedings.mlr.press/v9/glorot10a.html
    """

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return numbers with variance ``2 / (n_in + n_out)``."""
        fans = _fan_in(shape) + math.prod(shape[:-2]) * shape[-1] if len(shape) > 1 else sum(shape)
        return math.sqrt(2 / fans) * rng.standard_normal(shape)


@dataclass(frozen=True)
class Uniform:
    r"""Uniform distribution in :math:`\pm g / \sqrt{n_{in}}`, for weights (n_in, n_out).

    Parameters
    ----------
    gain : float
        Factor g, 0 or more. With 1, the default, numbers are those of PyTorch's layers; with :math:`\sqrt{3 n_{in}}`
        their deviation is 1.

    Raises
    ------
    TypeError, ValueError
        If it is no number, negative or not finite.

    References
    ----------
    LeCun, Bottou, Orr, Müller (1998), Efficient backprop, section 4.6, has three times the variance.
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        store_not_negative(self, "gain")

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return numbers between ``-gain / sqrt(n_in)`` and ``gain / sqrt(n_in)``."""
        bound = self.gain / math.sqrt(_fan_in(shape))
        return rng.uniform(-bound, bound, shape)


@dataclass(frozen=True)
class PartialIdentity:
    """Kernels (rows, columns, C, D) whose first C outputs copy the inputs. Rows and columns are odd.

    Parameters
    ----------
    others : callable
        Initializer of the outputs C to D - 1, drawn with the shape of the whole kernel.

    References
    ----------
    Zagoruyko, Komodakis (2017), DiracNets. https://arxiv.org/abs/1706.00388
    Jordan (2024), 94 % on CIFAR-10 in 3.29 seconds on a single GPU. https://arxiv.org/abs/2404.00498

    Examples
    --------
    >>> import numpy as np
    >>> kernel = PartialIdentity()(np.random.default_rng(0), (3, 3, 2, 4))
    >>> kernel[1, 1, :, :2], kernel[0, 0, :, :2]
    (array([[1., 0.],
           [0., 1.]]), array([[0., 0.],
           [0., 0.]]))
    """

    others: Initializer = Uniform()

    def __post_init__(self) -> None:
        check_initializers(self, "others")

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return the kernel; ValueError if its shape is another."""
        if len(shape) != 4 or not (shape[0] % 2 and shape[1] % 2):
            raise ValueError(f"{self}: expected a kernel with an odd number of rows and columns, got shape {shape}")
        kernel, n = self.others(rng, shape), min(shape[2:])
        kernel[..., :n] = 0
        kernel[shape[0] // 2, shape[1] // 2, :n, :n] = np.eye(n)
        return kernel


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


def check_initializers(layer: object, *names: str) -> None:
    """Check settings of a layer that are initializers.

    Parameters
    ----------
    layer : object
        With an attribute for each name.
    *names : str

    Raises
    ------
    TypeError
        If one cannot be called, or is a class.
    """
    for name in names:
        value = getattr(layer, name)
        if not callable(value) or isinstance(value, type):
            known = ", ".join(
                f"{kind.__name__}()" for kind in (He, Normal, Ones, PartialIdentity, Uniform, Xavier, Zeros)
            )
            raise TypeError(
                f"{type(layer).__name__}: {name}: expected an initializer, such as {known} or Constant(0.1), got "
                f"{describe(value)}"
            )


def _fan_in(shape: tuple[int, ...]) -> int:
    """Return the number of inputs that one output is summed over."""
    return math.prod(shape[:-1]) if len(shape) > 1 else shape[0]
