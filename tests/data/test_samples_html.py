"""Data sets in notebooks: parts, counts of classes and pictures, which are the samples."""

import io
from base64 import b64decode

import numpy as np
import pytest
from notebooks import shown, table, title

from anynet.data import Batches, Dataset, Split
from anynet.data.samples_html import SHOWN

PIL = pytest.importorskip("PIL.Image")


def pictures(tree):
    return [
        np.asarray(PIL.open(io.BytesIO(b64decode(image.get("src").partition(",")[2])))) for image in tree.iter("img")
    ]


def test_a_data_set_shows_its_parts_counts_and_first_images(rng):
    x, y = rng.integers(0, 256, (7, 3, 4, 6), np.uint8), np.asarray([1, 0, 0, 1, 0, 0, 0])
    data = Dataset("<b>", ("<i>", "dog"), Split(x, y), None, Split(x[:2], y[:2]))
    tree = shown(data)
    assert title(tree) == "Dataset <b>: 7 training and 2 test samples"
    assert table(tree)[1:] == [
        ["train", "7", "(3, 4, 6)", "uint8", "int64"],
        ["test", "2", "(3, 4, 6)", "uint8", "int64"],
    ]
    assert table(tree, 1)[0] == ["<i>", "dog"]
    assert table(tree, 2) == [["class", "train", "test"], ["<i>", "5", "1"], ["dog", "2", "1"]]
    first, second = pictures(tree)
    np.testing.assert_array_equal(first, x[1].transpose(1, 2, 0))
    np.testing.assert_array_equal(second, x[0].transpose(1, 2, 0))
    assert [image.get("width") for image in tree.iter("img")] == ["96", "96"]


def test_samples_of_every_library_and_kind_are_shown(xp):
    gray = Split(xp.asarray(np.eye(4, dtype=np.float32)[None].repeat(3, 0)), xp.asarray(np.asarray([0, 2, 2])))
    tree = shown(gray)
    assert [row[1] for row in table(tree, 2)[1:]] == ["1", "0", "2"]
    assert all((picture == 255 * np.eye(4)[..., None]).all() for picture in pictures(tree))
    numbers = Split(xp.asarray(np.zeros((2, 3), np.float32)), xp.asarray(np.asarray([[1, 5], [3, 5]], np.float32)))
    assert table(shown(numbers), 1)[1:] == [
        ["all, target 0", "2", "1", "1", "3"],
        ["all, target 1", "5", "0", "5", "5"],
    ]


def test_many_classes_are_to_be_opened(rng):
    n = SHOWN + 1
    batches = Batches(
        rng.integers(0, 256, (2 * n, 12), np.uint8),
        np.arange(2 * n) % n,
        {"train": n, "test": n},
        tuple(map(str, range(n))),
        False,
        (3, 2, 2),
    )
    tree = shown(batches)
    assert title(tree) == f"Batches: {2 * n} samples"
    assert len(pictures(tree)) == SHOWN
    assert tree.find("details/summary").text == f"all {n} classes"
    assert table(tree.find("details"))[1:] == [[f"{k}", "1", "1"] for k in range(n)]


def test_no_samples_and_no_pillow_are_no_error(monkeypatch):
    empty = Split(np.zeros((0, 3, 2, 2), np.uint8), np.zeros(0, np.int64))
    assert table(shown(empty))[1][:2] == ["all", "0"]
    monkeypatch.setattr("anynet.data.samples_html.find_spec", lambda name: None)
    some = Split(np.zeros((2, 3, 2, 2), np.uint8), np.zeros(2, np.int64))
    assert not [*shown(some).iter("img")]
