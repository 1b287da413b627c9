"""Max-pooling and its derivative as native functions, image by image."""

from collections.abc import Iterator, Sequence
from math import inf, nan
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from anynet.compiler.graph import Args, Kwargs, Node
from anynet.compiler.numpy.native.instructions import TABLE
from anynet.compiler.numpy.native.ir_types import TYPES
from anynet.compiler.numpy.native.ir_values import Operand, Value
from anynet.compiler.numpy.native.kernel import Host, Kernel
from anynet.compiler.numpy.native.panels import ONCE, power_of_two
from anynet.compiler.numpy.native.processor import vector_registers
from anynet.compiler.numpy.native.writer import Function
from anynet.core.window import Window

MOST = 32
"""Largest number of elements of a window."""


def kernel(node: Node, args: Args, kwargs: Kwargs, out: Host) -> Kernel | None:
    """Return a kernel for ``max_pool`` or ``max_pool_to_input``, or None if there is no native form."""
    kinds: dict[str, type[_Pooling]] = {"max_pool": MaxPool, "max_pool_to_input": MaxPoolToInput}
    if node.op not in kinds or node.definition is None:
        return None
    *arrays, window = args
    dtypes = {array.dtype for array in (*arrays, out)}
    rows, columns = window.kernel
    fits = len(dtypes) == 1 and out.dtype.name in ("float32", "float64") and rows * columns <= MOST
    near = all(array.strides[-1] == array.itemsize or array.shape[-1] == 1 for array in (*arrays, out))
    return kinds[node.op](arrays, window, out) if fits and near and out.size and out.ndim in (2, 3) else None


class _Pooling(Kernel):
    """Kernel that goes over the places of windows; its units are images.

    Parameters
    ----------
    arrays : list of ndarray, shape (..., pixels, channels)
        Arguments.
    window : Window
    out : ndarray
    """

    def __init__(self, arrays: list[Host], window: Window, out: Host) -> None:
        ahead = out.shape[:-2] or (1,)
        self._window, self._channels = window, out.shape[-1]
        self._whole = [np.broadcast_to(array, (*ahead, *array.shape[-2:])) for array in (*arrays, out)]
        height, width = self._shape()
        self._images = out.shape[-2] // (height * width)
        super().__init__([*arrays, out], units=ahead[0] * self._images)

    def _shape(self) -> tuple[int, int]:
        """Return the rows and columns of images of the result."""
        raise NotImplementedError

    def _rows(self, array: Host, shape: tuple[int, int]) -> Host:
        """Return a view of shape (members, images, rows, columns, channels)."""
        height, width = shape
        member, pixel, channel = array.strides
        strides = (member, pixel * height * width, pixel * width, pixel, channel)
        return as_strided(array, (array.shape[0], self._images, height, width, self._channels), strides)

    def write(self, f: Function) -> None:
        """Write loops over images, rows, columns and vectors of channels."""
        with f.loop(f.last, f.first) as unit:
            member = f.op("udiv", unit, self._images)
            image = [member, unit - member * self._images]
            self._begin(f, image)
            height, width = self._window.out
            with f.loop(height) as i, f.loop(width) as j:
                for c, n in self._vectors(f):
                    self._place(f, image, i, j, c, n)

    def _vectors(self, f: Function) -> Iterator[tuple[Operand, int]]:
        """Yield the first channel and the number of lanes of vectors, in a loop and behind it."""
        most = vector_registers()[0] // self.arrays[-1].itemsize
        done = self._channels - self._channels % most
        if done:
            with f.loop(done, step=most, hints=ONCE) as c:
                yield c, most
        while done < self._channels:
            n = power_of_two(self._channels - done)
            yield done, n
            done += n

    def _begin(self, f: Function, image: Sequence[Value]) -> None:
        """Write what is done for an image ahead of its places."""

    def _place(self, f: Function, image: Sequence[Value], i: Value, j: Value, c: Operand, n: int) -> None:
        """Write what is done for some channels of a place."""
        raise NotImplementedError

    def _seen(self, f: Function, i: Value, j: Value) -> Iterator[tuple[Operand, Operand, Value | None]]:
        """Yield the row and the column of each pixel of a window, and whether it is one, or None if it surely is."""
        (height, width), (down, across) = self._window.image, self._window.stride
        top, bottom, left, right = self._window.padding
        for a, b in np.ndindex(self._window.kernel):
            row, in_column = _within(f, i * down + (a - top), height, padded=bool(top or bottom))
            column, in_row = _within(f, j * across + (b - left), width, padded=bool(left or right))
            both = in_column & in_row if in_column is not None and in_row is not None else None
            yield row, column, both or in_column or in_row

    def _load(
        self, f: Function, x: Host, index: Sequence[Operand], n: int, within: Value | None, padding: float
    ) -> Value:
        """Return pixels, or the value of the padding."""
        value = f.load(x, *index, lanes=n)
        return value if within is None else f.select(within, value, padding)


class MaxPool(_Pooling):
    """Largest values of windows."""

    def _shape(self) -> tuple[int, int]:
        return self._window.out

    def _place(self, f: Function, image: Sequence[Value], i: Value, j: Value, c: Operand, n: int) -> None:
        x, out = self._rows(self._whole[0], self._window.image), self._rows(self._whole[1], self._window.out)
        largest: Any = None
        for row, column, within in self._seen(f, i, j):
            value = self._load(f, x, (*image, row, column, c), n, within, -inf)
            largest = value if largest is None else TABLE["f"]["maximum"](f, value, largest)
        f.store(largest, out, *image, i, j, c)


class MaxPoolToInput(_Pooling):
    """Gradient by the input of the largest values of windows: that of a place belongs to the first pixel with it."""

    def _shape(self) -> tuple[int, int]:
        return self._window.image

    @property
    def _overlaps(self) -> bool:
        pairs = zip(self._window.kernel, self._window.stride, strict=True)
        return any(self._window.padding) or any(size > stride for size, stride in pairs)

    def _begin(self, f: Function, image: Sequence[Value]) -> None:
        """Write zeros, if there is a pixel that no place, or more than one, sees."""
        window = self._window
        if not self._overlaps and window.kernel == window.stride and self._all_seen():
            return
        dx = self._rows(self._whole[3], window.image)
        with f.loops(window.image) as (row, column):
            for c, n in self._vectors(f):
                f.store(f.constant(f"<{n} x {TYPES[dx.dtype.name]}>", 0), dx, *image, row, column, c)

    def _all_seen(self) -> bool:
        sizes = zip(self._window.image, self._window.out, self._window.stride, strict=True)
        return all(size == places * stride for size, places, stride in sizes)

    def _place(self, f: Function, image: Sequence[Value], i: Value, j: Value, c: Operand, n: int) -> None:
        window = self._window
        dy, x, y, dx = self._whole
        x, dx = (self._rows(array, window.image) for array in (x, dx))
        gradient, largest = (f.load(self._rows(a, window.out), *image, i, j, c, lanes=n) for a in (dy, y))
        found: Any = None
        for row, column, within in self._seen(f, i, j):
            place = (*image, row, column, c)
            hit = f.compare("oeq", self._load(f, x, place, n, within, nan), largest)
            first = hit if found is None else hit & (found ^ -1)
            found = hit if found is None else found | hit
            part = f.select(first, gradient, 0)
            if self._overlaps:
                # what belongs to the padding is nothing to the pixel at its edge
                part = part if within is None else f.select(within, part, 0)
                part = f.load(dx, *place, lanes=n) + part
            f.store(part, dx, *place)


def _within(f: Function, i: Value, n: int, *, padded: bool) -> tuple[Value, Value | None]:
    """Return the nearest index of an axis, and if it is the given one; None if it surely is."""
    if not padded:
        return i, None
    low = f.select(f.compare("slt", i, 0), 0, i)
    near = f.select(f.compare("sgt", low, n - 1), n - 1, low)
    return near, f.compare("eq", near, i)
