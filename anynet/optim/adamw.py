"""AdamW, Adam with decoupled weight decay."""

import math
from dataclasses import dataclass
from typing import ClassVar

from anynet.core.typing import Array, Arrays
from anynet.optim.adam import Adam
from anynet.optim.base import convert_settings
from anynet.optim.decay import Places, descend


@dataclass(frozen=True)
class AdamW(Adam):
    r"""Adam with decoupled weight decay.

    .. math:: \theta_t = (1 - \eta \lambda) \, \theta_{t-1}
              - \eta \, \frac{m_t / (1 - \beta_1^t)}{\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}

    with the moments m and v of `Adam`.

    Parameters
    ----------
    lr, beta1, beta2, eps : float or tuple of float
        As for `Adam`.
    weight_decay : float or tuple of float
        Decay λ of the weights, 0 or more, shared or one per member. Of all parameters if ``update`` is given no layout.

    Raises
    ------
    ValueError
        If a setting is out of range.

    Notes
    -----
    The learning rate multiplies the decay, as in PyTorch.

    References
    ----------
    Loshchilov, Hutter (2019), Decoupled weight decay regularization, algorithm 2. https://arxiv.org/abs/1711.05101

    Examples
    --------
    >>> import numpy as np
    >>> adamw, params = AdamW(lr=0.1, weight_decay=0.5), np.asarray([1.0, 1.0])
    >>> params, state = adamw.update(params, np.asarray([2.0, 0.0]), adamw.init(params))
    >>> np.round(params, 6)
    array([0.85, 0.95])
    """

    PER_MEMBER: ClassVar[tuple[str, ...]] = ("weight_decay",)
    weight_decay: float | tuple[float, ...] = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        convert_settings(self, "weight_decay", below=math.inf)

    def update(
        self,
        params: Array,
        grads: Array,
        state: Arrays,
        lr: Array | float | None = None,
        *,
        layout: Places | None = None,
    ) -> tuple[Array, Arrays]:
        """Return the parameters after Adam's step and the decay, and the new moments."""
        lr = self.rate(params, grads, lr)
        step, state = self.step(grads, state, lr)
        return descend(params, step, lr[..., None], self.weight_decay, layout), state
