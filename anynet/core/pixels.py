"""Images as pixels: samples of shape (..., N * H * W, C), row by row, as the layers of images take them."""

from array_api_compat import array_namespace

from anynet.core.typing import Array

Shape = tuple[int, int, int]
"""Channels, rows and columns."""

PIXELS, ROWS, IMAGES = "pixels", "rows", "images"
"""Forms of images: (..., N * H * W, C); (..., N, C * H * W), as data sets have them; (..., N, C, H, W)."""


def form_of(x: Array, shape: Shape) -> str | None:
    """Return the form in which an array has images.

    Parameters
    ----------
    x : array
    shape : (int, int, int)
        Channels, rows and columns of an image.

    Returns
    -------
    str or None
        `PIXELS`, `ROWS`, `IMAGES`, or None if it has no images of this shape.
    """
    channels, rows, columns = shape
    if x.ndim >= 4 and tuple(x.shape[-3:]) == shape:
        return IMAGES
    if x.ndim >= 2 and x.shape[-1] == channels * rows * columns:
        return ROWS
    return PIXELS if x.ndim >= 2 and x.shape[-1] == channels and x.shape[-2] % (rows * columns) == 0 else None


def to_pixels(x: Array, shape: Shape) -> Array:
    """Return images as pixels.

    Parameters
    ----------
    x : array, shape (..., N * H * W, C), (..., N, C * H * W) or (..., N, C, H, W)
    shape : (int, int, int)
        Channels, rows and columns of an image.

    Returns
    -------
    array, shape (..., N * H * W, C)
    """
    form, xp, (channels, rows, columns) = form_of(x, shape), array_namespace(x), shape
    if form == PIXELS:
        return x
    *members, n = x.shape[:-3] if form == IMAGES else x.shape[:-1]
    last = xp.reshape(x, (*members, n, channels, rows * columns)).mT
    return xp.reshape(last, (*members, n * rows * columns, channels))


def from_pixels(pixels: Array, shape: Shape, form: str) -> Array:
    """Return pixels in another form: the inverse of `to_pixels`."""
    if form == PIXELS:
        return pixels
    xp, (channels, rows, columns) = array_namespace(pixels), shape
    *members, n, _ = pixels.shape
    images = xp.reshape(pixels, (*members, n // (rows * columns), rows * columns, channels)).mT
    return xp.reshape(images, (*images.shape[:-2], *(shape if form == IMAGES else (channels * rows * columns,))))


def rows_to_pixels(x: Array, shape: Shape) -> Array:
    """Return images whose values are in one axis, channels last, as pixels: (N, H * W * C) to (N * H * W, C)."""
    channels, rows, columns = shape
    return array_namespace(x).reshape(x, (*x.shape[:-2], x.shape[-2] * rows * columns, channels))


def channels_last(x: Array, shape: Shape) -> Array:
    """Return images whose values are in one axis with their channels last: (N, C * H * W) to (N, H * W * C)."""
    return array_namespace(x).reshape(to_pixels(x, shape), x.shape)
