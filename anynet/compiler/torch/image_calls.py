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

LARGE = 1 << 22
"""Least number of bytes of a result that is not to be copied from new memory: to map that into the process may take as
long as the convolution."""

_convolution_backward = torch.ops.aten.convolution_backward
_max_pool = torch.ops.aten.max_pool2d_with_indices
_max_pool_backward = torch.ops.aten.max_pool2d_with_indices_backward
_add_convolution: Any = getattr(torch.ops.mkldnn, "_convolution_pointwise_", None)
"""Adds a convolution to a tensor. PyTorch's compiler uses it, too."""


def image_calls(op: str, args: Args, out: Tensor) -> list[Call]:
    """Return the calls that write the result of an operation to a tensor, one for each member.

    Parameters
    ----------
    op : str
        Name of the operation.
    args : tuple
        Its arguments. Those of max-pooling are x, the tensor for the places of the largest values, and the window;
        those of its gradient are dy, x, y, these places, a tensor for intermediate results, and the window.
    out : Tensor
    """
    function, axes, axes_out = _FUNCTIONS[op]
    tensors, settings = args[: len(axes)], args[len(axes) :]
    members = out.shape[: out.ndim - axes_out]
    expanded = [t.expand(*members, *t.shape[t.ndim - n :]) for t, n in zip(tensors, axes, strict=True)]
    return [(function, (*(t[i] for t in expanded), *settings, out[i])) for i in np.ndindex(members)]


def _convolve(x: Tensor, w: Tensor, window: Window, groups: int, out: Tensor) -> None:
    padding = _own_padding(window)
    images = _framed(x, window, padding, 0.0)
    _write_convolution(images, _kernel(w), window.stride, padding or (0, 0), groups, _images(out, window.out))


def _convolve_to_input(dy: Tensor, w: Tensor, window: Window, groups: int, out: Tensor) -> None:
    images, dx, padding = _images(dy, window.out), _images(out, window.image), _own_padding(window)
    if _adds(out) and padding and groups == 1 and window.stride == (1, 1):
        around = tuple(size - 1 - n for size, n in zip(window.kernel, padding, strict=True))
        if min(around) >= 0:  # the convolution with the kernel turned around
            _write_convolution(images, w.flip(0, 1).permute(2, 3, 0, 1), window.stride, around, groups, dx)
            return
    shape = *dx.shape[:2], *(window.image if padding else window.padded)
    x = torch.empty(shape, dtype=dy.dtype, device=dy.device, memory_format=torch.channels_last)  # its values are unused
    found = _backward(images, x, _kernel(w), window, padding, groups, to_input=True)[0]
    dx.copy_(found if padding else _cropped(found, window))


def _convolve_to_kernel(x: Tensor, dy: Tensor, window: Window, groups: int, out: Tensor) -> None:
    dw, padding = _kernel(out), _own_padding(window)
    images = _framed(x, window, padding, 0.0)
    w = torch.empty_like(dw)  # its values are unused
    dw.copy_(_backward(_images(dy, window.out), images, w, window, padding, groups, to_input=False)[1])


def _max_pool_with_places(x: Tensor, places: Tensor, window: Window, out: Tensor) -> None:
    padding = _pooling_padding(window)
    images, y = _framed(x, window, padding, -math.inf), _images(out, window.out)
    indices = _images(places, window.out)
    _max_pool.out(images, window.kernel, window.stride, padding or (0, 0), out=y, indices=indices)


def _max_pool_to_input(
    dy: Tensor, x: Tensor, y: Tensor, places: Tensor, kept: Tensor, window: Window, out: Tensor
) -> None:
    # PyTorch, too, takes the first of equal values. Where it takes a NaN, the gradient by definition is 0.
    kept.copy_(dy).masked_fill_(y.isnan(), 0.0)
    padding, dx = _pooling_padding(window), _images(out, window.image)
    settings = window.kernel, window.stride, padding or (0, 0), (1, 1), False, _images(places, window.out)
    if padding:
        _max_pool_backward.grad_input(_images(kept, window.out), _images(x, window.image), *settings, grad_input=dx)
    else:
        images = _framed(x, window, padding, 0.0)
        dx.copy_(_cropped(_max_pool_backward(_images(kept, window.out), images, *settings), window))


_FUNCTIONS: dict[str, tuple[Callable[..., None], tuple[int, ...], int]] = {
    "convolve": (_convolve, (2, 4), 2),
    "convolve_to_input": (_convolve_to_input, (2, 4), 2),
    "convolve_to_kernel": (_convolve_to_kernel, (2, 2), 4),
    "max_pool": (_max_pool_with_places, (2, 2), 2),
    "max_pool_to_input": (_max_pool_to_input, (2, 2, 2, 2, 2), 2),
}
"""Functions of one member's tensors that write to their last argument, by the operation's name; with the numbers of
axes of their first arguments and of the result."""


def _write_convolution(
    images: Tensor, kernel: Tensor, stride: tuple[int, ...], padding: tuple[int, ...], groups: int, out: Tensor
) -> None:
    if _adds(out):
        settings = None, padding, stride, (1, 1), groups, "add", 1.0, None, (), None
        _add_convolution.binary(out.zero_(), images, kernel, *settings)
    else:
        out.copy_(functional.conv2d(images, kernel, None, stride, padding, groups=groups))


def _adds(out: Tensor) -> bool:
    """Return True if a convolution had better be added to zeros than be copied from new memory."""
    here = out.device.type == "cpu" and out.dtype == torch.float32 and torch.backends.mkldnn.is_available()
    return here and out.nbytes >= LARGE and _add_convolution is not None


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
