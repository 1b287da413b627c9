"""Images varied anew in every epoch, on the device. What varies is drawn on the host, for the whole epoch at once."""

from typing import NamedTuple

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from anynet.core.seeding import Purpose, generator
from anynet.core.typing import Array
from anynet.data.dataset import IMAGE_SHAPE


class Augmentation(NamedTuple):
    """What to vary, in the order in which it is done: reversed, mirrored, cropped.

    flip: whether each image is mirrored left to right with probability one half.
    crop: how many black pixels to add on every side before a window of the old size is cut out at random.
    reverse: whether, with probability one half for each batch, all 3,072 values of each of its images are reversed at
        once: rows, columns and colour channels. The code of one student report did so where a left-right flip was
        meant.
    """

    flip: bool = False
    crop: int = 0
    reverse: bool = False

    def draw(self, seed: int, epoch: int, order: NDArray[np.int64], batch_size: int) -> dict[str, NDArray]:
        """What to do with each image of an epoch, by its position there.

        order: which of the n images of the set comes when, a permutation of 0 .. n - 1.

        Returns "mirrored", bool, shape (n,), and "offset", int64 in 0..2 crop, shape (n, 2), which depend on the seed,
        the epoch and the image, not on the order; and "reversed", bool, shape (n,), the same throughout each batch.
        What is not varied is left out.
        """
        n = len(order)
        draws: dict[str, NDArray] = {}
        if self.flip:
            draws["mirrored"] = generator(seed, Purpose.FLIP, epoch).random(n)[order] < 0.5
        if self.crop:
            draws["offset"] = generator(seed, Purpose.CROP, epoch).integers(0, 2 * self.crop + 1, (n, 2))[order]
        if self.reverse:
            batch = np.arange(n) // batch_size
            draws["reversed"] = generator(seed, Purpose.REVERSE, epoch).random(batch[-1] + 1)[batch] < 0.5
        return draws

    def __call__(self, images: Array, draws: dict[str, Array]) -> Array:
        """images: shape (n, 3072). draws: as from ``draw``, for these images. Returns shape (n, 3072)."""
        if self.reverse:
            images = reverse(images, draws["reversed"])
        pictures = array_namespace(images).reshape(images, (-1, *IMAGE_SHAPE))
        if self.flip:
            pictures = mirror(pictures, draws["mirrored"])
        if self.crop:
            pictures = crop(pictures, draws["offset"], self.crop)
        return array_namespace(images).reshape(pictures, images.shape)


def reverse(images: Array, chosen: Array) -> Array:
    """The last value first, in the images that ``chosen``, bool of shape (n,), names.

    images: shape (n, 3072). Returns the same shape and dtype.
    """
    xp = array_namespace(images)
    return xp.where(chosen[:, None], xp.flip(images, axis=-1), images)


def mirror(pictures: Array, mirrored: Array) -> Array:
    """Left and right exchanged in the pictures that ``mirrored``, bool of shape (n,), names.

    pictures: shape (n, channels, rows, columns). Returns the same shape and dtype.
    """
    xp = array_namespace(pictures)
    return xp.where(mirrored[:, None, None, None], xp.flip(pictures, axis=-1), pictures)


def crop(pictures: Array, offset: Array, width: int) -> Array:
    """A window as large as the picture, cut from the picture with a black border of ``width`` pixels.

    pictures: shape (n, channels, rows, columns).
    offset: row and column where the window starts in the bordered picture, integers in 0..2 width, shape (n, 2).

    Returns the same shape and dtype.
    """
    xp, bordered = array_namespace(pictures), pictures
    for axis in (-2, -1):
        border = list(bordered.shape)
        border[axis] = width
        black = xp.zeros(tuple(border), dtype=pictures.dtype, device=device(pictures))
        bordered = xp.concat([black, bordered, black], axis=axis)
    for axis in (-2, -1):
        window = xp.arange(pictures.shape[axis], device=device(pictures), dtype=offset.dtype)
        index = offset[:, axis, None] + window
        index = index[:, None, :, None] if axis == -2 else index[:, None, None, :]
        shape = list(bordered.shape)
        shape[axis] = pictures.shape[axis]
        bordered = xp.take_along_axis(bordered, xp.broadcast_to(index, tuple(shape)), axis=axis)
    return bordered
