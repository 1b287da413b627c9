"""Windows: the parts of an image that a kernel sees, one for each pixel of the result."""

from typing import NamedTuple


class Window(NamedTuple):
    """Places of a kernel on an image.

    The result has a pixel for each place. Places are `stride` pixels apart, and lie within the image and its padding;
    pixels at the end that are too few for another place are not seen.

    Attributes
    ----------
    image : (int, int)
        Rows and columns of the image.
    kernel : (int, int)
        Rows and columns of the kernel.
    stride : (int, int)
        Distance between neighboring places.
    padding : (int, int, int, int)
        Pixels that are added above, below, to the left and to the right.

    Examples
    --------
    >>> Window((32, 32), (3, 3), padding=(1, 1, 1, 1)).out
    (32, 32)
    >>> Window((31, 31), (2, 2), stride=(2, 2)).out
    (15, 15)
    """

    image: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def padded(self) -> tuple[int, int]:
        """Rows and columns of the image with its padding."""
        (height, width), (top, bottom, left, right) = self.image, self.padding
        return height + top + bottom, width + left + right

    @property
    def out(self) -> tuple[int, int]:
        """Rows and columns of the result."""
        (height, width), (rows, columns), (down, across) = self.padded, self.kernel, self.stride
        return (height - rows) // down + 1, (width - columns) // across + 1

    def images(self, pixels: int) -> int:
        """Return the number of images that have so many pixels together."""
        return pixels // (self.image[0] * self.image[1])

    def pixels(self, results: int) -> int:
        """Return the number of pixels of the images for which results have so many pixels together."""
        return results // (self.out[0] * self.out[1]) * self.image[0] * self.image[1]

    def results(self, pixels: int) -> int:
        """Return the number of pixels of the results for images that have so many pixels together."""
        return self.images(pixels) * self.out[0] * self.out[1]
