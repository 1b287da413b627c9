"""One batch of samples and targets, and how it is made from its plan on the device."""

from typing import NamedTuple

from array_api_compat import array_namespace

from anynet.core.tree import flatten
from anynet.core.typing import Array
from anynet.data.augmentation import Augmentation
from anynet.data.normalization import Normalization


class Batch(NamedTuple):
    """Samples and targets of a training step, on the device.

    Attributes
    ----------
    x : array, shape (n, values)
        uint8, or of the dtype of the training.
    y : array, shape (n,) or (n, m)
        Class numbers, int64, or numbers of the dtype of the training.
    weights : array, shape (n,), or None
        Weights of the samples in the loss.
    kept : array of bool, shape (n, values), or None
        False for values that are to be 0 after normalization: those of a cutout.
    """

    x: Array
    y: Array
    weights: Array | None = None
    kept: Array | None = None

    def inputs(self, normalization: Normalization) -> Array:
        """Return the normalized samples, with zeros in place of those values that are not kept."""
        x = normalization(self.x)
        return x if self.kept is None else array_namespace(x).where(self.kept, x, 0.0)


class Plan(NamedTuple):
    """Instructions for one batch, or for S batches of equal size, as arrays on the device.

    Attributes
    ----------
    index : array of int64, shape (n,) or (S, n)
        Indices of the samples.
    draws : dict of str to array, shapes (n, ...) or (S, n, ...)
        Random numbers from `Augmentation.draw`.
    x : array, shape (n, values) or (S, n, values), or None
        The samples at `index`. None if all samples are on the device already.
    """

    index: Array  # type: ignore[assignment]  # tuple has a method of this name
    draws: dict[str, Array]
    x: Array | None = None

    def rows(self, which: int | slice) -> "Plan":
        """Return the plan of one of the S batches, or of a slice of them.

        Parameters
        ----------
        which : int or slice

        Returns
        -------
        Plan
        """
        leaves, rebuild = flatten(self)
        plan: Plan = rebuild([leaf[which, ...] for leaf in leaves])
        return plan


def gather(x: Array | None, y: Array, plan: Plan, augmentation: Augmentation | None, weights: Array | None) -> Batch:
    """Make one batch.

    Parameters
    ----------
    x : array, shape (N, values), or None
        All samples, on the device. None if `plan` contains those of the batch.
    y : array, shape (N,) or (N, m)
        All targets, on the device.
    plan : Plan
        Of one batch.
    augmentation : Augmentation or None
    weights : array, shape (N,), or None
        All weights, on the device.

    Returns
    -------
    Batch
    """
    take = array_namespace(y).take
    chosen = take(x, plan.index, axis=0) if plan.x is None else plan.x
    own = None if weights is None else take(weights, plan.index, axis=0)
    batch = Batch(chosen, take(y, plan.index, axis=0), own)
    if augmentation is None:
        return batch
    return batch._replace(x=augmentation(chosen, plan.draws), kept=augmentation.kept(plan.draws))


def check_batch_size(batch_size: int, samples: int) -> None:
    """Check a batch size against the number of training samples.

    Parameters
    ----------
    batch_size : int
    samples : int
        Number of training samples.

    Raises
    ------
    ValueError
        If the batch size is not in ``1 .. samples``.
    """
    if not 1 <= batch_size <= samples:
        raise ValueError(f"batch_size: expected 1 to {samples}, the number of training samples, got {batch_size}")
