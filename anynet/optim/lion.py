"""Lion, descent by the signs of a momentum."""

import math
from dataclasses import dataclass
from typing import ClassVar

from array_api_compat import array_namespace

from anynet.core.typing import Array, Arrays
from anynet.optim.base import Optimizer, convert_settings
from anynet.optim.decay import Places, descend
from anynet.optim.schedules import Schedule


@dataclass(frozen=True)
class Lion(Optimizer):
    r"""Descent by the signs of an interpolation between momentum and gradient.

    .. math:: \theta_t = (1 - \eta \lambda) \, \theta_{t-1}
              - \eta \, \operatorname{sign}(\beta_1 m_{t-1} + (1 - \beta_1) g_t), \quad
              m_t = \beta_2 m_{t-1} + (1 - \beta_2) g_t

    Parameters
    ----------
    lr : float or callable
        Learning rate η, positive, or a schedule; see ``anynet.schedules``. A third to a tenth of that for Adam.
    beta1, beta2 : float
        Factors of the momentum in the sign and in the new momentum, in [0, 1).
    weight_decay : float or tuple of float
        Decay λ of the weights, 0 or more, shared or one per member. Of all parameters if ``update`` is given no layout.

    Raises
    ------
    ValueError
        If a setting is out of range.

    References
    ----------
    Chen et al. (2023), Symbolic discovery of optimization algorithms, algorithm 2. https://arxiv.org/abs/2302.06675

    Examples
    --------
    >>> import numpy as np
    >>> lion, params = Lion(lr=0.25), np.asarray([1.0, 1.0, 1.0])
    >>> params, state = lion.update(params, np.asarray([2.0, -0.01, 0.0]), lion.init(params))
    >>> params
    array([0.75, 1.25, 1.  ])
    """

    PER_MEMBER: ClassVar[tuple[str, ...]] = ("weight_decay",)
    lr: float | Schedule = 0.0001
    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float | tuple[float, ...] = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        convert_settings(self, "beta1", "beta2", below=1)
        convert_settings(self, "weight_decay", below=math.inf)

    def init(self, params: Array) -> Arrays:
        """Return the momentum "m", 0."""
        return {"m": array_namespace(params).zeros_like(params)}

    def update(
        self,
        params: Array,
        grads: Array,
        state: Arrays,
        lr: Array | float | None = None,
        *,
        layout: Places | None = None,
    ) -> tuple[Array, Arrays]:
        """Return the parameters after a step of the size ``lr`` and the decay, and the new momentum."""
        lr, m = self.rate(params, grads, lr), state["m"]
        sign = array_namespace(params).sign(self.beta1 * m + (1 - self.beta1) * grads)
        params = descend(params, lr[..., None] * sign, lr[..., None], self.weight_decay, layout)
        return params, {"m": self.beta2 * m + (1 - self.beta2) * grads}
