"""One batch of images and labels, and how it is made from its plan on the device."""

from typing import NamedTuple

from array_api_compat import array_namespace

from anynet.core.tree import flatten
from anynet.core.typing import Array
from anynet.data.augmentation import Augmentation


class Batch(NamedTuple):
    """Images and labels of a training step, on the device.

    Attributes
    ----------
    x : array of uint8, shape (n, values)
    y : array of int64, shape (n,)
    """

    x: Array
    y: Array


class Plan(NamedTuple):
    """Instructions for one batch, or for S batches of equal size, as arrays on the device.

    Attributes
    ----------
    index : array of int64, shape (n,) or (S, n)
        Indices of the images.
    draws : dict of str to array, shapes (n, ...) or (S, n, ...)
        Random numbers from `Augmentation.draw`.
    x : array of uint8, shape (n, values) or (S, n, values), or None
        The images at `index`. None if all images are on the device already.
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


def gather(images: Array | None, labels: Array, plan: Plan, augmentation: Augmentation | None) -> Batch:
    """Make one batch.

    Parameters
    ----------
    images : array of uint8, shape (N, values), or None
        All images, on the device. None if `plan` contains those of the batch.
    labels : array of int64, shape (N,)
        All labels, on the device.
    plan : Plan
        Of one batch.
    augmentation : Augmentation or None

    Returns
    -------
    Batch
    """
    take = array_namespace(labels).take
    chosen = take(images, plan.index, axis=0) if plan.x is None else plan.x
    augmented = chosen if augmentation is None else augmentation(chosen, plan.draws)
    return Batch(augmented, take(labels, plan.index, axis=0))
