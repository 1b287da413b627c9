"""Convolutions as matrix products with patches: what the kernel sees at each place, in memory for a moment.

Patches of 3 x 3 pixels take nine times the memory of their images. So they are computed for a few images at a time, in
memory that all convolutions of a thread share.

The gradient by the input is a product that gives the gradient by the patches, which is folded: each pixel sums what
belongs to it, in a fixed order. A convolution with the turned kernel would move patches of D channels for each pixel of
the image; this moves patches of C channels for each pixel of the result. These are fewer in nets in which the number of
channels grows and images shrink, and with a stride most of the others would be zeros.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from anynet.compiler.cuda.cublas import cublas_handle
from anynet.compiler.cuda.expressions import BFLOAT16, computed_in
from anynet.compiler.cuda.launch import SingleKernel
from anynet.compiler.cuda.matmul import ONE, MatrixProduct, is_row_major
from anynet.compiler.cuda.phases import INT, element_strides
from anynet.compiler.cuda.rounding import operand, rounds
from anynet.compiler.cuda.window_phases import fold, gather
from anynet.compiler.target import Call
from anynet.core.typing import ConcreteArray as Array
from anynet.core.window import Window

MOST = 32 << 20
"""Bytes of patches, unless a single image has more.

Patches are read right after they are written, so they had better stay in the second-level cache: an A100 has 40 MB, an
H100 50 MB. Fewer would leave multiprocessors idle: 32 MB are 14,500 patches of 3 x 3 pixels with 64 channels, or 113
tiles of 128 rows for a product.
"""


class Part(NamedTuple):
    """Members and images whose patches are in memory at the same time.

    Attributes
    ----------
    members, images : slice
    patches : cupy.ndarray, shape (members, images * H' * W', groups, rows * columns * C / groups)
    """

    members: slice
    images: slice
    patches: Array

    def of(self, array: Array, pixels: int) -> Array:
        """Return the part of an array of shape (members or 1, N * pixels, ...)."""
        return self.of_members(array)[:, self.images.start * pixels : self.images.stop * pixels]

    def of_members(self, array: Array) -> Array:
        """Return the part of an array whose first axis counts members, or has one element for all."""
        return array[self.members] if array.shape[0] > 1 else array


def is_pointwise(window: Window) -> bool:
    """Return True if each place of a window sees nothing but the pixel at the same place."""
    return window.kernel == window.stride == (1, 1) and not any(window.padding)


def of_pixels(op: str, a: Array, b: Array, out: Array) -> tuple[Array, Array, Array]:
    """Return the operands and the result of the matrix product that a pointwise convolution or gradient is."""
    match op:
        case "convolve":
            return a, b[..., 0, 0, :, :], out
        case "convolve_to_input":
            return a, b[..., 0, 0, :, :].mT, out
    return a.mT, b, out[..., 0, 0, :, :]


def convolution(
    op: str, a: Array, b: Array, window: Window, groups: int, out: Array, precision: str
) -> list[Call] | None:
    """Return the calls of ``out = op(a, b, window, groups)``.

    Parameters
    ----------
    op : str
        Name in `CONVOLUTIONS`.
    a, b, out : cupy.ndarray
    window : Window
    groups : int
    precision : {"float32", "tf32", "bf16"}
        Precision of products of float32 arrays.

    Returns
    -------
    list of Call, or None
        None if cuBLAS cannot multiply such arrays.
    """
    w = out if op == "convolve_to_kernel" else b
    pixels = [array for array in (a, b, out) if array is not w]
    return CONVOLUTIONS[op](a, b, window, groups, out, precision) if _fit(w, *pixels) else None


def _convolve(x: Array, w: Array, window: Window, groups: int, out: Array, precision: str) -> list[Call]:
    """Return the calls of ``out = convolve(x, w, window, groups)``."""
    kernel, y = _kernel(w, groups), _pixels(out, groups)
    kernel, calls = operand(kernel, "right", precision)
    if is_pointwise(window):
        seen, rounding = operand(_pixels(x, groups), "left", precision)
        return [*calls, *rounding, *_products(seen, kernel, y, precision)]
    for part in _parts(_stack(x), window, kernel):
        result = part.of(y, math.prod(window.out))
        calls.append(_gather(part, x, window, groups))
        calls += _products(part.patches, part.of_members(kernel), result, precision)
    return calls


def _convolve_to_input(dy: Array, w: Array, window: Window, groups: int, out: Array, precision: str) -> list[Call]:
    """Return the calls of ``out = convolve_to_input(dy, w, window, groups)``."""
    kernel, grad, dx = _kernel(w, groups), _pixels(dy, groups), _stack(out)
    rounded, calls = operand(kernel, "right", precision)
    turned = rounded.swapaxes(1, 3)
    if is_pointwise(window):
        given, rounding = operand(grad, "left", precision)
        return [*calls, *rounding, *_products(given, turned, _pixels(out, groups), precision)]
    for part in _parts(dx, window, kernel):
        result = part.of(dx, math.prod(window.image))
        given, rounding = operand(part.of(grad, math.prod(window.out)), "left", precision)
        calls += [*rounding, *_products(given, part.of_members(turned), part.patches, precision)]
        calls.append((SingleKernel(fold(part.patches, window, groups, result)), ()))
    return calls


def _convolve_to_kernel(x: Array, dy: Array, window: Window, groups: int, out: Array, precision: str) -> list[Call]:
    """Return the calls of ``out = convolve_to_kernel(x, dy, window, groups)``.

    Images are added by the products, part after part.
    """
    dw, grad = _kernel(out, groups), _pixels(dy, groups)
    if is_pointwise(window):
        seen, calls = operand(_pixels(x, groups), "left", precision)
        given, rounding = operand(grad, "right", precision)
        return [*calls, *rounding, *_products(seen.swapaxes(1, 3), given, dw, precision)]
    calls = []
    for part in _parts(_stack(x), window, dw, BFLOAT16 if rounds(out, precision) else None):
        result, add = part.of_members(dw), part.images.start > 0
        given, rounding = operand(part.of(grad, math.prod(window.out)), "right", precision)
        calls += [_gather(part, x, window, groups), *rounding]
        calls += _products(part.patches.swapaxes(1, 3), given, result, precision, add=add)
    return calls


CONVOLUTIONS = {f.__name__[1:]: f for f in (_convolve, _convolve_to_input, _convolve_to_kernel)}
"""Functions that return the calls of a convolution and its gradients, by name."""


def _fit(w: Array, *pixels: Array) -> bool:
    """Return True if parts of these arrays are matrices for cuBLAS."""
    kernel = w.shape[-4:]
    contiguous = (math.prod(kernel[k:]) for k in range(1, 5))
    return bool(
        str(w.dtype) in ONE
        and all(computed_in(array.dtype) == str(w.dtype) for array in pixels)
        and w.ndim <= 5
        and all(n == 1 or s == c for n, s, c in zip(kernel, element_strides(w)[-4:], contiguous, strict=True))
        and all(array.ndim <= 3 and is_row_major(array) and 0 < array.shape[-2] < INT for array in pixels)
    )


def _stack(x: Array) -> Array:
    """Return pixels with an axis for members, of length 1 if they have none."""
    return x if x.ndim == 3 else x[None]


def _pixels(x: Array, groups: int) -> Array:
    """Return pixels as grouped matrices, of shape (members or 1, N * H * W, groups, C / groups)."""
    stack = _stack(x)
    return stack.reshape(*stack.shape[:2], groups, stack.shape[2] // groups)


def _kernel(w: Array, groups: int) -> Array:
    """Return a kernel as grouped matrices, of shape (members or 1, rows * columns * C / groups, groups, D / groups)."""
    stack = w if w.ndim == 5 else w[None]
    return stack.reshape(stack.shape[0], math.prod(stack.shape[1:4]), groups, stack.shape[4] // groups)


def _parts(x: Array, window: Window, kernel: Array, dtype: str | None = None) -> Iterator[Part]:
    """Yield the parts of images, which have about the same length.

    x: images, or their gradient, of shape (members or 1, N * H * W, C). kernel: as from `_kernel`; patches have its
    dtype if none is given.
    """
    dtype = dtype or str(kernel.dtype)
    members, images = x.shape[0], window.images(x.shape[1])
    places, groups, length = math.prod(window.out), kernel.shape[2], kernel.shape[1]
    fit = max(1, MOST // (places * groups * length * np.dtype(dtype).itemsize))
    m = min(members, fit)
    n = math.ceil(images / math.ceil(images / (fit // m)))
    for k in range(0, members, m):
        of_members = slice(k, k + m) if members > 1 else slice(None)
        for i in range(0, images, n):
            shape = min(m, members - k), min(n, images - i) * places, groups, length
            patches = cublas_handle().scratch("patches", shape, dtype)
            yield Part(of_members, slice(i, min(i + n, images)), patches)


def _gather(part: Part, x: Array, window: Window, groups: int) -> Call:
    """Return the call that fills the patches of a part.

    As many channels as 8 bytes hold are copied as one integer, which takes less arithmetic of indices for each byte. So
    are pairs written that are rounded.
    """
    patches, n = part.patches, x.shape[-1] // groups
    if patches.dtype != x.dtype:
        patches = patches.view("uint32") if n % 2 == 0 else patches
    elif x.itemsize < 8 and n * x.itemsize % 8 == 0 and x.data.ptr % 8 == 0 and x.flags.c_contiguous:
        x, patches = x.view("int64"), patches.view("int64")
    return SingleKernel(gather(part.of(_stack(x), math.prod(window.image)), window, groups, patches)), ()


def _products(a: Array, b: Array, out: Array, precision: str, *, add: bool = False) -> list[Call]:
    """Return the calls of ``out = a @ b`` or ``out += a @ b`` for stacks of grouped matrices.

    a, b, out: of shape (members or 1, rows, groups, columns). A call computes all members, or all groups of a member.
    """
    if out.shape[2] == 1:
        stacks = [[array[:, :, 0] for array in (a, b, out)]]
    else:
        each = range(out.shape[0])
        stacks = [[x[k if x.shape[0] > 1 else 0].swapaxes(0, 1) for x in (a, b, out)] for k in each]
    operands = [[x[0] if x.shape[0] == 1 else x for x in stack] for stack in stacks]
    return [(MatrixProduct(left, right, result, precision, add=add), ()) for left, right, result in operands]
