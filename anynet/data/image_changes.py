"""Changes of images by given numbers: reversal, flips, crops, and a mask for cutout."""

from array_api_compat import array_namespace, device

from anynet.core.typing import Array


def ordered(shape: tuple[int, ...], *, channels_last: bool) -> tuple[tuple[int, ...], tuple[int, int]]:
    """Return the shape of an image as its values are ordered, and the axes of rows and columns of n images.

    Parameters
    ----------
    shape : tuple of int
        Channels, rows and columns.
    channels_last : bool
        If True, the order is (rows, columns, channels).

    Returns
    -------
    shape, axes : tuple of int
    """
    return ((*shape[1:], shape[0]), (1, 2)) if channels_last else (shape, (2, 3))


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


def flip(images: Array, mask: Array, axis: int = 3) -> Array:
    """Flip the images selected by `mask` left to right.

    Parameters
    ----------
    images : array, shape (n, channels, rows, columns), or any other with four axes
    mask : array of bool, shape (n,)
    axis : int
        Axis of the columns.

    Returns
    -------
    array, of the shape of `images`
    """
    xp = array_namespace(images)
    return xp.where(mask[:, None, None, None], xp.flip(images, axis=axis), images)


def crop(images: Array, offset: Array, width: int, border: str = "black", axes: tuple[int, int] = (2, 3)) -> Array:
    """Put a border around images and cut out a window of the original size.

    Parameters
    ----------
    images : array, shape (n, channels, rows, columns), or any other with four axes
    offset : array of int, shape (n, 2)
        First row and column of the window in the image with its border, in ``0 .. 2 * width``.
    width : int
        Width of the border on every side.
    border : {"black", "reflect"}
        Black pixels, or the image mirrored at its outermost pixels.
    axes : tuple of int
        Axes of the rows and of the columns, from 1 to 3.

    Returns
    -------
    array, of the shape and the dtype of `images`
    """
    xp, padded = array_namespace(images), images
    for axis in axes if border == "black" else ():
        shape = list(padded.shape)
        shape[axis] = width
        black = xp.zeros(tuple(shape), dtype=images.dtype, device=device(images))
        padded = xp.concat([black, padded, black], axis=axis)
    for i, axis in enumerate(axes):
        last = images.shape[axis] - 1
        index = offset[:, i, None] + xp.arange(last + 1, device=device(images), dtype=offset.dtype)
        if border == "reflect":
            index = last - xp.abs(last - xp.abs(index - width))
        shape = list(padded.shape)
        shape[axis] = last + 1
        padded = xp.take_along_axis(padded, xp.broadcast_to(_along(index, axis), tuple(shape)), axis=axis)
    return padded


def outside(corner: Array, side: int, shape: tuple[int, ...], axes: tuple[int, int] = (2, 3)) -> Array:
    """Return a mask of the values of images outside of a square.

    Parameters
    ----------
    corner : array of int, shape (n, 2)
        First row and column of the square.
    side : int
        Number of its rows and of its columns.
    shape : tuple of int
        Shape of an image, of three axes.
    axes : tuple of int
        Axes of the rows and of the columns of n images, from 1 to 3.

    Returns
    -------
    array of bool, shape (n, *shape)
    """
    xp, mask = array_namespace(corner), None
    for i, axis in enumerate(axes):
        places = xp.arange(shape[axis - 1], device=device(corner), dtype=corner.dtype) - corner[:, i, None]
        off = _along((places < 0) | (places >= side), axis)
        mask = off if mask is None else mask | off
    return xp.broadcast_to(mask, (corner.shape[0], *shape))


def _along(rows: Array, axis: int) -> Array:
    """Return an array of shape (n, m) with four axes, m on the given one."""
    shape = [rows.shape[0], 1, 1, 1]
    shape[axis] = rows.shape[1]
    return array_namespace(rows).reshape(rows, tuple(shape))
