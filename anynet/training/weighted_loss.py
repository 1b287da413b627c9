"""Losses of samples that have weights."""

from array_api_compat import array_namespace

from anynet.core.collective import sum_over_ranks
from anynet.core.share import Share
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


def share_of_loss(loss: Array, grad: Array, batch: Batch, share: Share) -> tuple[Array, Array]:
    """Return what a share of a batch adds to the loss of the batch, and its gradient.

    Parameters
    ----------
    loss, grad : array
        Of the share, as `batch_loss` returns them.
    batch : Batch
        The share.
    share : Share

    Returns
    -------
    loss, grad : array
        The loss of the batch is the sum of `loss` over the ranks.
    """
    if batch.weights is None:
        return share.weight * loss, share.weight * grad
    xp, own = array_namespace(loss), total_weight(batch)
    whole = sum_over_ranks(own, share.group)
    factor = own / xp.where(whole > 0, whole, xp.ones_like(whole))
    return factor * loss, factor * grad


def total_weight(batch: Batch) -> Array | int:
    """Return the sum of the weights of a batch, which is its number of samples if they have none."""
    return batch.x.shape[-2] if batch.weights is None else array_namespace(batch.weights).sum(batch.weights, axis=-1)
