"""Convolution and the derivative of max-pooling by JAX's own functions, for which XLA has faster code.

Arrays are those of the definitions in `anynet.nn`. Max-pooling itself is as fast by its definition.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from anynet.backends.jax_ranks import sum_over_ranks
from anynet.core.window import Window

CHANNELS_LAST = "NHWC", "HWIO", "NHWC"
"""Axes of images, kernels and results for JAX's convolution."""


def convolve(x: Array, w: Array, window: Window, groups: int) -> Array:
    """Return the convolution."""
    return _by_member(lambda x, w: convolve_images(x, w, window, groups), "(n,c),(a,b,i,d)->(m,d)", x, w)


def convolve_to_input(dy: Array, w: Array, window: Window, groups: int) -> Array:
    """Return the gradient by the input, the transpose of `convolve`."""
    x = jax.ShapeDtypeStruct((window.pixels(dy.shape[-2]), w.shape[-2] * groups), dy.dtype)

    def transposed(dy: Array, w: Array) -> Array:
        dx: Array = jax.linear_transpose(lambda x: convolve_images(x, w, window, groups), x)(dy)[0]
        return dx

    return _by_member(transposed, "(m,d),(a,b,i,d)->(n,c)", dy, w)


def convolve_to_kernel(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """Return the gradient by the kernel, the transpose of `convolve`."""
    w = jax.ShapeDtypeStruct((*window.kernel, x.shape[-1] // groups, dy.shape[-1]), dy.dtype)

    def transposed(x: Array, dy: Array) -> Array:
        dw: Array = jax.linear_transpose(lambda w: convolve_images(x, w, window, groups), w)(dy)[0]
        return dw

    return _by_member(transposed, "(n,c),(m,d)->(a,b,i,d)", x, dy)


def max_pool_to_input(dy: Array, x: Array, y: Array, window: Window) -> Array:
    """Return the gradient by the input of max-pooling.

    It takes a tenth of the time of the transpose that JAX has, which is not parallel.
    """
    return _by_member(lambda dy, x, y: _max_pool_to_input(dy, x, y, window), "(m,c),(n,c),(m,c)->(n,c)", dy, x, y)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "convolve": convolve,
    "convolve_to_input": convolve_to_input,
    "convolve_to_kernel": convolve_to_kernel,
    "max_pool_to_input": max_pool_to_input,
    "sum_over_ranks": sum_over_ranks,
}
"""Functions by the names of the operations that they compute."""


def convolve_images(x: Array, w: Array, window: Window, groups: int) -> Array:
    """Return the convolution of one member."""
    top, bottom, left, right = window.padding
    images = jax.lax.conv_general_dilated(
        x.reshape(-1, *window.image, x.shape[-1]),
        w,
        window.stride,
        ((top, bottom), (left, right)),
        dimension_numbers=CHANNELS_LAST,
        feature_group_count=groups,
    )
    return images.reshape(-1, w.shape[-1])


def _max_pool_to_input(dy: Array, x: Array, y: Array, window: Window) -> Array:
    (height, width), (rows, columns), (down, across) = window.image, window.out, window.stride
    top, bottom, left, right = window.padding
    x, y, dy = (a.reshape(-1, *size, a.shape[-1]) for a, size in ((x, window.image), (y, window.out), (dy, window.out)))
    x = jnp.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=math.nan)
    elements = list(enumerate(np.ndindex(window.kernel)))
    first = jnp.full(y.shape, len(elements), jnp.int32)  # of the elements of a window; none is NaN's
    for i, (a, b) in reversed(elements):
        seen = x[:, a : a + down * (rows - 1) + 1 : down, b : b + across * (columns - 1) + 1 : across]
        first = jnp.where(seen == y, i, first)
    dx = jnp.zeros((len(x), height, width, x.shape[-1]), dy.dtype)
    for i, (a, b) in elements:
        above, ahead = a - top, b - left  # less than 0 for pixels of the padding, which lax.pad takes away
        below, behind = height - 1 - above - down * (rows - 1), width - 1 - ahead - across * (columns - 1)
        edges = (0, 0, 0), (above, below, down - 1), (ahead, behind, across - 1), (0, 0, 0)
        dx += jax.lax.pad(jnp.where(first == i, dy, 0), jnp.zeros((), dy.dtype), edges)
    return dx.reshape(-1, dy.shape[-1])


def _by_member(function: Callable[..., Array], axes: str, *arrays: Array) -> Array:
    """Map a function of one member's arrays over the axes ahead of these."""
    result: Array = jnp.vectorize(function, signature=axes)(*arrays)
    return result
