"""Pixels that each element of a kernel sees, and the way back."""

from collections.abc import Iterator

from array_api_compat import array_namespace, device

from anynet.core.typing import Array
from anynet.core.window import Window


def views(x: Array, window: Window, fill: float = 0.0) -> Iterator[tuple[int, int, Array]]:
    """Yield what each element of the kernel sees.

    Parameters
    ----------
    x : array, shape (..., N * H * W, C)
        Pixels of N images.
    window : Window
    fill : float
        Value of the padding.

    Yields
    ------
    a, b : int
        Row and column in the kernel.
    view : array, shape (..., N * H' * W', C)
        The pixel that this element sees at each of the H' x W' places.
    """
    xp, (height, width), (down, across) = array_namespace(x), window.out, window.stride
    *members, n, channels = x.shape
    images = xp.reshape(x, (*members, window.images(n), *window.image, channels))
    top, bottom, left, right = window.padding
    images = _extended(_extended(images, top, bottom, fill, axis=-3), left, right, fill, axis=-2)
    for a in range(window.kernel[0]):
        for b in range(window.kernel[1]):
            rows = slice(a, a + down * (height - 1) + 1, down)
            columns = slice(b, b + across * (width - 1) + 1, across)
            view = images[..., rows, columns, :]
            yield a, b, xp.reshape(view, (*members, window.results(n), channels))


def put_back(view: Array, a: int, b: int, window: Window) -> Array:
    """Return the pixels that an element of the kernel sees in their images, with zeros elsewhere: the adjoint of views.

    Parameters
    ----------
    view : array, shape (..., N * H' * W', C)
        A value for each place.
    a, b : int
        Row and column in the kernel.
    window : Window

    Returns
    -------
    array, shape (..., N * H * W, C)
    """
    xp, (height, width), (top, _, left, _) = array_namespace(view), window.image, window.padding
    *members, n, channels = view.shape
    n //= window.out[0] * window.out[1]
    images = xp.reshape(view, (*members, n, *window.out, channels))
    images = _spread(images, window.stride[0], a, window.padded[0], axis=-3)
    images = _spread(images, window.stride[1], b, window.padded[1], axis=-2)
    images = images[..., top : top + height, left : left + width, :]
    return xp.reshape(images, (*members, n * height * width, channels))


def _spread(x: Array, stride: int, start: int, length: int, axis: int) -> Array:
    """Return `x` with its elements on an axis at `start`, `start` + `stride` and so on of `length`, and else zeros."""
    xp, n, place = array_namespace(x), x.shape[axis], x.ndim + axis
    if stride > 1:
        apart = _extended(xp.expand_dims(x, axis=place + 1), 0, stride - 1, 0.0, axis=place + 1)
        x = xp.reshape(apart, (*x.shape[:place], n * stride, *x.shape[place + 1 :]))
        x = x[(*(slice(None),) * place, slice((n - 1) * stride + 1), ...)]
    return _extended(x, start, length - start - x.shape[place], 0.0, axis=place)


def _extended(x: Array, before: int, after: int, fill: float, axis: int) -> Array:
    """Return `x` with so many elements of one value before and after an axis."""
    if not before and not after:
        return x
    xp = array_namespace(x)

    def border(n: int) -> Array:
        shape = list(x.shape)
        shape[axis] = n
        return xp.full(tuple(shape), fill, dtype=x.dtype, device=device(x))

    return xp.concat([*([border(before)] if before else []), x, *([border(after)] if after else [])], axis=axis)
