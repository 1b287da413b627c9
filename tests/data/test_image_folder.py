"""Folders of class folders of image files, made here."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anynet.core.errors import FileError
from anynet.data import DataError, image_folder, load

RNG = np.random.default_rng(0)


def color(rows=6, columns=5):
    return RNG.integers(0, 256, (rows, columns, 3), np.uint8)


def gray(rows=6, columns=5):
    return RNG.integers(0, 256, (rows, columns), np.uint8)


def save(folder: Path, *images, suffix: str = "png") -> list[bytes]:
    """Save images as 0.png, 1.png, ..., and return their values, channels first."""
    folder.mkdir(parents=True)
    for number, values in enumerate(images):
        Image.fromarray(values).save(folder / f"{number}.{suffix}")
    return [(values.transpose(2, 0, 1) if values.ndim == 3 else values).tobytes() for values in images]


def contents(split):
    """Return (values, label) of all images."""
    return [(x.tobytes(), int(y)) for x, y in zip(split.x, split.y, strict=True)]


def test_classes_are_the_folders_in_order_and_a_sixth_of_each_is_for_testing(tmp_path):
    saved = {name: save(tmp_path / name, *(color() for _ in range(n))) for name, n in [("dog", 12), ("cat", 24)]}
    name, batches = image_folder.read(tmp_path)
    assert (name, batches.classes, batches.official) == (tmp_path.name, ("cat", "dog"), False)
    assert (batches.sizes, batches.shape) == ({"train": 30, "test": 6}, (3, 6, 5))
    train, test = batches.splits.values()
    expected = [(x, 0) for x in saved["cat"]] + [(x, 1) for x in saved["dog"]]
    assert sorted(contents(train) + contents(test)) == sorted(expected)
    assert np.bincount(test.y).tolist() == [4, 2]
    again = image_folder.read(tmp_path)[1]
    np.testing.assert_array_equal(again.x, batches.x)


def test_any_number_of_training_images_has_all_classes(tmp_path):
    for name in "abc":
        save(tmp_path / name, *(gray(1, 1) for _ in range(60)))
    dataset = load(tmp_path, 30, 15)
    for part in (dataset.train, dataset.val):
        assert (np.bincount(part.y, minlength=3) > 0).all()
    assert np.bincount(dataset.test.y).tolist() == [10, 10, 10]


def test_parts_are_taken_as_they_are(tmp_path):
    saved = {}
    for part, count in (("train", 4), ("val", 2), ("test", 3)):
        for name in ("cat", "dog"):
            saved[part, name] = save(tmp_path / part / name, *(color() for _ in range(count)))
    dataset = load(tmp_path)
    for part in ("train", "val", "test"):
        expected = [(x, label) for label, name in enumerate(("cat", "dog")) for x in saved[part, name]]
        assert sorted(contents(getattr(dataset, part))) == sorted(expected)
    assert contents(dataset.test) == [
        (x, label) for label, name in enumerate(("cat", "dog")) for x in saved["test", name]
    ]


def test_training_and_test_folders_alone_leave_validation_to_numbers(tmp_path):
    for part, count in (("train", 10), ("test", 3)):
        for name in ("cat", "dog"):
            save(tmp_path / part / name, *(gray() for _ in range(count)))
    dataset = load(tmp_path)
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (18, 2, 6)


def test_a_class_may_be_called_train(tmp_path):
    for name in ("car", "train"):
        save(tmp_path / name, gray(), gray())
    assert image_folder.read(tmp_path)[1].classes == ("car", "train")


def test_gray_stays_gray_unless_there_is_color(tmp_path):
    values = [gray(), gray(), gray()]
    save(tmp_path / "a", *values)
    save(tmp_path / "b", gray())
    batches = image_folder.read(tmp_path)[1]
    assert batches.shape == (1, 6, 5)
    assert {image.tobytes() for image in values} < {x.tobytes() for x in batches.x}
    save(tmp_path / "c", color())
    batches = image_folder.read(tmp_path)[1]
    assert batches.shape == (3, 6, 5)
    shown = {x.tobytes() for x in batches.x}
    assert all(np.stack([image] * 3).tobytes() in shown for image in values)


@pytest.mark.parametrize(("shape", "expected"), [(None, (3, 6, 5)), ((1, 3, 4), (1, 3, 4)), ((3, 6, 6), (3, 6, 6))])
def test_images_of_another_size_are_scaled(tmp_path, shape, expected):
    first = color()
    save(tmp_path / "a", first, np.full((12, 10, 3), 7, np.uint8))
    save(tmp_path / "b", np.full((40, 10, 3), 200, np.uint8), np.full((2, 3, 3), 90, np.uint8))
    batches = image_folder.read(tmp_path, shape)[1]
    assert batches.shape == expected
    shown = {x.tobytes() for x in batches.x}
    for value in (7, 200, 90):
        assert np.full(expected, value, np.uint8).tobytes() in shown
    assert (first.transpose(2, 0, 1).tobytes() in shown) == (shape is None)


def test_a_stated_shape_is_taken(tmp_path):
    for name in "ab":
        save(tmp_path / name, gray(), gray(8, 8), gray(8, 8))
    dataset = load(tmp_path, shape=(3, 2, 4))
    assert dataset.train.shape == (3, 2, 4)
    for shape in ((2, 2, 4), (3, 0, 4), (2, 4)):
        with pytest.raises(ValueError, match=r"^shape: expected 1 or 3 channels, rows and columns, got \("):
            load(tmp_path, shape=shape)
    with pytest.raises(DataError, match="a: expected folders of images, one for each class, got none"):
        load(tmp_path / "a", shape=(3, 2, 4))


def test_every_format_is_read_and_hidden_files_are_left_out(tmp_path):
    for number, suffix in enumerate(("png", "jpg", "bmp", "tif")):
        save(tmp_path / f"class {number}", np.full((4, 4), 51, np.uint8), np.full((4, 4), 51, np.uint8), suffix=suffix)
        (tmp_path / f"class {number}" / ".DS_Store").write_bytes(b"\0")
    (tmp_path / ".git").mkdir()
    (tmp_path / "README.md").write_text("pictures")
    batches = image_folder.read(tmp_path)[1]
    assert (len(batches.x), batches.shape) == (8, (1, 4, 4))
    assert (batches.x == 51).all()


def refused(tmp_path, message, kind=DataError):
    with pytest.raises(kind, match=message) as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_that_is_no_image_is_named(tmp_path):
    save(tmp_path / "a", gray(), gray())
    save(tmp_path / "b", gray(), gray())
    (tmp_path / "b" / "notes.txt").write_text("no image")
    said = refused(tmp_path, "expected an image file in PNG, .* got one that begins with b'no image'", FileError)
    assert said.startswith(f"{tmp_path / 'b' / 'notes.txt'}: ")


def test_a_damaged_image_is_named(tmp_path):
    for name in "ab":
        save(tmp_path / name, gray(40, 40), gray(40, 40))
    file = tmp_path / "b" / "1.png"
    file.write_bytes(file.read_bytes()[:-200])
    assert refused(tmp_path, "expected a whole image, got a damaged one", FileError).startswith(f"{file}: ")


def test_a_folder_within_a_class_is_named(tmp_path):
    for name in "ab":
        save(tmp_path / name, gray(), gray())
    save(tmp_path / "a" / "more", gray())
    assert refused(tmp_path, "got a folder", FileError).startswith(f"{tmp_path / 'a' / 'more'}: ")


def test_an_empty_class_is_named(tmp_path):
    save(tmp_path / "a", gray(), gray())
    (tmp_path / "b").mkdir()
    assert refused(tmp_path, "expected image files, got none").startswith(f"{tmp_path / 'b'}: ")


def test_one_class_is_refused(tmp_path):
    save(tmp_path / "a", gray(), gray())
    said = refused(tmp_path, "expected folders of images, one for each class, got 1; a net needs two classes or more")
    assert said.startswith(f"{tmp_path}: ")


def test_one_image_in_each_class_is_refused(tmp_path):
    for name in "ab":
        save(tmp_path / name, gray())
    assert refused(tmp_path, "expected four images or more, .*, got 2").startswith(f"{tmp_path}: ")
    for name in "cdef":
        save(tmp_path / name, gray())
    refused(tmp_path, "expected two images or more, to train on and to test on, got 1; add some")


def test_parts_with_other_classes_are_named(tmp_path):
    for part, names in (("train", "ab"), ("test", "abc")):
        for name in names:
            save(tmp_path / part / name, gray(), gray())
    said = refused(tmp_path, "expected the classes of training, a, b, got another")
    assert said.startswith(f"{tmp_path / 'test' / 'c'}: ")


def test_a_part_without_a_class_is_named(tmp_path):
    for part, names in (("train", "abc"), ("test", "ab")):
        for name in names:
            save(tmp_path / part / name, gray(), gray())
    assert refused(tmp_path, "expected image files, got none").startswith(f"{tmp_path / 'test' / 'c'}: ")


def test_a_part_of_another_name_is_named(tmp_path):
    for part in ("train", "valid"):
        for name in "ab":
            save(tmp_path / part / name, gray(), gray())
    said = refused(tmp_path, "expected train, val, test beside each other, got another folder")
    assert said.startswith(f"{tmp_path / 'valid'}: ")


def test_a_name_that_commands_a_terminal_is_refused(tmp_path):
    for name in ("a", "b\x1b[2J"):
        save(tmp_path / name, gray(), gray())
    assert "\x1b" not in refused(tmp_path, "expected folders of printable names")


def test_more_pixels_than_memory_are_refused_before_they_are_read(tmp_path, monkeypatch):
    for name in "ab":
        save(tmp_path / name, gray(), gray())
    monkeypatch.setattr(image_folder, "MOST_BYTES", 119)
    refused(tmp_path, r"expected at most 119 bytes of pixels, got 120, 4 images of shape \(1, 6, 5\)")


def test_without_pillow_a_line_says_what_to_install(tmp_path, monkeypatch):
    for name in "ab":
        save(tmp_path / name, gray(), gray())
    monkeypatch.setitem(__import__("sys").modules, "anynet.data.image_files", None)
    refused(tmp_path, r"reading image files needs pillow; run pip install '\.\[app\]'")
