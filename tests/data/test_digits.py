"""scikit-learn's digits; where scikit-learn is not installed, images that stand for them."""

import sys
from types import ModuleType

import numpy as np
import pytest

from anynet.data import DataError, load

COUNTS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
"""Images of each digit, as scikit-learn documents them."""


@pytest.fixture
def stand_in(monkeypatch):
    """60 images whose values say which one this is."""
    values = np.repeat(np.arange(60.0)[:, None] % 17, 64, axis=1)
    datasets = ModuleType("sklearn.datasets")
    datasets.load_digits = lambda return_X_y: (values, np.arange(60) % 10)
    monkeypatch.setitem(sys.modules, "sklearn", ModuleType("sklearn"))
    monkeypatch.setitem(sys.modules, "sklearn.datasets", datasets)
    return values


def test_a_sixth_of_each_digit_is_for_testing_and_values_are_scaled(stand_in):
    dataset = load("digits")
    assert (dataset.name, dataset.classes, dataset.train.shape) == ("digits", tuple("0123456789"), (1, 8, 8))
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (45, 5, 10)
    assert np.bincount(dataset.test.y).tolist() == [1] * 10
    rows = {(int(x[0]), int(y)) for part in dataset.parts.values() for x, y in zip(part.x, part.y, strict=True)}
    assert rows == {(round(value * 255 / 16), k % 10) for k, value in enumerate(stand_in[:, 0])}


def test_the_real_ones():
    pytest.importorskip("sklearn", reason="scikit-learn, which contains the digits, is not installed")
    dataset = load("digits")
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (1347, 150, 300)
    every = np.concatenate([part.y for part in dataset.parts.values()])
    assert np.bincount(every).tolist() == COUNTS
    assert max(part.x.max() for part in dataset.parts.values()) == 255


def test_without_scikit_learn_a_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(DataError, match=r"^digits: expected scikit-learn.* them; run pip install"):
        load("digits")
