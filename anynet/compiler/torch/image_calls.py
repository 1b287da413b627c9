"""Convolution and max-pooling by PyTorch's own functions.

An array of shape (N * H * W, C) is a tensor of shape (N, C, H, W) in PyTorch's memory format for channels that come
last, without a copy.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from anynet.compiler.graph import Args
from anynet.compiler.target import Call
from anynet.core.window import Window

_convolution_backward = torch.ops.aten.convolution_backward
_max_pool = torch.ops.aten.max_pool2d_with_indices
_max_pool_backward = torch.ops.aten.max_pool2d_with_indices_backward


def image_calls(op: str, args: Args, out: Tensor) -> list[Call]:
    """Return the calls that write the result of an operation of `IMAGE_FUNCTIONS` to a tensor, one for each member.

    Parameters
    ----------
    op : str
        Name of the operation.
    args : tuple
        Its arguments.
    out : Tensor
    """
    function, axes, axes_out = IMAGE_FUNCTIONS[op]
    tensors, settings = args[: len(axes)], args[len(axes) :]
    members = out.shape[: out.ndim - axes_out]
    expanded = [t.expand(*members, *t.shape[t.ndim - n :]) for t, n in zip(tensors, axes, strict=True)]
    return [(function, (*(t[i] for t in expanded), *settings, out[i])) for i in np.ndindex(members)]


def _convolve(x: Tensor, w: Tensor, window: Window, groups: int, out: Tensor) -> None:
    padding = _own_padding(window)
    images = _framed(x, window, padding, 0.0)
    result = functional.conv2d(images, _kernel(w), None, window.stride, padding or (0, 0), groups=groups)
    _images(out, window.out).copy_(result)


def _convolve_to_input(dy: Tensor, w: Tensor, window: Window, groups: int, out: Tensor) -> None:
    dx, padding = _images(out, window.image), _own_padding(window)
    shape = *dx.shape[:2], *(window.image if padding else window.padded)
    x = torch.empty(shape, dtype=dy.dtype, device=dy.device, memory_format=torch.channels_last)  # its values are unused
    found, _, _ = _backward(_images(dy, window.out), x, _kernel(w), window, padding, groups, to_input=True)
    dx.copy_(found if padding else _cropped(found, window))


def _convolve_to_kernel(x: Tensor, dy: Tensor, window: Window, groups: int, out: Tensor) -> None:
    dw, padding = _kernel(out), _own_padding(window)
    images = _framed(x, window, padding, 0.0)
    w = torch.empty_like(dw)  # its values are unused
    dw.copy_(_backward(_images(dy, window.out), images, w, window, padding, groups, to_input=False)[1])


def _max_pool_forward(x: Tensor, window: Window, out: Tensor) -> None:
    padding = _pooling_padding(window)
    images, y = _framed(x, window, padding, -math.inf), _images(out, window.out)
    indices = torch.empty_like(y, dtype=torch.int64)
    _max_pool.out(images, window.kernel, window.stride, padding or (0, 0), out=y, indices=indices)


def _max_pool_to_input(dy: Tensor, x: Tensor, y: Tensor, window: Window, out: Tensor) -> None:
    # PyTorch, too, takes the first of equal values. Where it takes a NaN, the gradient by definition is 0.
    dy, padding = _images(dy.masked_fill(y.isnan(), 0.0), window.out), _pooling_padding(window)
    images, dx = _framed(x, window, padding, -math.inf), _images(out, window.image)
    settings = window.kernel, window.stride, padding or (0, 0), (1, 1), False
    _, indices = _max_pool(images, *settings)  # which takes less time than to keep them in memory for long
    if padding:
        _max_pool_backward.grad_input(dy, images, *settings, indices, grad_input=dx)
    else:
        dx.copy_(_cropped(_max_pool_backward(dy, images, *settings, indices), window))


IMAGE_FUNCTIONS: dict[str, tuple[Callable[..., None], tuple[int, ...], int]] = {
    "convolve": (_convolve, (2, 4), 2),
    "convolve_to_input": (_convolve_to_input, (2, 4), 2),
    "convolve_to_kernel": (_convolve_to_kernel, (2, 2), 4),
    "max_pool": (_max_pool_forward, (2,), 2),
    "max_pool_to_input": (_max_pool_to_input, (2, 2, 2), 2),
}
"""Functions that write the result of an operation for one member to a tensor, their last argument, by its name; with
the numbers of axes of their first arguments and of the result."""


def _images(x: Tensor, size: tuple[int, int]) -> Tensor:
    return x.reshape(-1, *size, x.shape[-1]).permute(0, 3, 1, 2)


def _kernel(w: Tensor) -> Tensor:
    return w.permute(3, 2, 0, 1)


def _own_padding(window: Window) -> tuple[int, int] | None:
    """Return the padding if PyTorch's functions can add it, the same on both sides."""
    top, bottom, left, right = window.padding
    return (top, left) if (top, left) == (bottom, right) else None


def _pooling_padding(window: Window) -> tuple[int, int] | None:
    """Return the padding if PyTorch's max-pooling can add it: at most half of the window."""
    padding = _own_padding(window)
    return padding if padding and all(2 * n <= size for n, size in zip(padding, window.kernel, strict=True)) else None


def _framed(x: Tensor, window: Window, padding: tuple[int, int] | None, fill: float) -> Tensor:
    """Return images, with their padding unless PyTorch's functions add it."""
    images, (top, bottom, left, right) = _images(x, window.image), window.padding
    return images if padding else functional.pad(images, (left, right, top, bottom), value=fill)


def _cropped(images: Tensor, window: Window) -> Tensor:
    """Return images without their padding."""
    (height, width), (top, _, left, _) = window.image, window.padding
    return images[:, :, top : top + height, left : left + width]


def _backward(
    dy: Tensor, x: Tensor, w: Tensor, window: Window, padding: tuple[int, int] | None, groups: int, *, to_input: bool
) -> Any:
    settings = window.stride, padding or (0, 0), (1, 1), False, (0, 0), groups
    return _convolution_backward(dy, x, w, None, *settings, (to_input, not to_input, False))
