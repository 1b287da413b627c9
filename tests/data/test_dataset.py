"""Data sets of one's own: arrays and splits, or one line that says which were expected."""

import numpy as np
import pytest

from anynet.data import Dataset, Split

IMAGES, LABELS = np.zeros((2, 3072), np.uint8), np.asarray([0, 1])

WANTED = "x: expected an array, shape (N, *shape)"


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        ([[1] * 3072] * 2, LABELS, f"{WANTED}, got a list; numpy.asarray(x) makes one"),
        (np.ma.array(IMAGES), LABELS, f"{WANTED}, got a MaskedArray"),
        (
            IMAGES,
            [0, 1],
            "y: expected an array, integers of shape (N,), the class numbers, or floats to predict, got a list",
        ),
    ],
)
def test_lists_are_no_arrays(images, labels, message):
    with pytest.raises(TypeError) as error:
        Split(images, labels)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("dtype", ["U3", "complex64", "M8[s]", "O"])
def test_samples_that_are_no_real_numbers_are_refused(dtype):
    with pytest.raises(TypeError, match="x: expected integers or floating-point numbers, got "):
        Split(IMAGES[:, :4].astype(dtype), LABELS)
    with pytest.raises(TypeError, match="y: expected integers, the class numbers, or floats, got "):
        Split(IMAGES, LABELS.astype(dtype))


@pytest.mark.parametrize("name", ["train", "val", "test"])
def test_tuples_are_no_splits(name):
    parts = {each: Split(IMAGES, LABELS) for each in ("train", "val", "test")}
    assert len(Dataset("mine", ("a", "b"), **parts).train) == 2
    with pytest.raises(TypeError, match=f"^{name}: expected a Split, got a tuple; Split\\(x, y\\) makes one$"):
        Dataset("mine", ("a", "b"), **parts | {name: (IMAGES, LABELS)})


@pytest.mark.parametrize(
    ("name", "classes", "kind", "message"),
    [
        (None, ("a", "b"), TypeError, "name: expected a text, got None"),
        ("a\udcff", ("a", "b"), ValueError, "name: expected printable characters, got 'a\\udcff'"),
        ("mine", (0.5, 1), TypeError, "classes[0]: expected a text, an integer or a boolean of Python, got 0.5"),
        ("mine", ("a", "b\n"), ValueError, "classes[1]: expected printable characters, got 'b\\n'"),
        (
            "mine",
            ("a", 1),
            TypeError,
            "classes: expected labels of one kind, texts, integers or booleans, got ['int', 's",
        ),
        ("mine", (1, True), TypeError, "classes: expected labels of one kind"),
        ("mine", (1, 2**63), ValueError, "classes[1]: expected an integer of 64 bits, got a larger one"),
        ("mine", ("a", "b", "a"), ValueError, "classes: expected labels that differ, got 'a' twice"),
        ("mine", "ab", TypeError, "classes: expected a tuple of names, got 'ab'"),
        ("mine", np.array(["a", "b"]), TypeError, "classes: expected a tuple of names, got a"),
    ],
)
def test_names_that_no_file_can_keep_are_refused_before_training(name, classes, kind, message):
    with pytest.raises(kind) as error:
        Dataset(name, classes, *[Split(IMAGES, LABELS)] * 3)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("images", "given", "shape"),
    [
        (np.zeros((2, 784), np.uint8), (), (784,)),
        (np.zeros((2, 28, 28), np.uint8), (), (1, 28, 28)),
        (np.zeros((2, 4, 5, 6), np.uint8), (), (4, 5, 6)),
        (np.zeros((2, 120), np.uint8), (4, 5, 6), (4, 5, 6)),
        (np.zeros((0, 4, 5, 6), np.uint8), (), (4, 5, 6)),
        (np.zeros((2, 4, 5, 3), np.uint8), (4, 5, 3), (4, 5, 3)),
        (np.zeros((2, 784), np.uint8), (np.int64(1), 28, 28), (1, 28, 28)),
        (np.zeros((2, 28, 28), np.uint8), (1, 28, 28), (1, 28, 28)),
    ],
)
def test_a_split_knows_the_shape_of_its_images(images, given, shape):
    split = Split(images, LABELS[: len(images)], given)
    assert (split.shape, split.x.shape) == (shape, (len(images), np.prod(shape)))
    assert split.x.base is images or split.x is images  # no copy
    assert repr(split) == f"Split({len(images)} samples of shape {shape})"


@pytest.mark.parametrize(
    ("shape", "kind", "message"),
    [
        ((3, 32, 31), ValueError, "shape: expected axes, such as (channels, rows, columns), of 3072 values, got (3, "),
        ((96, 33), ValueError, "shape: expected axes, such as (channels, rows, columns), of 3072"),
        ((-3, -32, 32), ValueError, "shape: expected axes, such as (channels, rows, columns), of 3072"),
        ([3, 32, 32], TypeError, "shape: expected a tuple, such as (3, 32, 32), got a list"),
        ((3.0, 32, 32), TypeError, "shape: expected a whole number, got 3.0"),
        ((True, 96, 32), TypeError, "shape: expected a whole number, got True"),
    ],
)
def test_shapes_that_images_cannot_have_are_refused(shape, kind, message):
    with pytest.raises(kind) as error:
        Split(IMAGES, LABELS, shape)
    assert str(error.value).startswith(message)


def test_images_with_channels_last_are_refused():
    images = np.zeros((2, 32, 31, 3), np.uint8)
    with pytest.raises(ValueError, match=r"with channels last; x\.transpose\(0, 3, 1, 2\) puts them first"):
        Split(images, LABELS)
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"x\.permute\(0, 3, 1, 2\) puts them first"):
        Split(torch.asarray(images), torch.asarray(LABELS))
    with pytest.raises(ValueError, match=r"shape: expected \(32, 31, 3\), got \(3, 32, 31\)"):
        Split(images, LABELS, (3, 32, 31))
    assert Split(images.transpose(0, 3, 1, 2), LABELS).shape == (3, 32, 31)


@pytest.mark.parametrize("shape", [(8, 8, 4), (32, 32, 2)])
def test_square_images_with_two_or_four_channels_last_are_refused(shape):
    with pytest.raises(ValueError, match=r"with channels last; x\.transpose"):
        Split(np.zeros((2, *shape), np.uint8), LABELS)
    assert Split(np.zeros((2, *shape)), LABELS, shape).shape == shape


@pytest.mark.parametrize("shape", [(4, 4, 4), (2, 2, 2), (16, 8, 4), (8, 8, 5), (4, 8, 8), (1, 8, 4)])
def test_other_images_of_two_or_four_columns_are_taken(shape):
    assert Split(np.zeros((2, *shape), np.uint8), LABELS).shape == shape
