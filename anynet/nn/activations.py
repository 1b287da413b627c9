"""Activation functions: elementwise layers, for any number of features and members."""

import math
from dataclasses import dataclass

from array_api_compat import array_namespace

from anynet.core.checks import real_number, store, store_not_negative
from anynet.core.typing import Array, Arrays
from anynet.nn.layer import Layer


@dataclass(frozen=True)
class ReLU(Layer):
    r"""Rectified linear unit, :math:`y = \max(x, 0)`, with derivative 0 at 0.

    References
    ----------
    Nair, Hinton (2010), Rectified linear units improve restricted Boltzmann machines.

    Examples
    --------
    >>> import numpy as np
    >>> ReLU().forward({}, {}, np.asarray([[-2.0, 0.0, 3.0]]), train=True)[0]
    array([[0., 0., 3.]])
    """

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Array, Arrays]:
        """Return ``max(x, 0)``; the cache is y."""
        y = array_namespace(x).maximum(x, 0.0)
        return y, y, state

    def backward(self, params: Arrays, cache: Array, dy: Array) -> tuple[Array, Arrays]:
        """Return ``dx = dy where y > 0, else 0``."""
        y, xp = cache, array_namespace(dy)
        return xp.where(y > 0, dy, 0.0), {}


@dataclass(frozen=True)
class LeakyReLU(Layer):
    """Leaky rectified linear unit: x where x > 0, ``slope`` times x elsewhere.

    Parameters
    ----------
    slope : float
        Slope for negative x, and the derivative at 0. Finite.

    Raises
    ------
    TypeError, ValueError
        If the slope is no finite number.

    References
    ----------
    Maas, Hannun, Ng (2013), Rectifier nonlinearities improve neural network acoustic models.

    Examples
    --------
    >>> import numpy as np
    >>> LeakyReLU(0.1).forward({}, {}, np.asarray([[-2.0, 0.0, 3.0]]), train=True)[0]
    array([[-0.2,  0. ,  3. ]])
    """

    slope: float = 0.01

    def __post_init__(self) -> None:
        store(self, "slope", real_number(f"{self}: slope", self.slope))
        if not math.isfinite(self.slope):
            raise ValueError(f"{self}: expected a finite slope")

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Array, Arrays]:
        """Return ``x where x > 0, else slope x``; the cache is x."""
        xp = array_namespace(x)
        return xp.where(x > 0, x, self.slope * x), x, state

    def backward(self, params: Arrays, cache: Array, dy: Array) -> tuple[Array, Arrays]:
        """Return ``dx = dy where x > 0, else slope dy``."""
        x, xp = cache, array_namespace(dy)
        return xp.where(x > 0, dy, self.slope * dy), {}


@dataclass(frozen=True)
class Sigmoid(Layer):
    """Logistic function, ``y = 1 / (1 + exp(-x))``.

    Examples
    --------
    >>> import numpy as np
    >>> Sigmoid().forward({}, {}, np.asarray([[-1e4, 0.0, 1e4]]), train=True)[0]
    array([[0. , 0.5, 1. ]])
    """

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Array, Arrays]:
        """Return ``(tanh(x / 2) + 1) / 2``; the cache is y."""
        # The same function, but without an exponential function that overflows.
        y = 0.5 * (array_namespace(x).tanh(0.5 * x) + 1.0)
        return y, y, state

    def backward(self, params: Arrays, cache: Array, dy: Array) -> tuple[Array, Arrays]:
        """Return ``dx = dy y (1 - y)``."""
        y = cache
        return dy * y * (1.0 - y), {}


@dataclass(frozen=True)
class Tanh(Layer):
    """Hyperbolic tangent, ``y = tanh(x)``.

    Examples
    --------
    >>> import numpy as np
    >>> Tanh().forward({}, {}, np.asarray([[-1e4, 0.0, 1e4]]), train=True)[0]
    array([[-1.,  0.,  1.]])
    """

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Array, Arrays]:
        """Return ``tanh(x)``; the cache is y."""
        y = array_namespace(x).tanh(x)
        return y, y, state

    def backward(self, params: Arrays, cache: Array, dy: Array) -> tuple[Array, Arrays]:
        """Return ``dx = dy (1 - y^2)``."""
        y = cache
        return dy * (1.0 - y * y), {}


@dataclass(frozen=True)
class ELU(Layer):
    r"""Exponential linear unit: x where x > 0, :math:`\alpha (e^x - 1)` elsewhere.

    Parameters
    ----------
    alpha : float
        Factor :math:`\alpha`, minus the limit of y for negative x. Finite, 0 or more.

    Raises
    ------
    TypeError, ValueError
        If `alpha` is of another type or out of range.

    References
    ----------
    Clevert, Unterthiner, Hochreiter (2016), Fast and accurate deep network learning by exponential linear units,
    equation 15. https://arxiv.org/abs/1511.07289

    Examples
    --------
    >>> import numpy as np
    >>> ELU().forward({}, {}, np.asarray([[-1e4, 0.0, 3.0]]), train=True)[0]
    array([[-1.,  0.,  3.]])
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        store_not_negative(self, "alpha")

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Array, Arrays]:
        """Return ``max(x, 0) + alpha (exp(min(x, 0)) - 1)``; the cache is y."""
        xp = array_namespace(x)
        y = xp.maximum(x, 0.0) + self.alpha * xp.expm1(xp.minimum(x, 0.0))
        return y, y, state

    def backward(self, params: Arrays, cache: Array, dy: Array) -> tuple[Array, Arrays]:
        """Return ``dx = dy where y > 0, else dy (y + alpha)``."""
        y, xp = cache, array_namespace(dy)
        return xp.where(y > 0, dy, dy * (y + self.alpha)), {}


@dataclass(frozen=True)
class Softplus(Layer):
    """Smooth ReLU, ``y = log(1 + exp(x))``.

    References
    ----------
    Dugas, Bengio, Bélisle, Nadeau, Garcia (2001), Incorporating second-order functional knowledge for better option
    pricing.

    Examples
    --------
    >>> import numpy as np
    >>> Softplus().forward({}, {}, np.asarray([[-1e4, 0.0, 1e4]]), train=True)[0]
    array([[0.00000000e+00, 6.93147181e-01, 1.00000000e+04]])
    """

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Array, Arrays]:
        """Return ``max(x, 0) + log(1 + exp(-|x|))``; the cache is y."""
        xp = array_namespace(x)
        y = xp.maximum(x, 0.0) + xp.log1p(xp.exp(-xp.abs(x)))
        return y, y, state

    def backward(self, params: Arrays, cache: Array, dy: Array) -> tuple[Array, Arrays]:
        """Return ``dx = dy (1 - exp(-y))``, dy times the logistic function of x."""
        y = cache
        return -dy * array_namespace(dy).expm1(-y), {}


@dataclass(frozen=True)
class Softsign(Layer):
    r"""Softsign, :math:`y = x / (1 + |x|)`: between -1 and 1 as tanh, but it approaches them slowly.

    References
    ----------
    Glorot, Bengio (2010), Understanding the difficulty of training deep feedforward neural networks, section 2.
    https://proceedings.mlr.press/v9/glorot10a.html

    Examples
    --------
    >>> import numpy as np
    >>> Softsign().forward({}, {}, np.asarray([[-4.0, 0.0, 1.0]]), train=True)[0]
    array([[-0.8,  0. ,  0.5]])
    """

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Array, Arrays]:
        """Return ``x / (1 + |x|)``; the cache is ``1 / (1 + |x|)``."""
        share = 1.0 / (1.0 + array_namespace(x).abs(x))
        return x * share, share, state

    def backward(self, params: Arrays, cache: Array, dy: Array) -> tuple[Array, Arrays]:
        """Return ``dx = dy / (1 + |x|)^2``."""
        share = cache
        return dy * share * share, {}
