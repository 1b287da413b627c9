"""Images varied anew in every epoch, on the device. What varies is drawn on the host, for the whole epoch at once."""

from typing import NamedTuple

from array_api_compat import array_namespace, device
from array_api_extra import pad
from numpy.typing import NDArray

from anynet.data.dataset import IMAGE_SHAPE
from anynet.seeding import Purpose, generator
from anynet.typing import Array


class Augmentation(NamedTuple):
    """What to vary.

    flip: whether each image is mirrored left to right with probability one half.
    crop: how many black pixels to add on every side before a window of the old size is cut out at random.
    """

    flip: bool = False
    crop: int = 0

    def draw(self, seed: int, epoch: int, n: int) -> dict[str, NDArray]:
        """What to do with each of n images: "mirrored", bool, shape (n,); "offset", int64 in 0..2 crop, (n, 2)."""
        draws: dict[str, NDArray] = {}
        if self.flip:
            draws["mirrored"] = generator(seed, Purpose.FLIP, epoch).random(n) < 0.5
        if self.crop:
            draws["offset"] = generator(seed, Purpose.CROP, epoch).integers(0, 2 * self.crop + 1, (n, 2))
        return draws

    def __call__(self, images: Array, draws: dict[str, Array]) -> Array:
        """images: shape (n, 3072). draws: as from ``draw``, for these images. Returns shape (n, 3072)."""
        pictures = array_namespace(images).reshape(images, (-1, *IMAGE_SHAPE))
        if self.flip:
            pictures = mirror(pictures, draws["mirrored"])
        if self.crop:
            pictures = crop(pictures, draws["offset"], self.crop)
        return array_namespace(images).reshape(pictures, images.shape)


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
    xp = array_namespace(pictures)
    bordered = pad(pictures, [(0, 0), (0, 0), (width, width), (width, width)], xp=xp)
    for axis in (-2, -1):
        window = xp.arange(pictures.shape[axis], device=device(pictures), dtype=offset.dtype)
        index = offset[:, axis, None] + window
        index = index[:, None, :, None] if axis == -2 else index[:, None, None, :]
        shape = list(bordered.shape)
        shape[axis] = pictures.shape[axis]
        bordered = xp.take_along_axis(bordered, xp.broadcast_to(index, tuple(shape)), axis=axis)
    return bordered
