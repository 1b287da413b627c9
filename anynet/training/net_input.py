"""Samples of a batch as a net takes them."""

from anynet.core.pixels import rows_to_pixels
from anynet.core.typing import Array
from anynet.nn import Sequential


def net_input(net: Sequential, x: Array) -> Array:
    """Return the samples of a batch as a net takes them.

    Parameters
    ----------
    net : Sequential
    x : array, shape (..., N, values)
        Normalized samples; of images with the channels last.

    Returns
    -------
    array, shape (..., N, values), or (..., N * H * W, C) of images
    """
    return x if net.image_shape is None else rows_to_pixels(x, net.image_shape)
