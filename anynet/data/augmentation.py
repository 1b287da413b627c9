"""Random changes of training images, made on the device.

The random numbers are drawn on the host, for a whole epoch at a time, so that they are the same on every backend.
"""

from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from anynet.core.seeding import Purpose, generator
from anynet.core.typing import Array
from anynet.data.dataset import IMAGE_SHAPE


class Augmentation(NamedTuple):
    """Random reversal, flip and crop of images, applied in this order.

    Attributes
    ----------
    flip : bool
        If True, each image is flipped left to right with probability 1/2.
    crop : int
        Number of black pixels added on every side before a window of the original size is cut out at random.
    reverse : bool
        If True, all values of each image of a batch are reversed (rows, columns and color channels), with
        probability 1/2 for each batch. One of the student reports did this where a left-right flip was intended.
    shape : tuple of int
        Channels, rows and columns of the images.

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

    def draw(self, seed: int, epoch: int, order: NDArray[np.int64], batch_size: int) -> dict[str, NDArray[Any]]:
        """Draw the random numbers of an epoch.

        Parameters
        ----------
        seed, epoch : int
            Key of the random numbers.
        order : ndarray of int64, shape (n,)
            Indices of the images in the order in which the epoch uses them: a permutation of ``0 .. n - 1``.
        batch_size : int

        Returns
        -------
        dict of str to ndarray
            ``"flipped"``, bool, shape (n,); ``"offset"``, int64 in ``0 .. 2 * crop``, shape (n, 2); ``"reversed"``,
            bool, shape (n,). Entry i belongs to image ``order[i]``. Flips and offsets depend on seed, epoch and image,
            not on the order; reversals are equal within a batch. Settings that are off have no entry.
        """
        n = len(order)
        draws: dict[str, NDArray[Any]] = {}
        if self.flip:
            draws["flipped"] = generator(seed, Purpose.FLIP, epoch).random(n)[order] < 0.5
        if self.crop:
            draws["offset"] = generator(seed, Purpose.CROP, epoch).integers(0, 2 * self.crop + 1, (n, 2))[order]
        if self.reverse:
            batch = np.arange(n) // batch_size
            draws["reversed"] = generator(seed, Purpose.REVERSE, epoch).random(batch[-1] + 1)[batch] < 0.5
        return draws

    def __call__(self, images: Array, draws: dict[str, Array]) -> Array:
        """Apply the augmentation.

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
        grid = array_namespace(images).reshape(images, (-1, *self.shape))
        if self.flip:
            grid = flip(grid, draws["flipped"])
        if self.crop:
            grid = crop(grid, draws["offset"], self.crop)
        return array_namespace(images).reshape(grid, images.shape)


def reverse(images: Array, mask: Array) -> Array:
    """Reverse the values of the images selected by `mask`.

    Parameters
    ----------
    images : array, shape (n, values)
    mask : array of bool, shape (n,)

    Returns
    -------
    array, shape (n, values)
    """
    xp = array_namespace(images)
    return xp.where(mask[:, None], xp.flip(images, axis=-1), images)


def flip(images: Array, mask: Array) -> Array:
    """Flip the images selected by `mask` left to right.

    Parameters
    ----------
    images : array, shape (n, channels, rows, columns)
    mask : array of bool, shape (n,)

    Returns
    -------
    array, shape (n, channels, rows, columns)
    """
    xp = array_namespace(images)
    return xp.where(mask[:, None, None, None], xp.flip(images, axis=-1), images)


def crop(images: Array, offset: Array, width: int) -> Array:
    """Pad images with black pixels and cut out a window of the original size.

    Parameters
    ----------
    images : array, shape (n, channels, rows, columns)
    offset : array of int, shape (n, 2)
        First row and column of the window in the padded image, in ``0 .. 2 * width``.
    width : int
        Number of black pixels on every side.

    Returns
    -------
    array, shape (n, channels, rows, columns)
        Of the dtype of `images`.
    """
    xp, padded = array_namespace(images), images
    for axis in (-2, -1):
        border = list(padded.shape)
        border[axis] = width
        black = xp.zeros(tuple(border), dtype=images.dtype, device=device(images))
        padded = xp.concat([black, padded, black], axis=axis)
    for axis in (-2, -1):
        window = xp.arange(images.shape[axis], device=device(images), dtype=offset.dtype)
        index = offset[:, axis, None] + window
        index = index[:, None, :, None] if axis == -2 else index[:, None, None, :]
        shape = list(padded.shape)
        shape[axis] = images.shape[axis]
        padded = xp.take_along_axis(padded, xp.broadcast_to(index, tuple(shape)), axis=axis)
    return padded
