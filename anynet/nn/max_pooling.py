"""Largest values of windows, and their derivative; arrays are those of `anynet.nn.convolution`."""

import math
from functools import reduce
from operator import add

from array_api_compat import array_namespace

from anynet.core.operation import operation
from anynet.core.typing import Array
from anynet.core.window import Window
from anynet.nn.window_views import put_back, views


def _y_shape(x: Array, window: Window) -> tuple[int, ...]:
    return (*x.shape[:-2], window.results(x.shape[-2]), x.shape[-1])


@operation(_y_shape)
def max_pool(x: Array, window: Window) -> Array:
    """Return the largest value of each channel at each place; NaN if there is one. Padding never is the largest.

    Parameters
    ----------
    x : array, shape (..., N * H * W, C)
        Pixels.
    window : Window
        Its places on an image.

    Returns
    -------
    array, shape (..., N * H' * W', C)
    """
    return reduce(array_namespace(x).maximum, (view for _, _, view in views(x, window, fill=-math.inf)))


def _dx_shape(dy: Array, x: Array, y: Array, window: Window) -> tuple[int, ...]:
    return (*dy.shape[:-2], x.shape[-2], x.shape[-1])


@operation(_dx_shape)
def max_pool_to_input(dy: Array, x: Array, y: Array, window: Window) -> Array:
    """Return the gradient by the input: that of a place belongs to the first pixel, row by row, with the largest value.

    Parameters
    ----------
    dy : array, shape (..., N * H' * W', C)
        Gradient by the result.
    x : array, shape (..., N * H * W, C)
        Pixels; without the members' axes if they share them.
    y : array, shape (..., N * H' * W', C)
        Result of `max_pool`.
    window : Window

    Returns
    -------
    array, shape (..., N * H * W, C)
    """
    xp, parts = array_namespace(dy, x, y), list[Array]()
    left = y == y  # places whose largest value was not found yet; never those of NaN
    for a, b, view in views(x, window, fill=math.nan):  # equal to no value
        hit = left & (view == y)
        left = left & ~hit
        parts.append(put_back(xp.where(hit, dy, 0.0), a, b, window))
    return reduce(add, parts)
