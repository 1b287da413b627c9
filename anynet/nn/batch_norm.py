"""Batch normalisation."""

from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from anynet.core.typing import Array, Arrays
from anynet.nn.initializers import Ones, Zeros
from anynet.nn.layer import Layer, Parameter


@dataclass(frozen=True)
class BatchNorm(Layer):
    r"""Each feature brought to mean 0 and variance 1 over the batch, then scaled and shifted.

    .. math:: y = \gamma \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta

    In training, :math:`\mu` and :math:`\sigma^2` are the mean and the *biased* variance (the sum divided by N) of the
    batch; otherwise they are the running ones, which training updates as

        running = (1 - momentum) * running + momentum * batch

    with the *unbiased* variance (divided by N - 1; for a batch of one, by 1). So ``momentum`` is the weight of the new
    batch, as in PyTorch; in the paper's and Keras's direction it would be 1 - momentum.

    n: how many features, on axis -1.
    momentum: weight of the newest batch in the running statistics, in (0, 1].
    eps: added to the variance, so that a constant feature is not divided by 0.

    Source: Ioffe & Szegedy 2015, "Batch normalization", algorithm 1 and the derivatives of section 3.
    https://arxiv.org/abs/1502.03167
    """

    n: int
    momentum: float = 0.1
    eps: float = 1e-5

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"{self}: expected 1 feature or more")
        if not 0 < self.momentum <= 1:
            raise ValueError(f"{self}: momentum is the weight of the newest batch, in (0, 1]")

    def features(self) -> tuple[int, int]:
        return self.n, self.n

    def parameters(self) -> dict[str, Parameter]:
        return {"gamma": Parameter((self.n,), Ones()), "beta": Parameter((self.n,), Zeros())}

    def state(self) -> dict[str, Parameter]:
        return {"mean": Parameter((self.n,), Zeros()), "var": Parameter((self.n,), Ones())}

    def multiply_adds(self) -> int:
        return self.n

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Any, Arrays]:
        xp, N = array_namespace(x), x.shape[-2]
        if train:
            mean = xp.mean(x, axis=-2)
            centred = x - mean[..., None, :]
            var = xp.mean(centred * centred, axis=-2)
            state = {
                "mean": (1 - self.momentum) * state["mean"] + self.momentum * mean,
                "var": (1 - self.momentum) * state["var"] + self.momentum * N / max(N - 1, 1) * var,
            }
        else:
            centred, var = x - state["mean"][..., None, :], state["var"]
        inv_std = 1.0 / xp.sqrt(var + self.eps)
        x_hat = centred * inv_std[..., None, :]
        y = params["gamma"][..., None, :] * x_hat + params["beta"][..., None, :]
        return y, (x_hat, inv_std, train), state

    def backward(self, params: Arrays, cache: Any, dy: Array) -> tuple[Array, Arrays]:
        (x_hat, inv_std, train), xp = cache, array_namespace(dy)
        grads = {"gamma": xp.sum(dy * x_hat, axis=-2), "beta": xp.sum(dy, axis=-2)}
        dx = dy
        if train:  # the mean and the variance depend on x too
            dx = dy - (grads["beta"][..., None, :] + x_hat * grads["gamma"][..., None, :]) / dy.shape[-2]
        return (params["gamma"] * inv_std)[..., None, :] * dx, grads
