"""Axes of loops over arrays, merged where all arrays allow it: fewer, longer loops."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import as_strided

from anynet.compiler.numpy.native.kernel import Host


class Axes:
    """Axes of loops over the elements of a shape.

    Parameters
    ----------
    shape : tuple of int
    arrays : sequence of ndarray
        Arrays that are broadcast to the shape.
    apart : bool
        If True, the first axis is kept as it is.
    merge : bool
        If False, all axes are.

    Attributes
    ----------
    shape : list of int
        Length of each loop. Axes of length 1 have none.
    """

    def __init__(
        self, shape: tuple[int, ...], arrays: Sequence[Host], *, apart: bool = False, merge: bool = True
    ) -> None:
        self._whole = shape
        strides = [np.broadcast_to(array, shape).strides for array in arrays]
        self._axes: list[list[int]] = [[0]] if apart else []
        if not merge:
            self._axes = [[axis] for axis in range(len(shape))]
        for axis in range(int(apart), len(shape)) if merge else ():
            if shape[axis] == 1:
                continue
            before = self._axes[-1][-1] if len(self._axes) > apart else None
            if before is not None and all(s[before] == s[axis] * shape[axis] for s in strides):
                self._axes[-1].append(axis)
            else:
                self._axes.append([axis])
        self.shape = [math.prod(shape[axis] for axis in axes) for axes in self._axes]

    def view(self, array: Host) -> Host:
        """Return an array that is broadcast to the shape, with its axes merged."""
        strides = np.broadcast_to(array, self._whole).strides
        return as_strided(array, self.shape, [strides[axes[-1]] for axes in self._axes])
