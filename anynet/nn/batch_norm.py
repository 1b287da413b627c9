"""Batch normalization."""

from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from anynet.core.checks import real_number, store, store_not_negative
from anynet.core.typing import Array, Arrays
from anynet.core.validated import is_validated
from anynet.nn.initializers import Ones, Zeros
from anynet.nn.layer import INFERRED, Parameter, known
from anynet.nn.per_feature import PerFeature


@dataclass(frozen=True)
class BatchNorm(PerFeature):
    r"""Batch normalization: each feature with mean 0 and variance 1 over the batch, then scaled and shifted.

    .. math:: y = \gamma \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta

    In training, :math:`\mu` and :math:`\sigma^2` are the mean and the *biased* variance (divided by N) of the batch.
    In evaluation they are the running statistics, which training updates as

        running = (1 - momentum) * running + momentum * batch

    with the *unbiased* variance (divided by N - 1), as in PyTorch. A batch of one sample, which is mapped to the shift
    whatever it is, is refused in training; only the shorter last batch of an epoch may be one, after a warning.

    Parameters
    ----------
    n : int
        Number of features, at least 1. Default: that of the input, in a `Sequential`.
    momentum : float
        Weight of the newest batch in the running statistics, in (0, 1]. The paper and Keras call 1 - momentum so.
    eps : float
        Constant :math:`\epsilon` added to the variance, for features that are constant.

    Raises
    ------
    TypeError, ValueError
        If a setting is of another type or out of range.

    References
    ----------
    Ioffe, Szegedy (2015), Batch normalization: accelerating deep network training by reducing internal covariate
    shift, algorithm 1, and section 3 for the derivatives. https://arxiv.org/abs/1502.03167

    Examples
    --------
    >>> import numpy as np
    >>> layer = BatchNorm(1, eps=0.0)
    >>> params = {"gamma": np.ones(1), "beta": np.zeros(1)}
    >>> state = {"mean": np.zeros(1), "var": np.ones(1)}
    >>> y, cache, state = layer.forward(params, state, np.asarray([[1.0], [3.0]]), train=True)
    >>> y.tolist(), state
    ([[-1.0], [1.0]], {'mean': array([0.2]), 'var': array([1.1])})
    """

    n: int = INFERRED
    momentum: float = 0.1
    eps: float = 1e-5

    def __post_init__(self) -> None:
        super().__post_init__()
        store(self, "momentum", real_number(f"{self}: momentum", self.momentum))
        if not 0 < self.momentum <= 1:
            raise ValueError(f"{self}: expected momentum, the weight of the newest batch, in (0, 1]")
        store_not_negative(self, "eps")

    def parameters(self) -> dict[str, Parameter]:
        """Return the scale "gamma" and the shift "beta", of shape (n,)."""
        n = known(self, self.n)
        return {"gamma": Parameter((n,), Ones()), "beta": Parameter((n,), Zeros())}

    def state(self) -> dict[str, Parameter]:
        """Return the running "mean" and "var", of shape (n,)."""
        n = known(self, self.n)
        return {"mean": Parameter((n,), Zeros()), "var": Parameter((n,), Ones())}

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Any, Arrays]:
        """Return ``gamma (x - mean) / sqrt(var + eps) + beta`` and the new running statistics."""
        xp = array_namespace(x)
        if train:
            N = self._samples(x.shape[-2])
            if N < 2 and not is_validated():
                raise ValueError(
                    f"{self}: expected 2 samples or more in training, since one alone is mapped to the shift, got {N}"
                )
            mean = self._mean(xp.mean(x, axis=-2))
            centered = x - mean[..., None, :]
            var = self._mean(xp.mean(centered * centered, axis=-2))
            state = {
                "mean": (1 - self.momentum) * state["mean"] + self.momentum * mean,
                "var": (1 - self.momentum) * state["var"] + self.momentum * N / max(N - 1, 1) * var,
            }
        else:
            centered, var = x - state["mean"][..., None, :], state["var"]
        inv_std = 1.0 / xp.sqrt(var + self.eps)
        x_hat = centered * inv_std[..., None, :]
        y = params["gamma"][..., None, :] * x_hat + params["beta"][..., None, :]
        return y, (x_hat, inv_std, train), state

    def backward(self, params: Arrays, cache: Any, dy: Array) -> tuple[Array, Arrays]:
        """Return ``gamma / std (dy - mean(dy) - x_hat mean(dy x_hat))``; in evaluation ``gamma / std dy``."""
        (x_hat, inv_std, train), xp = cache, array_namespace(dy)
        grads = {"gamma": xp.sum(dy * x_hat, axis=-2), "beta": xp.sum(dy, axis=-2)}
        dx = dy
        if train:  # the mean and the variance depend on x, too
            beta, gamma, N = self._sums(grads["beta"], grads["gamma"], dy.shape[-2])
            dx = dy - (beta[..., None, :] + x_hat * gamma[..., None, :]) / N
        return (params["gamma"] * inv_std)[..., None, :] * dx, grads

    # If several processes have a part of the batch each, the statistics are over all parts: see `SharedBatchNorm`.

    def _samples(self, n: int) -> int:
        """Return the number of samples of the batch, given that of this part."""
        return n

    def _mean(self, mean: Array) -> Array:
        """Return the mean over the batch, given that over this part."""
        return mean

    def _sums(self, beta: Array, gamma: Array, n: int) -> tuple[Array, Array, int]:
        """Return the sums over the batch and the number of their terms, given those of this part."""
        return beta, gamma, n
