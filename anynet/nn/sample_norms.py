"""Normalization of each sample by its own features, the same in training and in evaluation."""

from dataclasses import dataclass
from typing import ClassVar

from array_api_compat import array_namespace

from anynet.core.checks import store, store_not_negative, whole_number
from anynet.core.typing import Array, Arrays
from anynet.nn.initializers import Ones, Zeros
from anynet.nn.layer import INFERRED, Parameter, known
from anynet.nn.per_feature import PerFeature

Pair = tuple[Array, Array]


class SampleNorm(PerFeature):
    """Base class of `LayerNorm` and `GroupNorm`, with `n` features in `groups`."""

    groups: int
    eps: float

    def __post_init__(self) -> None:
        super().__post_init__()
        n = 2 * self.groups if self.n is INFERRED else self.n
        if self.groups < 1 or n < 2 * self.groups or n % self.groups:
            raise ValueError(f"{self}: expected 2 features or more in each group, the same number in all")
        store_not_negative(self, "eps")

    def parameters(self) -> dict[str, Parameter]:
        """Return the scale "gamma" and the shift "beta", of shape (n,)."""
        n = known(self, self.n)
        return {"gamma": Parameter((n,), Ones()), "beta": Parameter((n,), Zeros())}

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Pair, Arrays]:
        """Return ``gamma (x - mean) / sqrt(var + eps) + beta``; the cache is in groups."""
        xp, x = array_namespace(x), self._grouped(x)
        centered = x - xp.mean(x, axis=-1, keepdims=True)
        inv_std = 1.0 / xp.sqrt(xp.mean(centered * centered, axis=-1, keepdims=True) + self.eps)
        x_hat = centered * inv_std
        y = params["gamma"][..., None, :] * self._flat(x_hat) + params["beta"][..., None, :]
        return y, (x_hat, inv_std), state

    def backward(self, params: Arrays, cache: Pair, dy: Array) -> tuple[Array, Arrays]:
        """Return ``(g - mean(g) - x_hat mean(g x_hat)) / std`` with ``g = gamma dy``, and the gradients."""
        (x_hat, inv_std), xp = cache, array_namespace(dy)
        grads = {"gamma": xp.sum(dy * self._flat(x_hat), axis=-2), "beta": xp.sum(dy, axis=-2)}
        g = self._grouped(params["gamma"][..., None, :] * dy)
        mean, slope = xp.mean(g, axis=-1, keepdims=True), xp.mean(g * x_hat, axis=-1, keepdims=True)
        return self._flat(inv_std * (g - mean - x_hat * slope)), grads

    def _grouped(self, x: Array) -> Array:
        """Return the features of each group on the last axis."""
        if self.groups == 1:
            return x
        return array_namespace(x).reshape(x, (*x.shape[:-1], self.groups, self.n // self.groups))

    def _flat(self, x: Array) -> Array:
        """Return all features on the last axis."""
        return x if self.groups == 1 else array_namespace(x).reshape(x, (*x.shape[:-2], self.n))


@dataclass(frozen=True)
class LayerNorm(SampleNorm):
    r"""Layer normalization: each sample with mean 0 and variance 1 over its features, then scaled and shifted.

    .. math:: y = \gamma \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta

    with the mean :math:`\mu` and the biased variance :math:`\sigma^2` of the features of a sample.

    Parameters
    ----------
    n : int
        Number of features, at least 2: one alone is mapped to the shift. Default: that of the input, in a `Sequential`.
    eps : float
        Constant :math:`\epsilon` added to the variance, for samples whose features are equal.

    Raises
    ------
    TypeError, ValueError
        If a setting is of another type or out of range.

    References
    ----------
    Ba, Kiros, Hinton (2016), Layer normalization, section 3. https://arxiv.org/abs/1607.06450

    Examples
    --------
    >>> import numpy as np
    >>> params = {"gamma": np.ones(2), "beta": np.asarray([0.0, 5.0])}
    >>> LayerNorm(2, eps=0.0).forward(params, {}, np.asarray([[1.0, 3.0]]), train=True)[0]
    array([[-1.,  6.]])
    """

    groups: ClassVar[int] = 1  # type: ignore[misc]

    n: int = INFERRED
    eps: float = 1e-5


@dataclass(frozen=True)
class GroupNorm(SampleNorm):
    r"""Group normalization: as `LayerNorm`, but with mean and variance of each group of neighboring features.

    Parameters
    ----------
    groups : int
        Number of groups.
    n : int
        Number of features, a multiple of `groups`, with at least 2 in each: one alone is mapped to the shift. Default:
        that of the input, in a `Sequential`.
    eps : float
        Constant :math:`\epsilon` added to the variance, for groups whose features are equal.

    Raises
    ------
    TypeError, ValueError
        If a setting is of another type or out of range.

    References
    ----------
    Wu, He (2018), Group normalization, section 3. https://arxiv.org/abs/1803.08494

    Examples
    --------
    >>> import numpy as np
    >>> params = {"gamma": np.ones(4), "beta": np.zeros(4)}
    >>> x = np.asarray([[1.0, 3.0, 10.0, 30.0]])
    >>> GroupNorm(2, 4, eps=0.0).forward(params, {}, x, train=True)[0]
    array([[-1.,  1., -1.,  1.]])
    """

    groups: int
    n: int = INFERRED
    eps: float = 1e-5

    def __post_init__(self) -> None:
        store(self, "groups", whole_number(f"{self}: groups", self.groups))
        super().__post_init__()
