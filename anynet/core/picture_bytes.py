"""Samples as pictures: pixels as they are shown, and PNG files of them."""

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST = 128
"""Rows or columns of a picture from which on pixels are left out."""


def pictures(x: NDArray[Any]) -> NDArray[np.uint8]:
    """Return images as they are shown.

    Parameters
    ----------
    x : ndarray, shape (n, channels, rows, columns)
        Images of uint8, or of other numbers, each of which is shown from its smallest to its largest. Of channels other
        than one, or red, green and blue, the mean is shown.

    Returns
    -------
    ndarray, shape (n, rows, columns, 3)
    """
    step = math.ceil(max(x.shape[2:]) / LARGEST)
    x = x[:, :, ::step, ::step]
    if x.shape[1] not in (1, 3):
        x = x.mean(axis=1, keepdims=True).astype(x.dtype)
    if x.dtype != np.uint8:
        x = x.astype(np.float64)
        low, high = (reduce(x, axis=(1, 2, 3), keepdims=True) for reduce in (np.min, np.max))
        x = np.round(255 * (x - low) / np.where(high > low, high - low, 1)).astype(np.uint8)
    return np.broadcast_to(x, (len(x), 3, *x.shape[2:])).transpose(0, 2, 3, 1)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return a picture of `pictures`, shape (rows, columns, 3), as a PNG file.

    Raises ModuleNotFoundError if Pillow is not installed.
    """
    from PIL import Image  # here, because few programs need it

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG")
    return file.getvalue()
