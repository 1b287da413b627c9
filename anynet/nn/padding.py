"""Windows of layers: kernel, stride and padding as users give them."""

import math

from anynet.core.window import Window
from anynet.nn.image_layer import Size, pair

Padding = str | int | tuple[int, int] | tuple[int, int, int, int]
"""Padding of a layer: "same", "valid", or numbers of pixels."""


def padding(name: str, value: object) -> Padding:
    """Return a padding of the right form.

    Parameters
    ----------
    name : str
        Name in error messages.
    value : {"same", "valid"}, int, (int, int) or (int, int, int, int)
        Pixels on every side; above and below, and at the sides; or above, below, to the left and to the right.

    Returns
    -------
    str, int or tuple of int
        One number if it is that of all sides.

    Raises
    ------
    TypeError, ValueError
        If it is anything else.

    Examples
    --------
    >>> padding("padding", 1), padding("padding", "same")
    (1, 'same')
    """
    if isinstance(value, str):
        if value not in ("same", "valid"):
            raise ValueError(f'{name}: expected "same", "valid" or a number of pixels, got "{value}"')
        return value
    if isinstance(value, tuple | list) and len(value) == 4:
        top, bottom = pair(name, value[:2], least=0)
        left, right = pair(name, value[2:], least=0)
    else:
        top, left = bottom, right = pair(name, value, least=0)
    return top if top == bottom == left == right else (top, bottom, left, right)


def window_of(name: str, image: Size, kernel: int | Size, stride: int | Size, pad: Padding) -> Window:
    """Return the window of a layer on an image.

    Parameters
    ----------
    name : str
        The layer, in error messages.
    image : (int, int)
    kernel, stride : int or (int, int)
    pad : str, int or tuple of int
        As from `padding`. "same" gives ceil(size / stride) places: an odd pixel is added below and to the right.

    Returns
    -------
    Window

    Raises
    ------
    ValueError
        If the kernel is larger than the image with its padding.

    Examples
    --------
    >>> window_of("Conv2d", (32, 32), 3, 2, "same").padding
    (0, 1, 0, 1)
    """
    kernel, stride = pair("kernel", kernel), pair("stride", stride)
    if pad == "same":
        added: list[int] = []
        for size, length, step in zip(image, kernel, stride, strict=True):
            missing = max((math.ceil(size / step) - 1) * step + length - size, 0)
            added += [missing // 2, missing - missing // 2]
        pad = (added[0], added[1], added[2], added[3])
    window = Window(image, kernel, stride, sides(pad))
    if min(window.out) < 1:
        raise ValueError(
            f"{name}: expected images of {kernel} pixels or more with their padding, got {window.padded}; "
            "give a smaller kernel, or more padding"
        )
    return window


def sides(pad: Padding) -> tuple[int, int, int, int]:
    """Return the pixels of a padding above, below, to the left and to the right; 0 of "same", which needs an image."""
    if isinstance(pad, str):
        return 0, 0, 0, 0
    top, bottom, left, right = (pad,) * 4 if isinstance(pad, int) else (*pad, *pad)[:4]
    return top, bottom, left, right
