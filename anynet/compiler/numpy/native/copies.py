"""Copies of arrays."""

import numpy as np

from anynet.compiler.numpy.native import shares
from anynet.compiler.numpy.native.ir_types import has_type
from anynet.compiler.numpy.native.kernel import Host, Kernel
from anynet.compiler.numpy.native.merged_axes import Axes
from anynet.compiler.numpy.native.writer import Function


def kernel(into: Host, array: Host) -> Kernel | None:
    """Return the copy of an array into one of the same shape; None if they may overlap, or have other dtypes."""
    alike = into.dtype == array.dtype and into.shape == array.shape and has_type(into.dtype)
    return Copy(into, array) if alike and into.size and not np.may_share_memory(into, array) else None


class Copy(Kernel):
    """Copy of an array into another of the same shape and dtype, with which it does not overlap."""

    def __init__(self, into: Host, array: Host) -> None:
        self._axes = Axes(into.shape, [into, array])
        super().__init__([into, array], units=shares.units(self._axes.shape))

    def write(self, f: Function) -> None:
        """Write a loop over the elements."""
        into, array = map(self._axes.view, self.arrays)
        with shares.loops(f, self._axes.shape) as index:
            f.store(f.load(array, *index), into, *index)


class TakeRow(Kernel):
    """Copy of a step's row from a column into a contiguous array.

    Parameters
    ----------
    into : ndarray
    column : int
        Number of the column. Its address, which is known when a loop begins, is in the table in place of that of
        `column_key`.
    """

    def __init__(self, into: Host, column: int) -> None:
        super().__init__([into], [column_key(column)])

    def write(self, f: Function) -> None:
        """Write the copy."""
        into, name = self.arrays[0], "llvm.memcpy.p0.p0.i64"
        far = f.op("mul", f.row, into.nbytes)
        source = f.emit("ptr", f"getelementptr i8, ptr %f0, {far}")
        f.declarations.add(f"declare void @{name}(ptr, ptr, i64, i1)")
        f.line(f"call void @{name}(ptr {f.address(into)}, {source}, i64 {into.nbytes}, i1 false)")


def column_key(column: int) -> int:
    """Return the number that stands for the address of a column."""
    return -1 - column
