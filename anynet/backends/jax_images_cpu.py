"""Convolution and its gradients on the CPU, in the one form for which XLA has fast code everywhere.

XLA brings JAX's own gradients into this form, but neither in the bodies of loops nor in groups: there they run in one
thread, a hundred times as long (https://github.com/jax-ml/jax/issues/12868). Members as groups of one convolution are
slow, too, and take turns instead.
"""

from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
from jax import Array

from anynet.backends.jax_images import CHANNELS_LAST, OPERATIONS, convolve_images
from anynet.core.window import Window


def convolve(x: Array, w: Array, window: Window, groups: int) -> Array:
    """Return the convolution."""
    return _one_by_one(lambda x, w: convolve_images(x, w, window, groups), (x, 2), (w, 4))


def convolve_to_input(dy: Array, w: Array, window: Window, groups: int) -> Array:
    """Return the gradient by the input: the convolution of spread results with the flipped kernel."""
    return _one_by_one(lambda dy, w: _to_input(dy, w, window, groups), (dy, 2), (w, 4))


def convolve_to_kernel(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """Return the gradient by the kernel: the convolution of images with `dy`, with samples in place of channels."""
    return _one_by_one(lambda x, dy: _to_kernel(x, dy, window, groups), (x, 2), (dy, 2))


OPERATIONS_ON_CPU = OPERATIONS | {
    "convolve": convolve,
    "convolve_to_input": convolve_to_input,
    "convolve_to_kernel": convolve_to_kernel,
}
"""Functions by the names of the operations that they compute."""


def _to_input(dy: Array, w: Array, window: Window, groups: int) -> Array:
    *kernel, channels, _ = w.shape
    flipped = jnp.flip(w, (0, 1)).reshape(*kernel, channels, groups, -1).transpose(0, 1, 4, 3, 2)
    dx = jax.lax.conv_general_dilated(
        dy.reshape(-1, *window.out, dy.shape[-1]),
        flipped.reshape(*kernel, -1, groups * channels),
        (1, 1),
        [(k - 1 - ahead, size + ahead - stride * (n - 1) - 1) for size, k, stride, n, ahead in _axes(window)],
        lhs_dilation=window.stride,
        dimension_numbers=CHANNELS_LAST,
        feature_group_count=groups,
    )
    return dx.reshape(-1, groups * channels)


def _to_kernel(x: Array, dy: Array, window: Window, groups: int) -> Array:
    images = x.reshape(-1, *window.image, groups, x.shape[-1] // groups).transpose(4, 1, 2, 3, 0)
    dw = jax.lax.conv_general_dilated(
        images.reshape(*images.shape[:3], -1),
        dy.reshape(-1, *window.out, dy.shape[-1]).transpose(1, 2, 0, 3),
        (1, 1),
        [(ahead, k + stride * (n - 1) - size - ahead) for size, k, stride, n, ahead in _axes(window)],
        rhs_dilation=window.stride,
        dimension_numbers=CHANNELS_LAST,
        feature_group_count=groups,
    )
    return dw.transpose(1, 2, 0, 3)


def _axes(window: Window) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield of rows and of columns: the image's size, the kernel's, the stride, the result's size, padding ahead."""
    return zip(window.image, window.kernel, window.stride, window.out, window.padding[::2], strict=True)


def _one_by_one(function: Callable[..., Array], *arrays: tuple[Array, int]) -> Array:
    """Call a function for one member after another; arrays come with the number of axes that one member has."""
    ahead = jnp.broadcast_shapes(*(array.shape[: array.ndim - own] for array, own in arrays))
    if not ahead:
        return function(*(array for array, _ in arrays))
    of_members = {
        i: jnp.broadcast_to(array, (*ahead, *array.shape[-own:])).reshape(-1, *array.shape[-own:])
        for i, (array, own) in enumerate(arrays)
        if array.ndim > own
    }
    every = {i: array for i, (array, _) in enumerate(arrays) if i not in of_members}

    def one(member: dict[int, Array]) -> Array:
        return function(*(array for _, array in sorted((every | member).items())))

    results: Array = jax.lax.map(one, of_members)
    return results.reshape(*ahead, *results.shape[1:])
