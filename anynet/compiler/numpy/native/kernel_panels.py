"""Kernels of convolutions in panels: copied there for convolutions, and summed from there for gradients.

A panel has some columns of a kernel as a matrix of rows * columns * C by D, with the vectors that tiles read or write
one after the other.
"""

from math import prod

import numpy as np

from anynet.compiler.numpy.native.ir_types import TYPES, has_type
from anynet.compiler.numpy.native.kernel import Host, Kernel
from anynet.compiler.numpy.native.register_tiles import Tiling
from anynet.compiler.numpy.native.strided_loops import moved, unravel
from anynet.compiler.numpy.native.writer import Function


def has_form(a: Host, b: Host, out: Host) -> bool:
    """Return True if arrays have one dtype, of floating-point numbers, and a result with neighboring channels."""
    alike = a.dtype == b.dtype == out.dtype and out.dtype.kind == "f" and has_type(out.dtype)
    return alike and min(a.size, b.size, out.size) > 0 and (out.shape[-1] == 1 or out.strides[-1] == out.itemsize)


def as_groups(w: Host, groups: int) -> Host:
    """Return a view of a kernel, or of its gradient, with groups: shape (..., rows, columns, groups, C, D) of each."""
    return np.moveaxis(w.reshape(*w.shape[:-1], groups, -1), -2, -3)


class Packing(Kernel):
    """Copy of a kernel to panels.

    Parameters
    ----------
    w : ndarray, shape (..., rows, columns, groups, C, D)
    panels : ndarray, shape (..., groups, rows * columns * C, columns of all panels)
        Zeros beside the last panel's columns are there.
    tiles : Tiling
    """

    def __init__(self, w: Host, panels: Host, tiles: Tiling) -> None:
        self._w, self._panels, self._tiles = w, panels, tiles
        super().__init__([w, panels], units=prod(w.shape[:-3]))

    def write(self, f: Function) -> None:
        """Write loops over panels for each element of the kernel."""
        w, tiles = self._w, self._tiles
        (*ahead, groups, rows, columns), size = w.shape, w.itemsize
        with f.loop(f.last, f.first) as unit, f.loop(groups) as group:
            *members, a, b = unravel(f, unit, ahead)
            into = f.address(self._panels, *members, group)
            for panel, width, used in tiles.panels(f, columns):
                start = moved(f, into, panel * tiles.nbytes(self._panels))
                with f.loop(rows) as c:
                    row = moved(f, start, ((a * ahead[-1] + b) * rows + c) * (width * size))
                    with f.loop(used) as d:
                        value = f.load(w, *members, a, b, group, c, panel * tiles.width + d)
                        f.store_at(value, moved(f, row, d * size))


class Total(Kernel):
    """Sums of the panels of all parts of a batch, in their order, where the gradient by the kernel has its elements.

    Parameters
    ----------
    panels : ndarray, shape (..., parts, groups, rows * columns * C, columns of all panels)
    dw : ndarray, shape (..., rows, columns, groups, C, D)
    tiles : Tiling
    """

    def __init__(self, panels: Host, dw: Host, tiles: Tiling) -> None:
        self._panels, self._dw, self._tiles = panels, dw, tiles
        super().__init__([panels, dw], units=prod(dw.shape[:-3]))

    def write(self, f: Function) -> None:
        """Write loops over panels for each element of the kernel."""
        panels, dw, tiles = self._panels, self._dw, self._tiles
        (*ahead, groups, rows, columns), size, type_ = dw.shape, dw.itemsize, TYPES[dw.dtype.name]
        with f.loop(f.last, f.first) as unit, f.loop(groups) as group:
            *members, a, b = unravel(f, unit, ahead)
            for panel, width, used in tiles.panels(f, columns):
                far = panel * tiles.nbytes(panels)
                starts = [moved(f, f.address(panels, *members, i, group), far) for i in range(panels.shape[-4])]
                with f.loop(rows) as c:
                    row = ((a * ahead[-1] + b) * rows + c) * (width * size)
                    with f.loop(used) as d:
                        places = [moved(f, start, row + d * size) for start in starts]
                        first, *others = (f.load_at(type_, place) for place in places)
                        f.store(sum(others, first), dw, *members, a, b, group, c, panel * tiles.width + d)
