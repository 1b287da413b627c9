"""Activation functions that are x times a gate between 0 and 1, which depends on x."""

import math
from dataclasses import dataclass

from array_api_compat import array_namespace

from anynet.core.typing import Array, Arrays
from anynet.nn.layer import Layer
from anynet.nn.normal_cdf import normal_cdf

Pair = tuple[Array, Array]


@dataclass(frozen=True)
class GELU(Layer):
    r"""Gaussian error linear unit, :math:`y = x \Phi(x)`, with the normal distribution function :math:`\Phi`.

    Parameters
    ----------
    approximate : {"tanh", "none"}
        "tanh", the default here and in JAX, replaces :math:`\Phi(x)` by
        :math:`(1 + \tanh(\sqrt{2 / \pi} (x + 0.044715 x^3))) / 2`, which differs by less than 0.0003 and takes less
        time. "none" is exact, as PyTorch's default is.

    Raises
    ------
    ValueError
        If `approximate` is something else.

    References
    ----------
    Hendrycks, Gimpel (2016), Gaussian error linear units, section 2. https://arxiv.org/abs/1606.08415

    Examples
    --------
    >>> import numpy as np
    >>> x = np.asarray([[-1e4, 1.0, 1e4]])
    >>> GELU("none").forward({}, {}, x, train=True)[0].round(4).tolist()
    [[-0.0, 0.8413, 10000.0]]
    """

    approximate: str = "tanh"

    def __post_init__(self) -> None:
        if self.approximate not in ("tanh", "none"):
            raise ValueError(f'{self}: expected approximate "tanh" or "none"')

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Pair, Arrays]:
        """Return ``x gate(x)``; the cache is the gate and its derivative times x."""
        if self.approximate == "none":
            gate, density = normal_cdf(x)
            return x * gate, (gate, x * density), state
        xp, a = array_namespace(x), math.sqrt(2 / math.pi)
        tanh = xp.tanh(a * x * (1.0 + 0.044715 * x * x))
        gate = 0.5 * (1.0 + tanh)
        growth = xp.minimum(3 * 0.044715 * x * x, 1e6)  # where the other factor is 0, which times infinity is NaN
        slope = 0.5 * a * x * (1.0 - tanh * tanh) * (1.0 + growth)
        return x * gate, (gate, slope), state

    def backward(self, params: Arrays, cache: Pair, dy: Array) -> tuple[Array, Arrays]:
        """Return ``dx = dy (gate(x) + x gate'(x))``."""
        gate, slope = cache
        return dy * (gate + slope), {}


@dataclass(frozen=True)
class SiLU(Layer):
    r"""Sigmoid linear unit, or swish: :math:`y = x \sigma(x)` with :math:`\sigma(x) = 1 / (1 + e^{-x})`.

    References
    ----------
    Elfwing, Uchibe, Doya (2018), Sigmoid-weighted linear units for neural network function approximation in
    reinforcement learning, section 2. https://arxiv.org/abs/1702.03118

    Examples
    --------
    >>> import numpy as np
    >>> SiLU().forward({}, {}, np.asarray([[-1e4, 0.0, 1e4]]), train=True)[0].tolist()
    [[-0.0, 0.0, 10000.0]]
    """

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Pair, Arrays]:
        """Return ``x (tanh(x / 2) + 1) / 2``; the cache is x and the gate."""
        gate = 0.5 * (array_namespace(x).tanh(0.5 * x) + 1.0)
        return x * gate, (x, gate), state

    def backward(self, params: Arrays, cache: Pair, dy: Array) -> tuple[Array, Arrays]:
        """Return ``dx = dy gate (1 + x (1 - gate))``."""
        x, gate = cache
        return dy * gate * (1.0 + x * (1.0 - gate)), {}


@dataclass(frozen=True)
class Hardswish(Layer):
    r"""Piecewise quadratic SiLU, :math:`y = x \min(\max(x + 3, 0), 6) / 6`, with the left derivatives at -3 and 3.

    References
    ----------
    Howard et al. (2019), Searching for MobileNetV3, section 5.2. https://arxiv.org/abs/1905.02244

    Examples
    --------
    >>> import numpy as np
    >>> Hardswish().forward({}, {}, np.asarray([[-4.0, 0.0, 1.5, 4.0]]), train=True)[0].tolist()
    [[-0.0, 0.0, 1.125, 4.0]]
    """

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Array, Arrays]:
        """Return ``x min(max(x + 3, 0), 6) / 6``; the cache is x."""
        xp = array_namespace(x)
        return x * (xp.minimum(xp.maximum(x + 3.0, 0.0), 6.0) / 6), x, state

    def backward(self, params: Arrays, cache: Array, dy: Array) -> tuple[Array, Arrays]:
        """Return dx: 0 where ``x <= -3``, ``dy (2 x + 3) / 6`` where ``x <= 3``, dy elsewhere."""
        x, xp = cache, array_namespace(dy)
        return xp.where(x > 3, dy, xp.where(x > -3, dy * (x / 3 + 0.5), 0.0)), {}
