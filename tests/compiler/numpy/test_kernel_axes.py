"""Axes that loops of Numba's kernels merge, and parts of rows that they read as parts of contiguous arrays."""

import numpy as np
import pytest

pytest.importorskip("numba")

from anynet.compiler.numpy.numba_kernels import _contiguous, _Merge

WHOLE = np.arange(240.0).reshape(4, 5, 12)


@pytest.mark.parametrize(
    "part",
    [WHOLE[:, :, 2:7], WHOLE[:, 1:3, :], WHOLE[0, :, 3:5], WHOLE[:, :1, 4:9], WHOLE[1:, 2, :8], WHOLE[:, :, 11:]],
    ids=lambda part: f"{part.shape}",
)
def test_part_of_rows(part):
    view = _contiguous(part)
    if part.shape[-1] > 1:
        assert view.flags.c_contiguous
    for index in np.ndindex(part.shape):
        assert view[index] == part[index]
    assert view.ctypes.data == part.ctypes.data


@pytest.mark.parametrize(
    "array",
    [WHOLE, WHOLE.T, WHOLE[:, :, ::2], WHOLE[::-1], WHOLE[:, :, ::-1], np.broadcast_to(WHOLE[:, :1], (4, 5, 12))],
    ids=["contiguous", "transposed", "steps", "last first", "mirrored", "broadcast"],
)
def test_other_arrays_stay(array):
    assert _contiguous(array) is array


def test_axes_are_merged_where_all_arrays_allow_it():
    shape = WHOLE.shape
    assert _Merge(shape, [WHOLE, WHOLE.copy()], merge=True).shape == (240,)
    assert _Merge(shape, [WHOLE, WHOLE[0, 0]], merge=True).shape == (20, 12)
    assert _Merge(shape, [WHOLE, WHOLE[0]], merge=True).shape == (4, 60)
    assert _Merge(shape, [WHOLE, WHOLE[:, :1]], merge=True).shape == shape
    assert _Merge((4, 5, 6), [WHOLE[:, :, :6]], merge=True).shape == (20, 6)
    assert _Merge(shape, [], merge=False).shape == shape
    merge = _Merge(shape, [WHOLE, WHOLE[0]], merge=True)
    for array, expected in ((WHOLE, (4, 60)), (WHOLE[0], (1, 60))):
        assert merge(array).shape == expected
        assert np.shares_memory(merge(array), WHOLE)
