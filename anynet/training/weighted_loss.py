"""Losses of samples that have weights."""

from array_api_compat import array_namespace

from anynet.core.typing import Array
from anynet.data.batch import Batch
from anynet.nn.losses import Loss


def batch_loss(loss: Loss, outputs: Array, batch: Batch) -> tuple[Array, Array]:
    r"""Return the loss of a batch and its gradient, weighted if the batch has weights.

    .. math:: L = \frac{1}{W} \sum_i w_i \ell_i, \quad W = \sum_i w_i

    for the losses :math:`\ell_i` of the samples. Each is asked for as the loss of a batch of one: losses take leading
    axes, and a sample is put on one. A batch of which all weights are 0 has loss 0.

    Parameters
    ----------
    loss : callable
        As in `anynet.losses`.
    outputs : array, shape (..., N, n_out)
    batch : Batch

    Returns
    -------
    loss : array, shape (...)
    grad : array, shape (..., N, n_out)
    """
    if batch.weights is None:
        return loss(outputs, batch.y)
    xp = array_namespace(outputs)
    each = batch.y[..., None, :] if batch.y.ndim == batch.x.ndim else batch.y[..., None]
    members = outputs.shape[:-2]
    losses, grads = loss(outputs[..., None, :], xp.broadcast_to(each, (*members, *each.shape[batch.x.ndim - 2 :])))
    total = total_weight(batch)
    share = batch.weights / xp.where(total > 0, total, xp.ones_like(total))[..., None]
    return xp.sum(losses * share, axis=-1), grads[..., 0, :] * share[..., None]


def total_weight(batch: Batch) -> Array | int:
    """Return the sum of the weights of a batch, which is its number of samples if they have none."""
    return batch.x.shape[-2] if batch.weights is None else array_namespace(batch.weights).sum(batch.weights, axis=-1)
