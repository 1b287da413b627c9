"""Convolutions and their gradients by the input: sums over the elements of a kernel for tiles of pixels."""

from math import prod

import numpy as np

from anynet.compiler.graph import Args, Kwargs, Node
from anynet.compiler.numpy import ufuncs
from anynet.compiler.numpy.native import shares
from anynet.compiler.numpy.native.image_blocks import ImageBlocks, Reach, as_images, block_size, is_clipped
from anynet.compiler.numpy.native.ir_values import Value
from anynet.compiler.numpy.native.kernel import Host, Kernel
from anynet.compiler.numpy.native.kernel_panels import Packing, as_groups, has_form
from anynet.compiler.numpy.native.register_tiles import Tiles, Tiling, tallest, tiling
from anynet.compiler.numpy.native.strided_loops import Axis, moved, unravel
from anynet.compiler.numpy.native.writer import Function
from anynet.core.window import Window

BYTES = 7 << 18
"""Largest size of a panel and of images that a tile has pixels of, of which a few rows at a time have to be near."""

FEWEST = 6
"""Smallest number of images of which a tile has one pixel each."""

PARTS = 32
"""Largest number of parts of a batch that have memory of their own."""


def kernel(node: Node, args: Args, kwargs: Kwargs, out: Host) -> list[Kernel] | None:
    """Return the kernels of a convolution, or of its gradient by the input, if they can read and write the arrays."""
    if node.op not in ("convolve", "convolve_to_input") or kwargs or not has_form(args[0], args[1], out):
        return None
    x, w, window, groups = args
    w = as_groups(w, groups)
    if node.op == "convolve_to_input":
        return _to_input(as_images(x, window.out), w, as_images(out, window.image), window)
    return sums_over_elements(as_images(x, window.image), w, as_images(out, window.out), Reach.of(window))


def _to_input(dy: Host, w: Host, dx: Host, window: Window) -> list[Kernel]:
    """Return kernels for all pixels that are strides apart from each other, and are seen by the same elements of w."""
    found: list[Kernel] = []
    down, across = window.stride
    for start in np.ndindex(window.stride):
        sides = zip(start, window.image, window.kernel, window.stride, window.padding[::2], strict=True)
        (rows, columns), *reach = zip(*(_seen(*side) for side in sides), strict=True)
        if min(reach[0]) > 0:
            part = w[..., rows, columns, :, :, :][..., ::-1, ::-1, :, :, :].mT
            into = dx[..., start[0] :: down, start[1] :: across, :]
            found += sums_over_elements(dy, part, into, Reach(reach[0], reach[1], (1, 1), reach[2]))
    return found


def _seen(start: int, length: int, taps: int, stride: int, padding: int) -> tuple[slice, int, int, int]:
    """Return what pixels `start`, `start` + `stride` and so on get of a gradient along an axis.

    It is a part of the elements of the kernel; the number of the pixels, that of the elements, and the shift, as
    `Reach` has them, follow: the last of these elements comes first.
    """
    place, first = divmod(start + padding, stride)
    n = len(range(first, taps, stride))
    return slice(first, None, stride), len(range(start, length, stride)), n, place - (n - 1)


def sums_over_elements(images: Host, w: Host, out: Host, reach: Reach) -> list[Kernel]:
    """Return the kernels of a convolution of images by w, shape (..., rows, columns, groups, C, D)."""
    ahead, n = out.shape[:-4], out.shape[-4]
    *members, rows, columns, groups, c, d = w.shape
    clipped = _clipped_size(images, w, reach)
    size = clipped or block_size(images, reach)
    shape = (*ahead, min(-(-n // size), n if clipped else PARTS))
    images = np.broadcast_to(images, (*ahead, *images.shape[-4:]))
    blocks = ImageBlocks(images, reach, size, prod(shape), clipped=clipped > 0)
    pixels = [Axis(size, 0, 0)] if clipped else blocks.pixels(out.strides[-4:], size)
    tiles = tiling(pixels, d, out.itemsize)
    packed = ufuncs.zeros((*members, groups, rows * columns * c, tiles.number * tiles.width), w.dtype)
    found: list[Kernel] = [Packing(w, packed, tiles)] if rows * columns else []
    return [*found, Convolution(images, blocks, packed, (c, d), out, tiles, shape)]


def _clipped_size(images: Host, w: Host, reach: Reach) -> int:
    """Return the number of images of which a tile has one pixel each; 0 if other tiles are better.

    Such a tile leaves out what its pixel sees of the zeros around images: much where images are small.
    """
    n, nbytes = images.shape[-4], prod(images.shape[-3:]) * images.itemsize
    panel = prod(reach.taps) * w.shape[-2] * 128  # two vectors
    most = min(n, (BYTES - panel) // nbytes, tallest(w.shape[-1], images.itemsize))
    if most < FEWEST or not is_clipped(images, reach):
        return 0
    return min(range(FEWEST, most + 1), key=lambda size: (-(-n // size) * (size + 0.5), -size))


class Convolution(Kernel):
    """Convolution of images with a packed kernel.

    Parameters
    ----------
    images : ndarray, shape (..., N, rows, columns, channels)
    blocks : ImageBlocks
        Blocks of these images.
    packed : ndarray, shape (..., groups, rows of panels, columns of all panels)
    channels : (int, int)
        Channels of a group, of the images and of the result.
    out : ndarray, shape (..., N, rows, columns, channels)
    tiles : Tiling
    units : tuple of int
        Members, and parts of the blocks.
    """

    def __init__(
        self,
        images: Host,
        blocks: ImageBlocks,
        packed: Host,
        channels: tuple[int, int],
        out: Host,
        tiles: Tiling,
        units: tuple[int, ...],
    ) -> None:
        self._blocks, self._out, self._channels, self._tiles, self._shape = blocks, out, channels, tiles, units
        self._packed = np.broadcast_to(packed, (*units[:-1], *packed.shape[-3:]))
        super().__init__([images, blocks.array, packed, out], units=prod(units))

    def write(self, f: Function) -> None:
        """Write loops over blocks of images, groups, panels and tiles; the last two blocks may overlap."""
        n, size, parts = self._out.shape[-4], self._blocks.size, self._shape[-1]
        with f.loop(f.last, f.first) as unit:
            *members, part = unravel(f, unit, self._shape)
            start, stop = shares.bounds(f, part, -(-n // size), parts)
            with f.loop(stop, start) as block:
                first = f.call("llvm.smin", block * size, n - size)
                source = self._blocks.write(f, unit, members, first, size)
                self._write_block(f, source, members, first)

    def _write_block(self, f: Function, source: str, members: list[Value], first: Value) -> None:
        out, packed, tiles, size = self._out, self._packed, self._tiles, self._out.itemsize
        c, d = self._channels
        pixels = self._blocks.pixels(out.strides[-4:], self._blocks.size)
        with f.loop(packed.shape[-3]) as group:
            weights, into = f.address(packed, *members, group), f.address(out, *members, first)
            for panel, width, used in tiles.panels(f, d):
                pointers = (
                    moved(f, source, group * (c * size)),
                    moved(f, weights, panel * tiles.nbytes(packed)),
                    moved(f, into, (group * d + panel * tiles.width) * size),
                )
                if self._blocks.clipped:
                    self._write_pixels(f, pointers, width * size, used)
                    continue
                elements = self._blocks.elements(width * size, c)
                Tiles(f, out.dtype, tiles.lanes, pixels, elements).write(pointers, used)

    def _write_pixels(self, f: Function, pointers: tuple[str, str, str], row: int, used: int) -> None:
        """Write loops over pixels, with a tile of all images for each, which sees nothing outside of them."""
        blocks, out, c = self._blocks, self._out, self._channels[0]
        images, weights, into = pointers
        columns = blocks.reach.taps[1]
        with f.loops(blocks.reach.places) as place:
            first, number, far = blocks.seen(f, place, by_element=False)
            terms = blocks.elements(row, c, *number)
            moves = (first[0] * columns + first[1]) * (c * row), place[0] * out.strides[-3] + place[1] * out.strides[-2]
            each = moved(f, images, far), moved(f, weights, moves[0]), moved(f, into, moves[1])
            axis = Axis(blocks.size, blocks.strides[0], out.strides[-4])
            Tiles(f, out.dtype, self._tiles.lanes, [axis], terms).write(each, used)
