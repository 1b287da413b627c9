"""Losses with weights of samples."""

from typing import NamedTuple

from array_api_compat import array_namespace

from anynet.core.typing import Array
from anynet.nn.losses import Loss


class Weighted(NamedTuple):
    """Targets of samples, with their weights.

    Attributes
    ----------
    y : array, shape (..., N) or (..., N, m)
        Class numbers, or numbers to predict.
    weights : array, shape (..., N)
        Of the dtype of the net.
    """

    y: Array
    weights: Array


def weighted(loss: Loss) -> Loss:
    r"""Return a loss that takes `Weighted` targets.

    .. math:: L = \sum_i \frac{w_i}{\sum_j w_j} L_i

    where :math:`L_i` is the loss of sample i alone, for which each sample is given to `loss` as a batch of one. A batch
    without any weight has loss and gradient 0.

    Parameters
    ----------
    loss : callable
        As in `anynet.losses`.

    Returns
    -------
    callable

    Examples
    --------
    >>> import numpy as np
    >>> from anynet import losses
    >>> targets = Weighted(np.asarray([[0.0], [5.0]]), np.asarray([1.0, 3.0]))
    >>> weighted(losses.mean_squared_error)(np.asarray([[2.0], [4.0]]), targets)  # (1 * 4 + 3 * 1) / 4
    (np.float64(1.75), array([[ 1. ],
           [-1.5]]))
    """

    def of_batch(outputs: Array, targets: Array) -> tuple[Array, Array]:
        xp, (y, weights) = array_namespace(outputs), targets
        alone = y[..., None, :] if y.ndim == outputs.ndim else y[..., None]
        values, gradients = loss(outputs[..., None, :], alone)
        total = xp.sum(weights, axis=-1, keepdims=True)
        share = weights / xp.maximum(total, float(xp.finfo(weights.dtype).smallest_normal))
        return xp.sum(share * values, axis=-1), share[..., None] * gradients[..., 0, :]

    return of_batch
