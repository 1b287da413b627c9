"""Stochastic gradient descent."""

import math
from dataclasses import dataclass
from typing import ClassVar

from array_api_compat import array_namespace

from anynet.core.checks import store, true_or_false
from anynet.core.typing import Array, Arrays
from anynet.optim.base import Optimizer, convert_settings, factor
from anynet.optim.decay import Places, descend, of_weights


@dataclass(frozen=True)
class SGD(Optimizer):
    r"""Stochastic gradient descent, optionally with momentum and decoupled weight decay.

    .. math:: v_t = \rho v_{t-1} + g_t, \quad \theta_t = (1 - \eta \lambda) \, \theta_{t-1} - \eta \, v_t

    and with Nesterov momentum :math:`\theta_t = (1 - \eta \lambda) \, \theta_{t-1} - \eta \, (g_t + \rho v_t)`.

    Parameters
    ----------
    lr : float or callable
        Learning rate η, positive, or a schedule; see ``anynet.schedules``.
    momentum : float or tuple of float
        Momentum ρ in [0, 1), shared or one per member.
    nesterov : bool
        True for Nesterov momentum, which requires a momentum above 0.
    weight_decay : float or tuple of float
        Decay λ of the weights, 0 or more, shared or one per member. Of all parameters if ``update`` is given no layout.
    decoupled : bool
        True for the decay of SGDW, which enters neither gradient nor velocity; False for that of PyTorch's SGD, with
        :math:`g_t + \lambda \theta_{t-1}` in place of :math:`g_t`, as by the L2 penalty with λ / 2.

    Raises
    ------
    ValueError
        If a setting is out of range.

    Notes
    -----
    The learning rate multiplies the velocity, as in PyTorch. Sutskever et al. multiply the gradient before it is added
    to the velocity; the two differ when the learning rate changes.

    References
    ----------
    Sutskever, Martens, Dahl, Hinton (2013), On the importance of initialization and momentum in deep learning, section
    2. https://proceedings.mlr.press/v28/sutskever13.html
    Loshchilov, Hutter (2019), Decoupled weight decay regularization, algorithm 1. https://arxiv.org/abs/1711.05101

    Examples
    --------
    >>> import numpy as np
    >>> sgd, params = SGD(lr=0.1, momentum=0.5), np.asarray([1.0])
    >>> params, state = sgd.update(params, np.asarray([2.0]), sgd.init(params))
    >>> params, state = sgd.update(params, np.asarray([2.0]), state)
    >>> params, state
    (array([0.5]), {'velocity': array([3.])})
    """

    PER_MEMBER: ClassVar[tuple[str, ...]] = ("momentum", "weight_decay")
    momentum: float | tuple[float, ...] = 0.0
    nesterov: bool = False
    weight_decay: float | tuple[float, ...] = 0.0
    decoupled: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        convert_settings(self, "momentum", below=1)
        convert_settings(self, "weight_decay", below=math.inf)
        for name in ("nesterov", "decoupled"):
            store(self, name, true_or_false(name, getattr(self, name)))
        each = self.momentum if isinstance(self.momentum, tuple) else (self.momentum,)
        if self.nesterov and not all(each):
            raise ValueError(f"{self}: expected a momentum above 0 for nesterov=True")

    def init(self, params: Array) -> Arrays:
        """Return the "velocity", 0; an empty state without momentum."""
        if not self.momentum:
            return {}
        return {"velocity": array_namespace(params).zeros_like(params)}

    def update(
        self,
        params: Array,
        grads: Array,
        state: Arrays,
        lr: Array | float | None = None,
        *,
        layout: Places | None = None,
    ) -> tuple[Array, Arrays]:
        """Return ``params - lr v`` with the new velocity ``v = momentum v + grads``, or Nesterov's step, and decay."""
        lr, weight_decay = self.rate(params, grads, lr), self.weight_decay
        if weight_decay and not self.decoupled:
            grads, weight_decay = grads + of_weights(factor(weight_decay, params), params, layout) * params, 0.0
        if not self.momentum:
            return descend(params, lr[..., None] * grads, lr[..., None], weight_decay, layout), state
        rho = factor(self.momentum, params)
        velocity = rho * state["velocity"] + grads
        direction = grads + rho * velocity if self.nesterov else velocity
        params = descend(params, lr[..., None] * direction, lr[..., None], weight_decay, layout)
        return params, {"velocity": velocity}
