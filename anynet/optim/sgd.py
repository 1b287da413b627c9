"""Stochastic gradient descent."""

from dataclasses import dataclass
from typing import ClassVar

from array_api_compat import array_namespace

from anynet.core.typing import Array, Arrays
from anynet.optim.base import Optimizer, check, factor


@dataclass(frozen=True)
class SGD(Optimizer):
    r"""Gradient descent, with momentum where it is asked for.

    .. math:: v_t = \rho v_{t-1} + g_t, \quad \theta_t = \theta_{t-1} - \eta \, v_t

    and with Nesterov's look ahead :math:`\theta_t = \theta_{t-1} - \eta \, (g_t + \rho v_t)`.

    lr: η, the learning rate, or a schedule of it.
    momentum: ρ in [0, 1), or a tuple with one for each member. The rate multiplies the whole velocity, as in PyTorch;
        where it multiplies the gradient on its way into the velocity instead, the two differ while the rate changes.
    nesterov: whether to look ahead; needs a momentum.

    Source: Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning".
    https://proceedings.mlr.press/v28/sutskever13.html

    >>> import numpy as np
    >>> sgd, params, lr = SGD(lr=0.1, momentum=0.5), np.asarray([1.0]), np.asarray(0.1)
    >>> params, state = sgd.update(params, np.asarray([2.0]), sgd.init(params), lr)
    >>> params, state = sgd.update(params, np.asarray([2.0]), state, lr)
    >>> params, state
    (array([0.5]), {'velocity': array([3.])})
    """

    PER_MEMBER: ClassVar[tuple[str, ...]] = ("momentum",)
    momentum: float | tuple[float, ...] = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        each = self.momentum if isinstance(self.momentum, tuple) else (self.momentum,)
        if not all(0 <= rho < 1 for rho in each):
            raise ValueError(f"{self}: momentum must be in [0, 1)")
        if self.nesterov and not all(each):
            raise ValueError(f"{self}: Nesterov's look ahead needs a momentum above 0")

    def init(self, params: Array) -> Arrays:
        if not self.momentum:
            return {}
        return {"velocity": array_namespace(params).zeros_like(params)}

    def update(self, params: Array, grads: Array, state: Arrays, lr: Array) -> tuple[Array, Arrays]:
        check(params, grads, lr)
        if not self.momentum:
            return params - lr[..., None] * grads, state
        rho = factor(self.momentum, params)
        velocity = rho * state["velocity"] + grads
        direction = grads + rho * velocity if self.nesterov else velocity
        return params - lr[..., None] * direction, {"velocity": velocity}
