"""Layers that make one pixel of a window of pixels."""

from dataclasses import KW_ONLY, dataclass
from functools import reduce
from operator import add

import numpy as np
from array_api_compat import array_namespace

from anynet.core.checks import store
from anynet.core.typing import Array, Arrays
from anynet.core.window import Window
from anynet.nn.image_layer import ImageLayer, Size, by_place, pair, short_pair
from anynet.nn.layer_text import short
from anynet.nn.max_pooling import max_pool, max_pool_to_input
from anynet.nn.padding import Padding, padding, sides, window_of
from anynet.nn.window_views import put_back, views


@dataclass(frozen=True)
class Pool(ImageLayer):
    """Base class of layers with a window; see `MaxPool2d`."""

    kernel: int | Size
    _: KW_ONLY
    stride: int | Size | None = None
    padding: Padding = "valid"

    def __post_init__(self) -> None:
        name = short(self)
        store(self, "kernel", short_pair(f"{name}: kernel", self.kernel))
        if self.stride is not None:
            store(self, "stride", short_pair(f"{name}: stride", self.stride))
        store(self, "padding", padding(f"{name}: padding", self.padding))
        rows, columns = pair("kernel", self.kernel)
        top, bottom, left, right = sides(self.padding)
        if max(top, bottom) >= rows or max(left, right) >= columns:
            raise ValueError(f"{name}: expected padding that is smaller than the kernel, so that no window is empty")
        super().__post_init__()

    @property
    def window(self) -> Window:
        """Places of the kernel on an image."""
        stride = self.kernel if self.stride is None else self.stride
        return window_of(short(self), self.size_in(), self.kernel, stride, self.padding)

    def size_out(self) -> Size:
        """Return the rows and columns of the output."""
        return self.window.out


@by_place(1, "MaxPool2d({0}, stride={1})")
@dataclass(frozen=True)
class MaxPool2d(Pool):
    """Largest value of each channel in windows of an image; of equal ones the gradient goes to the first, row by row.

    Parameters
    ----------
    kernel : int or (int, int)
        Rows and columns of the window.
    image : (int, int)
        Rows and columns of the input. Default: those of the input, in a `Sequential` with an `input_shape`.
    stride : int or (int, int), optional
        Distance between neighboring windows. Default: that of windows that do not overlap. Pixels at the end that are
        too few for a window are left out.
    padding : {"valid", "same"} or int or tuple of int
        As for `Conv2d`; a pixel of the padding never is the largest.

    Raises
    ------
    TypeError, ValueError
        If a setting is of another type or out of range, or the padding is not smaller than the kernel.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.asarray([[1.0, 2, 5, 6, 3, 4, 8, 7]]).T
    >>> MaxPool2d(2, image=(2, 4)).forward({}, {}, x, train=True)[0]
    array([[4.],
           [8.]])
    """

    def forward(
        self, params: Arrays, state: Arrays, x: Array, *, train: bool
    ) -> tuple[Array, tuple[Array, Array], Arrays]:
        """Return the largest values; the cache is x and y."""
        y = max_pool(x, self.window)
        return y, (x, y), state

    def backward(self, params: Arrays, cache: tuple[Array, Array], dy: Array) -> tuple[Array, Arrays]:
        """Return dy where x was the largest of its window, else 0."""
        return max_pool_to_input(dy, *cache, self.window), {}


@by_place(1, "AvgPool2d({0}, stride={1})")
@dataclass(frozen=True)
class AvgPool2d(Pool):
    """Mean of each channel in windows of an image; pixels of the padding count as 0.

    Parameters
    ----------
    kernel, image, stride, padding : int, tuple of int or str
        As for `MaxPool2d`.

    Raises
    ------
    TypeError, ValueError
        If a setting is of another type or out of range.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.asarray([[1.0, 2, 5, 6, 3, 4, 8, 7]]).T
    >>> AvgPool2d(2, image=(2, 4)).forward({}, {}, x, train=True)[0]
    array([[2.5],
           [6.5]])
    """

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, None, Arrays]:
        """Return the means."""
        rows, columns = self.window.kernel
        return reduce(add, (view for _, _, view in views(x, self.window))) / (rows * columns), None, state

    def backward(self, params: Arrays, cache: None, dy: Array) -> tuple[Array, Arrays]:
        """Return ``dy / n`` at each of the n pixels of a window, summed over its windows."""
        rows, columns = self.window.kernel
        each = dy / (rows * columns)
        return reduce(add, (put_back(each, a, b, self.window) for a, b in np.ndindex(rows, columns))), {}


@dataclass(frozen=True)
class GlobalPool(ImageLayer):
    """Mean of each channel over the whole image: from pixels (..., N * H * W, C) to features (..., N, C).

    Parameters
    ----------
    image : (int, int)
        Rows and columns of the input. Default: those of the input, in a `Sequential` with an `input_shape`.

    References
    ----------
    Lin, Chen, Yan (2014), Network in network, section 3.2. https://arxiv.org/abs/1312.4400

    Examples
    --------
    >>> import numpy as np
    >>> x = np.asarray([[1.0, 2.0], [3.0, 6.0]])
    >>> GlobalPool(image=(1, 2)).forward({}, {}, x, train=True)[0]
    array([[2., 4.]])
    """

    def size_out(self) -> None:
        """Return None: the output has features."""
        return

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, None, Arrays]:
        """Return the means."""
        xp, (*members, n, channels), (rows, columns) = array_namespace(x), x.shape, self.size_in()
        images = xp.reshape(x, (*members, n // (rows * columns), rows * columns, channels))
        return xp.mean(images, axis=-2), None, state

    def backward(self, params: Arrays, cache: None, dy: Array) -> tuple[Array, Arrays]:
        """Return ``dy / (H W)`` at each pixel."""
        xp, (*members, n, channels), (rows, columns) = array_namespace(dy), dy.shape, self.size_in()
        each = xp.expand_dims(dy / (rows * columns), axis=-2)
        dx = xp.broadcast_to(each, (*members, n, rows * columns, channels))
        return xp.reshape(dx, (*members, n * rows * columns, channels)), {}
