"""Convolution of images and its two derivatives.

Arrays have shape (..., N * H * W, C): each pixel of N images is a sample. Each operation is a sum over the elements
(a, b) of the kernel of a matrix product with the pixels that the element sees.
"""

from functools import reduce
from operator import add

import numpy as np
from array_api_compat import array_namespace

from anynet.core.operation import operation
from anynet.core.typing import Array
from anynet.core.window import Window
from anynet.nn.window_views import put_back, views


def _y_shape(x: Array, w: Array, window: Window, groups: int) -> tuple[int, ...]:
    return (*np.broadcast_shapes(x.shape[:-2], w.shape[:-4]), window.results(x.shape[-2]), w.shape[-1])


@operation(_y_shape)
def convolve(x: Array, w: Array, window: Window, groups: int) -> Array:
    """Return the convolution ``y[i] = sum over (a, b) of x[i + (a, b)] @ w[a, b]``, where i is a place of the window.

    As everywhere in machine learning, the kernel is not flipped: it is a cross-correlation.

    Parameters
    ----------
    x : array, shape (..., N * H * W, C)
        Pixels.
    w : array, shape (..., rows, columns, C / groups, D)
        Kernel.
    window : Window
        Its places on an image.
    groups : int
        Channels are in as many groups of neighbors: the first of D channels see the first of C channels, and so on.

    Returns
    -------
    array, shape (..., N * H' * W', D)
    """
    return reduce(add, (_product(view, w[..., a, b, :, :], groups) for a, b, view in views(x, window)))


def _dx_shape(dy: Array, w: Array, window: Window, groups: int) -> tuple[int, ...]:
    return (*np.broadcast_shapes(dy.shape[:-2], w.shape[:-4]), window.pixels(dy.shape[-2]), w.shape[-2] * groups)


@operation(_dx_shape)
def convolve_to_input(dy: Array, w: Array, window: Window, groups: int) -> Array:
    """Return the gradient by the input: ``dx[i + (a, b)] = sum over (a, b) of dy[i] @ w[a, b].T``.

    Parameters
    ----------
    dy : array, shape (..., N * H' * W', D)
        Gradient by the result.
    w, window, groups
        As for `convolve`.

    Returns
    -------
    array, shape (..., N * H * W, C)
    """
    elements = ((a, b, _turned(w[..., a, b, :, :], groups)) for a, b in np.ndindex(window.kernel))
    return reduce(add, (put_back(_product(dy, w_ab, groups), a, b, window) for a, b, w_ab in elements))


def _dw_shape(x: Array, dy: Array, window: Window, groups: int) -> tuple[int, ...]:
    return (*np.broadcast_shapes(x.shape[:-2], dy.shape[:-2]), *window.kernel, x.shape[-1] // groups, dy.shape[-1])


@operation(_dw_shape)
def convolve_to_kernel(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """Return the gradient by the kernel: ``dw[a, b] = sum over i of x[i + (a, b)].T @ dy[i]``.

    Parameters
    ----------
    x : array, shape (..., N * H * W, C)
        Pixels.
    dy : array, shape (..., N * H' * W', D)
        Gradient by the result.
    window, groups
        As for `convolve`.

    Returns
    -------
    array, shape (..., rows, columns, C / groups, D)
    """
    xp, parts = array_namespace(x, dy), _grouped(dy, groups)
    seen = (_grouped(view, groups) for _, _, view in views(x, window))
    dw = xp.stack([_joined([a.mT @ b for a, b in zip(view, parts, strict=True)]) for view in seen], axis=-3)
    return xp.reshape(dw, (*dw.shape[:-3], *window.kernel, *dw.shape[-2:]))


def _product(x: Array, w: Array, groups: int) -> Array:
    """Return ``x @ w``, of each group of channels by itself."""
    return _joined([a @ b for a, b in zip(_grouped(x, groups), _grouped(w, groups), strict=True)])


def _turned(w: Array, groups: int) -> Array:
    """Return w, shape (..., C / groups, D), with both kinds of channels exchanged: shape (..., D / groups, C)."""
    return _joined([part.mT for part in _grouped(w, groups)])


def _grouped(x: Array, groups: int) -> list[Array]:
    """Return the channels on the last axis in groups."""
    n = x.shape[-1] // groups
    return [x] if groups == 1 else [x[..., i * n : (i + 1) * n] for i in range(groups)]


def _joined(parts: list[Array]) -> Array:
    return parts[0] if len(parts) == 1 else array_namespace(*parts).concat(parts, axis=-1)
