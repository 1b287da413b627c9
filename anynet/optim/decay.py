"""Decoupled weight decay, which shrinks the weights and leaves biases and normalization parameters alone."""

from collections.abc import Mapping
from typing import Protocol

from array_api_compat import array_namespace, device

from anynet.core.typing import Array
from anynet.optim.base import factor


class Places(Protocol):
    """Places of the parameters in the vector, such as ``net.layout``."""

    @property
    def slots(self) -> Mapping[str, tuple[int, int, tuple[int, ...]]]:
        """First element, end and shape of each parameter, in the order of the vector."""

    @property
    def n_weights(self) -> int:
        """The weights are the first so many elements."""

    @property
    def size(self) -> int:
        """Length of the vector."""


def check_layout(layout: Places, params: Array) -> None:
    """Raise ValueError unless a layout is that of a vector."""
    if params.shape[-1:] != (layout.size,):
        raise ValueError(f"layout: expected that of params, of shape {tuple(params.shape)}, got one of {layout.size}")


def descend(
    params: Array, step: Array, rate: Array, weight_decay: float | tuple[float, ...], layout: Places | None
) -> Array:
    r"""Return parameters after a step, whose weights decay.

    .. math:: \theta_t = (1 - \eta \lambda) \, \theta_{t-1} - s_t

    Parameters
    ----------
    params, step : array, shape (..., P)
        Parameters θ, and what is subtracted, s.
    rate : array, shape (1,), (..., 1) or (..., P)
        Learning rate η.
    weight_decay : float or tuple of float
        Coefficient λ, shared or one per member.
    layout : Places or None
        Where the weights are. None: all parameters decay.

    Returns
    -------
    array, shape (..., P)

    References
    ----------
    Loshchilov, Hutter (2019), Decoupled weight decay regularization. https://arxiv.org/abs/1711.05101
    """
    if layout is not None:
        check_layout(layout, params)
    if not weight_decay:
        return params - step
    return (1 - of_weights(rate * factor(weight_decay, params), params, layout)) * params - step


def of_weights(decay: float | Array, params: Array, layout: Places | None) -> float | Array:
    """Return a coefficient for each parameter, 0 for those that are no weights; the same for all without a layout."""
    return decay if layout is None else decay * mask(params, layout.n_weights, layout.size - layout.n_weights)


def mask(params: Array, *lengths: int) -> Array:
    """Return a vector of ones and zeros, of alternating lengths: in a recorded step a constant.

    With it an update is one operation for the whole vector, which may be written over the old one; parts that are
    concatenated may not.
    """
    xp, kind = array_namespace(params), {"dtype": params.dtype, "device": device(params)}
    parts = [(xp.zeros if i % 2 else xp.ones)(length, **kind) for i, length in enumerate(lengths)]
    return xp.concat(parts)
