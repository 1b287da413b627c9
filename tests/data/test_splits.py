"""Choosing training and validation images, by number and by file."""

import re

import numpy as np
import pytest

from anynet.data import Batches, split

PER_FILE = 100
FILES = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
CLASSES = tuple("abcdefghij")


def numbered(sizes):
    """Six files in which image and label say which image of the official order this is; the test images go on."""
    numbers = np.arange(sum(sizes))
    images = np.repeat((numbers % 251).astype(np.uint8)[:, None], 3072, axis=1)
    return Batches(images, numbers, dict(zip(FILES, sizes, strict=True)), CLASSES, official=True)


@pytest.fixture(scope="module")
def batches():
    return numbered([PER_FILE] * 6)


def chosen(split):
    """Which images of the official order these are."""
    np.testing.assert_array_equal(split.x, np.repeat((split.y % 251)[:, None], 3072, axis=1))
    assert (split.x.dtype, split.y.dtype) == (np.uint8, np.int64)
    return split.y.tolist()


def images(*spans):
    return [i for first, end in spans for i in range(first, end)]


def test_a_number_of_test_images_is_taken_from_the_front(batches):
    assert chosen(split("cifar10", batches, test=7).test) == images((500, 507))
    for n in (0, 101):
        with pytest.raises(ValueError, match=f"test: expected 1 to 100 images, got {n}"):
            split("cifar10", batches, test=n)


@pytest.mark.parametrize(
    ("train", "val", "trains", "validates"),
    [
        (490, 10, [(0, 490)], [(490, 500)]),
        ("490", "10", [(0, 490)], [(490, 500)]),
        (1, 1, [(0, 1)], [(499, 500)]),
        (250, 50, [(0, 250)], [(450, 500)]),
        (1, 499, [(0, 1)], [(1, 500)]),
        ("data_batch_1", "data_batch_5", [(0, 100)], [(400, 500)]),
        ("data_batch_5", "data_batch_1", [(400, 500)], [(0, 100)]),
        ("data_batch_4,data_batch_1,data_batch_4", "data_batch_2", [(0, 100), (300, 400)], [(100, 200)]),
        ("data_batch_1,data_batch_3", 150, [(0, 100), (200, 300)], [(350, 500)]),
        ("data_batch_4", 150, [(300, 400)], [(250, 300), (400, 500)]),
        ("data_batch_5", 50, [(400, 500)], [(350, 400)]),
        (50, "data_batch_1", [(100, 150)], [(0, 100)]),
        (250, "data_batch_2", [(0, 100), (200, 350)], [(100, 200)]),
        (400, "data_batch_3", [(0, 200), (300, 500)], [(200, 300)]),
        (500, "test_batch", [(0, 500)], [(500, 600)]),
        ("data_batch_2,data_batch_5", "test_batch", [(100, 200), (400, 500)], [(500, 600)]),
        (400, "test_batch, data_batch_1", [(100, 500)], [(0, 100), (500, 600)]),
    ],
)
def test_images_are_taken_in_the_official_order(batches, train, val, trains, validates):
    dataset = split("mine", batches, train, val)
    assert chosen(dataset.train) == images(*trains)
    assert chosen(dataset.val) == images(*validates)
    assert chosen(dataset.test) == images((500, 600))
    assert (dataset.name, dataset.classes, dataset.official) == ("mine", CLASSES, True)


@pytest.mark.parametrize(
    ("train", "val", "trains", "validates"),
    [
        ("auto", "auto", [(0, 450)], [(450, 500)]),
        ("auto", 10, [(0, 490)], [(490, 500)]),
        (100, "auto", [(0, 100)], [(450, 500)]),
        ("auto", "data_batch_2", [(0, 100), (200, 500)], [(100, 200)]),
        ("data_batch_1", "auto", [(0, 100)], [(450, 500)]),
        ("data_batch_5", "auto", [(400, 500)], [(350, 400)]),
        ("auto", "test_batch", [(0, 500)], [(500, 600)]),
    ],
)
def test_auto_is_a_tenth_to_validate_and_all_others_to_train(batches, train, val, trains, validates):
    dataset = split("mine", batches, train, val)
    assert (chosen(dataset.train), chosen(dataset.val)) == (images(*trains), images(*validates))


def parted(**sizes):
    """A set of parts, in which label and image say which image this is."""
    numbers = np.arange(sum(sizes.values()))
    return Batches(numbers.astype(np.uint8)[:, None], numbers, sizes, CLASSES, official=False, shape=(1, 1, 1))


def test_a_set_of_one_training_file_is_divided_by_number():
    dataset = split("mine", parted(train=57, test=10))
    assert dataset.train.y.tolist() == list(range(51))
    assert dataset.val.y.tolist() == list(range(51, 57))
    assert dataset.test.y.tolist() == list(range(57, 67))
    dataset = split("mine", parted(train=57, test=10), 20, 30)
    assert (dataset.train.y.tolist(), dataset.val.y.tolist()) == (list(range(20)), list(range(27, 57)))
    few = split("mine", parted(train=2, test=1))
    assert (few.train.y.tolist(), few.val.y.tolist(), few.test.y.tolist()) == ([0], [1], [2])


def test_a_set_with_validation_images_validates_on_them():
    dataset = split("mine", parted(train=50, val=7, test=10))
    assert dataset.train.y.tolist() == list(range(50))
    assert dataset.val.y.tolist() == list(range(50, 57))
    assert dataset.test.y.tolist() == list(range(57, 67))
    dataset = split("mine", parted(train=50, val=7, test=10), 20, 5)
    assert (dataset.train.y.tolist(), dataset.val.y.tolist()) == (list(range(20)), list(range(45, 50)))


@pytest.mark.parametrize(("train", "val"), [("data_batch_1", 5), (5, "data_batch_1"), ("train", 5), (5, "test")])
def test_other_sets_than_cifar10_have_no_files_to_name(train, val):
    which, name = ("train", train) if val == 5 else ("val", val)
    message = f'{which}: expected a number of images or "auto", since this set has no batch files; got "{name}"'
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        split("mine", parted(train=57, test=10), train, val)


def test_no_validation_images(batches):
    dataset = split("mine", batches, "auto", 0)
    assert chosen(dataset.train) == images((0, 500))
    assert dataset.val is None


def test_files_of_different_sizes():
    dataset = split("mine", numbered([3, 1, 4, 1, 5, 9]), "data_batch_2,data_batch_4", 6)
    assert chosen(dataset.train) == [3, 8]
    assert chosen(dataset.val) == [7, 9, 10, 11, 12, 13]
    assert chosen(dataset.test) == list(range(14, 23))
    assert chosen(split("mine", numbered([3, 1, 4, 1, 5, 9]), 14, "test_batch").val) == list(range(14, 23))


@pytest.mark.parametrize(
    ("train", "val", "message"),
    [
        (490, 11, "train 490 and val 11 share 1 of the 500 images; choose 1 fewer"),
        (500, 500, "train 500 and val 500 share 500 of the 500 images"),
        ("data_batch_1,data_batch_2", "data_batch_2", "share 100 of the 500 images"),
        (0, 10, "train: expected 1 to 500 images, got 0"),
        (-5, 10, "train: expected 1 to 500 images, got -5"),
        (10, "-5", "val: expected 0 to 500 images, got -5"),
        (501, 1, "train: expected 1 to 500 images, got 501"),
        ("auto", 500, "val: expected fewer images, to leave some for train, got all of them"),
        (401, "data_batch_3", "train: expected 1 to 400 images, got 401"),
        ("data_batch_1,data_batch_2", 301, "val: expected 0 to 300 images, got 301"),
        ("data_batch_6", 10, "train: expected a number of images, or names among data_batch_1, "),
        (10, "data_batch_1,test", 'val: expected a number of images, or names among .*, test_batch; got "test"'),
        ("test_batch", 10, 'train: expected a number of images, or names among .*, data_batch_5; got "test_batch"'),
        ("data_batch_1,test_batch", "test_batch", 'data_batch_5; got "test_batch"'),
        (501, "test_batch", "train: expected 1 to 500 images, got 501"),
        ("", 10, 'train: expected a number of images, or names among data_batch_1, .*; got ""'),
    ],
)
def test_what_cannot_be_chosen_is_refused(batches, train, val, message):
    with pytest.raises(ValueError, match=message if ".*" in message else re.escape(message)):
        split("mine", batches, train, val)
