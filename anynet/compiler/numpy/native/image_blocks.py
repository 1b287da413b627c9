"""Images as convolutions read them: some at a time, with the zeros around them that a kernel sees."""

from collections.abc import Sequence
from typing import NamedTuple, Self

from numpy.lib.stride_tricks import as_strided

from anynet.compiler.numpy import ufuncs
from anynet.compiler.numpy.native.ir_types import TYPES
from anynet.compiler.numpy.native.ir_values import Operand, Value
from anynet.compiler.numpy.native.kernel import Host
from anynet.compiler.numpy.native.strided_loops import Axis, copy, merged
from anynet.compiler.numpy.native.writer import Function
from anynet.core.window import Window

PIXELS = 256
"""Number of pixels of a result that are worth reading a panel of weights for."""

BYTES = 3 << 17
"""Largest size of a block of images, which has to stay in the second cache beside other things."""

Pair = tuple[int, int]


class Reach(NamedTuple):
    """Pixels that the elements of a kernel see, along rows and columns.

    Element a of `taps` elements sees pixel ``i * step + a + shift`` at place i of `places`. Pixels outside of the image
    are zeros.
    """

    places: Pair
    taps: Pair
    step: Pair
    shift: Pair

    @classmethod
    def of(cls, window: Window) -> Self:
        """Return the pixels that the kernel of a window sees."""
        return cls(window.out, window.kernel, window.stride, (-window.padding[0], -window.padding[2]))

    @property
    def size(self) -> Pair:
        """Number of pixels that are seen."""
        rows, columns = ((n - 1) * step + taps for n, step, taps in zip(self.places, self.step, self.taps, strict=True))
        return rows, columns


def as_images(array: Host, size: Pair) -> Host:
    """Return a view of pixels as images: shape (..., N, rows, columns, channels)."""
    (rows, columns), (*members, n, channels), (*far, pixel, near) = size, array.shape, array.strides
    shape = (*members, n // (rows * columns), rows, columns, channels)
    return as_strided(array, shape, (*far, rows * columns * pixel, columns * pixel, pixel, near))


def has_neighbors(images: Host) -> bool:
    """Return True if the channels of a pixel are neighbors in memory."""
    return images.shape[-1] == 1 or images.strides[-1] == images.itemsize


def is_clipped(images: Host, reach: Reach) -> bool:
    """Return True if the kernel sees zeros around images, which can be read where they are, without the zeros."""
    sides = zip(reach.shift, reach.size, images.shape[-3:-1], strict=True)
    return has_neighbors(images) and any(shift < 0 or shift + size > length for shift, size, length in sides)


def block_size(images: Host, reach: Reach) -> int:
    """Return the number of images of a block, which divides that of all images if possible."""
    n, nbytes = images.shape[-4], max(reach.size[0] * reach.size[1] * images.shape[-1] * images.itemsize, 1)
    most = max(min(n, -(-PIXELS // (reach.places[0] * reach.places[1])), BYTES // nbytes), 1)
    return next((size for size in range(most, most // 2, -1) if n % size == 0), most)


class ImageBlocks:
    """Blocks of images, read where they are if that is possible, otherwise copied with zeros around them.

    Parameters
    ----------
    images : ndarray, shape (..., N, rows, columns, channels)
    reach : Reach
    size : int
        Largest number of images of a block.
    units : int
        Number of units of the kernel. Each has memory of its own, in which zeros are written only once, here.
    clipped : bool
        If True, images are read where they are, and zeros around them must not be: see `seen`.

    Attributes
    ----------
    array : ndarray
        The images that are read, or memory for copies.
    strides : tuple of int
        Distances in bytes of neighboring images, rows, columns and channels.
    """

    def __init__(self, images: Host, reach: Reach, size: int, units: int, *, clipped: bool = False) -> None:
        self.reach, self.size, self.clipped = reach, size, clipped
        seen, lengths = list(zip(reach.shift, reach.size, strict=True)), images.shape[-3:-1]
        whole = all(start >= 0 and start + n <= length for (start, n), length in zip(seen, lengths, strict=True))
        kept = [
            slice(max(start, 0), max(min(start + n, length), start, 0))
            for (start, n), length in zip(seen, lengths, strict=True)
        ]
        self._source = images[..., kept[0], kept[1], :]
        self._copies = not clipped and (not whole or not has_neighbors(images))
        if not self._copies:
            self.array = images if clipped else self._source
        else:
            self.array = ufuncs.zeros((units, size, *reach.size, images.shape[-1]), images.dtype)
            top, left = (part.start - start for part, (start, _) in zip(kept, seen, strict=True))
            rows, columns = self._source.shape[-3:-1]
            self._into = self.array[..., top : top + rows, left : left + columns, :]
        self.strides = self.array.strides[-4:]

    def write(self, f: Function, unit: Value, members: Sequence[Value], first: Value, n: Operand) -> str:
        """Return a pointer to `n` images from the first one on, after having copied them if necessary."""
        if not self._copies:
            return f.address(self.array, *members, first)
        source, into = self._source, self._into
        if source.size:
            sizes = (n if isinstance(n, Value) else int(n), *source.shape[-3:])
            axes = merged(list(map(Axis, sizes, source.strides[-4:], into.strides[-4:])))
            copy(f, axes, f.address(source, *members, first), f.address(into, unit), TYPES[source.dtype.name])
        return f.address(self.array, unit)

    def pixels(
        self, far: Sequence[int], n: int | Value, rows: int | Value | None = None, columns: int | Value | None = None
    ) -> list[Axis]:
        """Return the axes of what an element sees from places, all or some, of `n` images, beside other distances."""
        (image, row, column, _), (down, across) = self.strides, self.reach.step
        places = self.reach.places
        lengths = n, places[0] if rows is None else rows, places[1] if columns is None else columns
        return merged(list(map(Axis, lengths, (image, down * row, across * column), far)))

    def elements(
        self, far: int, channels: int, rows: int | Value | None = None, columns: int | Value | None = None
    ) -> list[Axis]:
        """Return the axes of elements of the kernel, all or some, and of channels, beside rows of so many bytes."""
        _, row, column, near = self.strides
        taps = self.reach.taps
        axes = [
            Axis(taps[0] if rows is None else rows, row, taps[1] * channels * far),
            Axis(taps[1] if columns is None else columns, column, channels * far),
            Axis(channels, near, far),
        ]
        return merged(axes)

    def seen(self, f: Function, index: Sequence[Value], *, by_element: bool) -> tuple[list[Value], list[Value], Value]:
        """Return what is inside of images: of the elements seen from a place, or of the places seen by an element.

        Returns
        -------
        first, number : list of Value
            First row and column that are inside, and their numbers.
        far : Value
            Distance in bytes of the first pixel.
        """
        reach, lengths = self.reach, self.array.shape[-3:-1]
        firsts, numbers, far = [], [], f.index(0)
        for axis, i in enumerate(index):
            n, other = (reach.places, reach.step) if by_element else (reach.taps, (1, 1))
            step, mine = other[axis], 1 if by_element else reach.step[axis]
            start = i * mine + reach.shift[axis]
            low, high = (_quotient(f, far, step) for far in (-start, lengths[axis] - start))
            firsts.append(low)
            numbers.append(f.call("llvm.smin", high, n[axis]) - low)
            far = far + (start + low * step) * self.strides[1 + axis]
        return firsts, numbers, far


def _quotient(f: Function, number: Value, step: int) -> Value:
    """Return a number divided by a step and rounded up; 0 for negative numbers."""
    return f.op("udiv", f.call("llvm.smax", number, 0) + (step - 1), step)
