"""RMSprop, gradient descent by the root of a mean square."""

from dataclasses import dataclass
from typing import ClassVar

from array_api_compat import array_namespace

from anynet.core.checks import store, true_or_false
from anynet.core.typing import Array, Arrays
from anynet.optim.base import Optimizer, convert_positive, convert_settings, factor


@dataclass(frozen=True)
class RMSprop(Optimizer):
    r"""Gradient descent with gradients divided by the root of their mean square.

    .. math:: v_t = \alpha v_{t-1} + (1 - \alpha) g_t^2, \quad
              b_t = \rho b_{t-1} + \frac{g_t}{\sqrt{v_t} + \epsilon}, \quad
              \theta_t = \theta_{t-1} - \eta \, b_t

    and if `centered`, with the variance :math:`v_t - \bar g_t^2`, where
    :math:`\bar g_t = \alpha \bar g_{t-1} + (1 - \alpha) g_t`, in place of :math:`v_t` below the root.

    Parameters
    ----------
    lr : float or callable
        Learning rate η, positive, or a schedule; see ``anynet.schedules``.
    alpha : float
        Decay rate α of the means, in [0, 1).
    eps : float
        Constant ε added to the root, positive.
    momentum : float or tuple of float
        Momentum ρ in [0, 1), shared or one per member.
    centered : bool
        True for the variance.

    Raises
    ------
    ValueError
        If a setting is out of range.

    Notes
    -----
    As in PyTorch, which adds ε to the root; Graves adds it to the variance below the root. A variance that rounding
    makes negative is taken for 0.

    References
    ----------
    Tieleman, Hinton (2012), Lecture 6.5: rmsprop. Neural networks for machine learning, Coursera.
    Graves (2013), Generating sequences with recurrent neural networks, equations 38 to 41.
    https://arxiv.org/abs/1308.0850

    Examples
    --------
    >>> import numpy as np
    >>> rmsprop, params = RMSprop(lr=0.1, alpha=0.75), np.asarray([1.0, 1.0])
    >>> params, state = rmsprop.update(params, np.asarray([2.0, -0.01]), rmsprop.init(params))
    >>> np.round(params, 6)
    array([0.8, 1.2])
    """

    PER_MEMBER: ClassVar[tuple[str, ...]] = ("momentum",)
    alpha: float = 0.99
    eps: float = 1e-8
    momentum: float | tuple[float, ...] = 0.0
    centered: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        convert_settings(self, "alpha", "momentum", below=1)
        convert_positive(self, "eps")
        store(self, "centered", true_or_false("centered", self.centered))

    def init(self, params: Array) -> Arrays:
        """Return the mean square "v", and the "mean" and the "velocity" b where they are needed, all 0."""
        names = ["v", *(["mean"] if self.centered else []), *(["velocity"] if self.momentum else [])]
        return {name: array_namespace(params).zeros_like(params) for name in names}

    def update(
        self, params: Array, grads: Array, state: Arrays, lr: Array | float | None = None
    ) -> tuple[Array, Arrays]:
        """Return ``params - lr b`` and the new means and velocity."""
        lr, xp = self.rate(params, grads, lr), array_namespace(params)
        square = self.alpha * state["v"] + (1 - self.alpha) * grads * grads
        after, variance = {"v": square}, square
        if self.centered:
            mean = self.alpha * state["mean"] + (1 - self.alpha) * grads
            after["mean"], variance = mean, xp.maximum(square - mean * mean, 0.0)
        direction = grads / (xp.sqrt(variance) + self.eps)
        if self.momentum:
            direction = factor(self.momentum, params) * state["velocity"] + direction
            after["velocity"] = direction
        return params - lr[..., None] * direction, after
