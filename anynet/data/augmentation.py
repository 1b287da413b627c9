"""Random changes of training images, made on the device.

The random numbers are drawn on the host, for a whole epoch at a time, so that they are the same on every backend.
"""

from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from anynet.core.seeding import Purpose, generator
from anynet.core.typing import Array
from anynet.data.dataset import IMAGE_SHAPE
from anynet.data.image_changes import crop, flip, ordered, outside, reverse

BORDERS = ("black", "reflect")
"""Kinds of the border that images are cropped from."""


class Augmentation(NamedTuple):
    """Random reversal, flip, crop and cutout of images, applied in this order.

    Attributes
    ----------
    flip : bool
        If True, each image is flipped left to right with probability 1/2.
    crop : int
        Width of the border on every side of which a window of the original size is cut out at random.
    reverse : bool
        If True, all values of each image of a batch are reversed (rows, columns and color channels), with
        probability 1/2 for each batch. One of the student reports did this where a left-right flip was intended.
    shape : tuple of int
        Channels, rows and columns of the images.
    border : {"black", "reflect"}
        Black pixels, or the image mirrored at its outermost pixels.
    alternate_flip : bool
        If True, each image is flipped in every other epoch; half of them, drawn at random, in the first.
    cutout : int
        Side of a square of pixels, within each image and at random, that are 0 after normalization.
    channels_last : bool
        If True, the values of an image are in the order (rows, columns, channels).

    References
    ----------
    Jordan (2024), 94 % on CIFAR-10 in 3.29 seconds on a single GPU: alternating flips, and crops of reflected images.
    https://arxiv.org/abs/2404.00498
    DeVries, Taylor (2017), Improved regularization of convolutional neural networks with cutout; here the whole square
    is within the image, as in airbench96. https://arxiv.org/abs/1708.04552,
    https://github.com/KellerJordan/cifar10-airbench

    Examples
    --------
    >>> import numpy as np
    >>> draws = Augmentation(flip=True).draw(seed=0, epoch=0, order=np.arange(5), batch_size=2)
    >>> draws["flipped"].shape
    (5,)
    """

    flip: bool = False
    crop: int = 0
    reverse: bool = False
    shape: tuple[int, ...] = IMAGE_SHAPE
    border: str = "black"
    alternate_flip: bool = False
    cutout: int = 0
    channels_last: bool = False

    def draw(self, seed: int, epoch: int, order: NDArray[np.int64], batch_size: int) -> dict[str, NDArray[Any]]:
        """Draw the random numbers of an epoch.

        Parameters
        ----------
        seed, epoch : int
            Key of the random numbers.
        order : ndarray of int64, shape (n,)
            Indices of the images in the order in which the epoch uses them: a permutation of ``0 .. n - 1``.
        batch_size : int
            Number of images of a batch, which are reversed alike.

        Returns
        -------
        dict of str to ndarray
            ``"flipped"``, bool, shape (n,); ``"offset"``, int64 in ``0 .. 2 * crop``, shape (n, 2); ``"reversed"``,
            bool, shape (n,); ``"corner"``, int64, first row and column of the square of the cutout, shape (n, 2). Entry
            i belongs to image ``order[i]``. All but reversals depend on seed, epoch and image, not on the order;
            reversals are equal within a batch. Settings that are off have no entry.
        """
        n = len(order)
        draws: dict[str, NDArray[Any]] = {}
        if self.flip:
            draws["flipped"] = generator(seed, Purpose.FLIP, epoch).random(n)[order] < 0.5
        if self.alternate_flip:
            first = generator(seed, Purpose.FLIP, 0).random(n)[order] < 0.5
            draws["flipped"] = first ^ (epoch % 2 == 1)
        if self.crop:
            draws["offset"] = generator(seed, Purpose.CROP, epoch).integers(0, 2 * self.crop + 1, (n, 2))[order]
        if self.reverse:
            batch = np.arange(n) // batch_size
            draws["reversed"] = generator(seed, Purpose.REVERSE, epoch).random(batch[-1] + 1)[batch] < 0.5
        if self.cutout:
            places = np.asarray(self.shape[-2:]) - self.cutout + 1
            draws["corner"] = generator(seed, Purpose.CUTOUT, epoch).integers(0, places, (n, 2))[order]
        return draws

    def __call__(self, images: Array, draws: dict[str, Array]) -> Array:
        """Apply all but the cutout, which comes after normalization; see `kept`.

        Parameters
        ----------
        images : array, shape (n, values)
        draws : dict of str to array
            Random numbers from `draw` for these images, on the same device.

        Returns
        -------
        array, shape (n, values)
            Of the dtype of `images`.
        """
        if self.reverse:
            images = reverse(images, draws["reversed"])
        shape, axes = ordered(self.shape, channels_last=self.channels_last)
        grid = array_namespace(images).reshape(images, (-1, *shape))
        if "flipped" in draws:
            grid = flip(grid, draws["flipped"], axes[1])
        if self.crop:
            grid = crop(grid, draws["offset"], self.crop, self.border, axes)
        return array_namespace(images).reshape(grid, images.shape)

    def kept(self, draws: dict[str, Array]) -> Array | None:
        """Return a mask of the values that the cutout keeps.

        Parameters
        ----------
        draws : dict of str to array
            Random numbers from `draw`.

        Returns
        -------
        array of bool, shape (n, values), or None
            None if there is no cutout.
        """
        if not self.cutout:
            return None
        mask = outside(draws["corner"], self.cutout, *ordered(self.shape, channels_last=self.channels_last))
        return array_namespace(mask).reshape(mask, (mask.shape[0], -1))
