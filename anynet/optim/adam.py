"""Adam, gradient descent with adaptive moments."""

import math
from dataclasses import dataclass

from array_api_compat import array_namespace, device

from anynet.core.typing import Array, Arrays, Namespace
from anynet.optim.base import Optimizer, convert_positive, convert_settings
from anynet.optim.schedules import Schedule


@dataclass(frozen=True)
class Adam(Optimizer):
    r"""Gradient descent with adaptive moments.

    .. math:: m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t, \quad v_t = \beta_2 v_{t-1} + (1 - \beta_2) g_t^2, \quad
              \theta_t = \theta_{t-1} - \eta \, \frac{m_t / (1 - \beta_1^t)}{\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}

    Parameters
    ----------
    lr : float or callable
        Learning rate η, positive, or a schedule; see ``anynet.schedules``.
    beta1, beta2 : float
        Decay rates of the first and second moment, in [0, 1).
    eps : float
        Constant ε added to the root, positive, for parameters whose gradients are zero.

    Raises
    ------
    ValueError
        If a setting is out of range.

    References
    ----------
    Kingma, Ba (2015), Adam: a method for stochastic optimization, algorithm 1. https://arxiv.org/abs/1412.6980

    Examples
    --------
    >>> import numpy as np
    >>> adam, params = Adam(lr=0.1), np.asarray([1.0, 1.0])
    >>> params, state = adam.update(params, np.asarray([2.0, -0.01]), adam.init(params))
    >>> np.round(params, 6)  # the size of the first step is the learning rate
    array([0.9, 1.1])
    """

    lr: float | Schedule = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        convert_settings(self, "beta1", "beta2", below=1)
        convert_positive(self, "eps")

    def init(self, params: Array) -> Arrays:
        """Return the moments "m" and "v" and the number of steps "t", all 0."""
        xp = array_namespace(params)
        return {
            "m": xp.zeros_like(params),
            "v": xp.zeros_like(params),
            "t": xp.zeros((), dtype=params.dtype, device=device(params)),
        }

    def update(
        self, params: Array, grads: Array, state: Arrays, lr: Array | float | None = None
    ) -> tuple[Array, Arrays]:
        """Return ``params - lr m_hat / (sqrt(v_hat) + eps)`` and the new moments."""
        step, state = self.step(grads, state, self.rate(params, grads, lr))
        return params - step, state

    def step(self, grads: Array, state: Arrays, lr: Array) -> tuple[Array, Arrays]:
        """Return ``lr m_hat / (sqrt(v_hat) + eps)`` and the new moments."""
        t = state["t"] + 1
        m = self.beta1 * state["m"] + (1 - self.beta1) * grads
        v = self.beta2 * state["v"] + (1 - self.beta2) * grads * grads
        return self.scaled(m, v, t, lr), {"m": m, "v": v, "t": t}

    def scaled(self, m: Array, v: Array, t: Array, lr: Array) -> Array:
        """Return ``lr m_hat / (sqrt(v_hat) + eps)`` of moments."""
        xp = array_namespace(m)
        m_hat, v_hat = m * _correction(xp, self.beta1, t), v * _correction(xp, self.beta2, t)
        return lr[..., None] * m_hat / (xp.sqrt(v_hat) + self.eps)


def bias_correction(xp: Namespace[Array], beta: float, t: Array) -> Array:
    """Return 1 / (1 - β^t), by expm1: in float32, 1 - β^t loses four digits in the first steps."""
    return -1 / xp.expm1(t * math.log(beta))


def _correction(xp: Namespace[Array], beta: float, t: Array) -> Array | float:
    return bias_correction(xp, beta, t) if beta else 1.0
