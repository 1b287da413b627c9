"""Gradients of convolutions by the kernel: sums over pixels for tiles of the kernel's elements.

Parts of the batch have sums of their own, which are added up in a fixed order.
"""

from math import prod

import numpy as np

from anynet.compiler.graph import Args, Kwargs, Node
from anynet.compiler.numpy import ufuncs
from anynet.compiler.numpy.native import shares
from anynet.compiler.numpy.native.image_blocks import ImageBlocks, Reach, as_images, block_size, is_clipped
from anynet.compiler.numpy.native.ir_types import TYPES
from anynet.compiler.numpy.native.ir_values import Value
from anynet.compiler.numpy.native.kernel import Host, Kernel
from anynet.compiler.numpy.native.kernel_panels import Total, as_groups, has_form
from anynet.compiler.numpy.native.register_tiles import Tiles, Tiling, tiling
from anynet.compiler.numpy.native.strided_loops import Axis, copy, moved, nested, unravel
from anynet.compiler.numpy.native.writer import Function

CHANNELS = 12
"""Number of channels from which on a tile has those of one element of the kernel, and leaves out zeros that it sees."""

PARTS = 16
"""Number of units for each member, if there are as many."""

PIXELS = 1600
"""Number of pixels whose sums take much longer than adding them to those of others."""

BYTES = 1 << 24
"""Largest size of the sums of all parts, where it is up to their number."""


def kernel(node: Node, args: Args, kwargs: Kwargs, out: Host) -> list[Kernel] | None:
    """Return the kernels of a gradient by the kernel, if they can read and write the arrays."""
    if node.op != "convolve_to_kernel" or kwargs or not has_form(args[0], args[1], out):
        return None
    x, dy, window, groups = args
    x, dy = as_images(x, window.image), as_images(dy, window.out)
    return sums_over_pixels(x, dy, as_groups(out, groups), Reach.of(window))


def sums_over_pixels(x: Host, dy: Host, dw: Host, reach: Reach) -> list[Kernel]:
    """Return the kernels of a gradient by the kernel, shape (..., rows, columns, groups, C, D), of images."""
    *ahead, rows, columns, groups, c, d = dw.shape
    n, depth = x.shape[-4], rows * columns * c
    most = min(n, n * prod(reach.places) // PIXELS, BYTES // (groups * depth * d * dw.itemsize), PARTS)
    parts = max(most, 1)
    size, clipped = block_size(x, reach), c >= CHANNELS and is_clipped(x, reach)
    x, dy = (np.broadcast_to(images, (*ahead, *images.shape[-4:])) for images in (x, dy))
    probe = ImageBlocks(x[..., :0, :, :, :], reach, size, 0)
    tiles = tiling([Axis(c, 0, 0)] if clipped else probe.elements(1, c), d, dw.itemsize)
    shape = (*ahead, parts, min(-(-PARTS // parts), tiles.number))
    blocks = ImageBlocks(x, reach, size, prod(shape), clipped=clipped)
    sums = ufuncs.empty((*ahead, parts, groups, depth, tiles.number * tiles.width), dw.dtype)
    return [KernelGradients(x, blocks, dy, d, sums, tiles, shape), Total(sums, dw, tiles)]


class KernelGradients(Kernel):
    """Gradients by the kernel for parts of a batch.

    Parameters
    ----------
    x : ndarray, shape (..., N, rows, columns, channels)
    blocks : ImageBlocks
        Blocks of these images.
    dy : ndarray, shape (..., N, rows, columns, channels)
    columns : int
        Number of the channels of dy in a group.
    sums : ndarray, shape (..., parts, groups, rows of panels, columns of all panels)
        Results in panels.
    tiles : Tiling
    units : tuple of int
        Members, parts of the batch and parts of the panels.
    """

    def __init__(
        self, x: Host, blocks: ImageBlocks, dy: Host, columns: int, sums: Host, tiles: Tiling, units: tuple[int, ...]
    ) -> None:
        self._blocks, self._dy, self._columns, self._sums, self._tiles = blocks, dy, columns, sums, tiles
        self._shape, pixels = units, prod(blocks.reach.places)
        self._panel = ufuncs.zeros((prod(units), blocks.size, pixels * tiles.width), dy.dtype)
        super().__init__([x, blocks.array, dy, self._panel, sums], units=prod(units))

    def write(self, f: Function) -> None:
        """Write loops over blocks of images, groups, panels and tiles."""
        n, size, (*_, parts, panel_parts) = self._dy.shape[-4], self._blocks.size, self._shape
        with f.loop(f.last, f.first) as unit:
            *members, part, share = unravel(f, unit, self._shape)
            low, high = shares.bounds(f, share, self._tiles.number, panel_parts)
            start, stop = shares.bounds(f, part, n, parts)
            self._clear(f, [*members, part], low, high)
            with f.loop(stop, start, step=size) as first:
                images = f.call("llvm.smin", stop - first, size)
                source = self._blocks.write(f, unit, members, first, images)
                with f.loop(self._sums.shape[-3]) as group:
                    for panel, width, used in self._tiles.panels(f, self._columns, low, high):
                        column = group * self._columns + panel * self._tiles.width
                        dy = self._copy(f, unit, [*members, first], column, images, width, used)
                        a = moved(f, source, group * (self._channels * self._dy.itemsize))
                        out = self._place(f, [*members, part], group, panel)
                        self._write_panel(f, (a, dy, out), images, width, used)

    def _write_panel(self, f: Function, pointers: tuple[str, str, str], n: Value, width: int, used: int) -> None:
        """Write loops over the tiles of a panel, each of which sums over the pixels of `n` images."""
        blocks, far, row = self._blocks, self._distances(width), width * self._dy.itemsize
        if not blocks.clipped:
            axes, terms = blocks.elements(row, self._channels), blocks.pixels(far, n)
            Tiles(f, self._dy.dtype, self._tiles.lanes, axes, terms).write(pointers, used, adds=True)
            return
        x, dy, out = pointers
        with f.loops(blocks.reach.taps) as element:
            first, number, start = blocks.seen(f, element, by_element=True)
            places = (
                moved(f, x, start),
                moved(f, dy, first[0] * far[1] + first[1] * far[2]),
                moved(f, out, (element[0] * blocks.reach.taps[1] + element[1]) * (self._channels * row)),
            )
            axis = Axis(self._channels, self._dy.itemsize, row)
            pixels = blocks.pixels(far, n, *number)
            Tiles(f, self._dy.dtype, self._tiles.lanes, [axis], pixels).write(places, used, adds=True)

    @property
    def _channels(self) -> int:
        return int(self._sums.shape[-2]) // prod(self._blocks.reach.taps)

    def _place(self, f: Function, part: list[Value], group: Value, panel: Value) -> str:
        """Return a pointer to a panel of the sums."""
        far = panel * self._tiles.nbytes(self._sums)
        return moved(f, f.address(self._sums, *part, group), far)

    def _distances(self, width: int) -> tuple[int, int, int]:
        """Return distances in bytes of images, rows and columns in a panel of dy."""
        pixel = width * self._dy.itemsize
        return prod(self._blocks.reach.places) * pixel, self._blocks.reach.places[1] * pixel, pixel

    def _clear(self, f: Function, part: list[Value], low: Value, high: Value) -> None:
        """Write zeros to some panels of the sums of a part."""
        sums, nbytes = self._sums, self._tiles.nbytes(self._sums)
        zero = f.constant(TYPES[sums.dtype.name], 0.0)
        with f.loop(sums.shape[-3]) as group:
            place = moved(f, f.address(sums, *part, group), low * nbytes)
            n = (high - low) * (nbytes // sums.itemsize)
            with nested(f, [Axis(n, sums.itemsize, 0)], place, place) as (each, _):
                f.store_at(zero, each)

    def _copy(
        self, f: Function, unit: Value, image: list[Value], column: Value, n: Value, width: int, used: int
    ) -> str:
        """Copy a panel of dy to where its rows are contiguous; what is beside them counts for nothing."""
        dy, far = self._dy, (*self._distances(width), self._dy.itemsize)
        old, new = f.address(dy, *image, 0, 0, column), f.address(self._panel, unit)
        lengths: list[int | Value] = [n, *self._blocks.reach.places, used]
        copy(f, list(map(Axis, lengths, dy.strides[-4:], far)), old, new, TYPES[dy.dtype.name])
        return new
