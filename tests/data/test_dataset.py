"""Data sets of one's own: arrays and splits, or one line that says which were expected."""

import numpy as np
import pytest

from anynet.data import Dataset, Split

IMAGES, LABELS = np.zeros((2, 3072), np.uint8), np.asarray([0, 1])


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        ([[1] * 3072] * 2, LABELS, "images: expected an ndarray of uint8, shape (N, 3072), got a list; numpy.asarray("),
        (IMAGES, [0, 1], "labels: expected an ndarray of int64, shape (N,), got a list; numpy.asarray("),
    ],
)
def test_lists_are_no_arrays(images, labels, message):
    with pytest.raises(TypeError) as error:
        Split(images, labels)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("name", ["train", "val", "test"])
def test_tuples_are_no_splits(name):
    parts = {each: Split(IMAGES, LABELS) for each in ("train", "val", "test")}
    assert len(Dataset("mine", ("a", "b"), **parts).train) == 2
    with pytest.raises(
        TypeError, match=f"^{name}: expected a Split, got a tuple; Split\\(images, labels\\) makes one$"
    ):
        Dataset("mine", ("a", "b"), **parts | {name: (IMAGES, LABELS)})
