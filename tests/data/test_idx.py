"""IDX files, written here by the format's definition, and what is said of damaged ones."""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from anynet.core.errors import FileError
from anynet.data import DataError, mnist
from anynet.data.idx import read_idx

RNG = np.random.default_rng(0)
TRAIN, TEST = RNG.integers(0, 256, (12, 5, 4), np.uint8), RNG.integers(0, 256, (3, 5, 4), np.uint8)
TRAIN_LABELS, TEST_LABELS = np.arange(12, dtype=np.uint8) % 10, np.asarray([9, 0, 4], np.uint8)
ARRAYS = (TRAIN, TRAIN_LABELS, TEST, TEST_LABELS)


def idx(values) -> bytes:
    header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.tobytes()


def write(folder: Path, arrays=ARRAYS, suffix: str = ".gz") -> Path:
    for name, values in zip(mnist.FILES, arrays, strict=True):
        content = gzip.compress(idx(values)) if suffix else idx(values)
        (folder / name).with_suffix(suffix).write_bytes(content)
    return folder


def declare_official(patch: pytest.MonkeyPatch, folder: Path, name: str) -> None:
    sums = tuple(hashlib.md5((folder / file).read_bytes()).hexdigest() for file in mnist.FILES)
    patch.setitem(mnist.MD5, name, sums)


@pytest.mark.parametrize("suffix", [".gz", ""])
def test_arrays_are_read_as_they_were_written(tmp_path, suffix):
    write(tmp_path, suffix=suffix)
    for name, values in zip(mnist.FILES, ARRAYS, strict=True):
        read = read_idx((tmp_path / name).with_suffix(suffix), values.ndim)
        assert read.dtype == np.uint8
        assert read.flags.writeable
        np.testing.assert_array_equal(read, values)


WHOLE = idx(TRAIN)
DAMAGED = {
    "empty": (b"", "got one that ends within its header"),
    "half a header": (WHOLE[:9], "got one that ends within its header"),
    "labels": (idx(TRAIN_LABELS) + bytes(20), "begins with 00 00 08 03, got one that begins with 00 00 08 01"),
    "floats": (b"\0\0\x0d\x03" + WHOLE[4:], "got one that begins with 00 00 0d 03"),
    "text": (b"<!DOCTYPE html><html>", "got one that begins with 3c 21 44 4f"),
    "cut": (WHOLE[:-1], "expected 240 values, got 239"),
    "more": (WHOLE + b"x", r"expected 240 values of shape \(12, 5, 4\), got more"),
    "no images": (b"\0\0\x08\x03" + struct.pack(">3I", 0, 5, 4), r"got a header of shape \(0, 5, 4\)"),
    "too many": (
        b"\0\0\x08\x03" + struct.pack(">3I", 2**32 - 1, 28, 28),
        r"expected 1 to 200000000 values, got a head",
    ),
    "claims 200 MB": (b"\0\0\x08\x03" + struct.pack(">3I", 200_000, 10, 100), "expected 200000000 values, got 0"),
}


@pytest.mark.parametrize("suffix", [".gz", ""])
@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_named(tmp_path, damage, suffix):
    content, message = DAMAGED[damage]
    path = tmp_path / f"images{suffix}"
    path.write_bytes(gzip.compress(content) if suffix else content)
    with pytest.raises(DataError, match=message) as caught:
        read_idx(path, 3)
    assert str(caught.value).startswith(f"{path}: expected ")
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("; download it again")


@pytest.mark.parametrize(
    "change",
    [
        lambda packed: packed[:-12],
        lambda packed: packed[:20],
        lambda packed: packed[:-8] + b"\0\0\0\0" + packed[-4:],
        lambda packed: WHOLE,
        lambda packed: packed[:10] + b"\xff" * 20 + packed[30:],
    ],
    ids=["cut", "hardly begun", "wrong checksum", "not packed", "other bytes"],
)
def test_a_damaged_gzip_file_is_named(tmp_path, change):
    path = tmp_path / "images.gz"
    path.write_bytes(change(gzip.compress(WHOLE)))
    with pytest.raises(DataError, match="expected a gzip file, got a damaged one") as caught:
        read_idx(path, 3)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_file_of_gigabytes_is_not_unpacked(tmp_path):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(WHOLE) + gzip.compress(bytes(1 << 24)) * 1000)
    with pytest.raises(DataError, match="got more"):
        read_idx(path, 3)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(FileError, match="expected a file, got a folder"):
        read_idx(tmp_path, 3)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_official_files_are_known_by_their_sums(tmp_path, monkeypatch, name):
    write(tmp_path)
    declare_official(monkeypatch, tmp_path, name)
    found, batches = mnist.read(tmp_path)
    assert (found, batches.official, batches.shape, batches.sizes) == (name, True, (1, 5, 4), {"train": 12, "test": 3})
    assert (batches.classes[0], batches.classes[9]) == {
        "mnist": ("0", "9"),
        "fashion-mnist": ("T-shirt/top", "Ankle boot"),
    }[name]
    assert len(batches.classes) == 10
    train, test = batches.splits.values()
    np.testing.assert_array_equal(train.x.reshape(12, 5, 4), TRAIN)
    np.testing.assert_array_equal(test.x.reshape(3, 5, 4), TEST)
    np.testing.assert_array_equal(train.y, TRAIN_LABELS)
    np.testing.assert_array_equal(test.y, TEST_LABELS)
    assert train.y.dtype == np.int64


@pytest.mark.parametrize("suffix", [".gz", ""])
def test_other_files_have_the_name_of_their_folder_and_numbered_classes(tmp_path, suffix):
    folder = tmp_path / "letters"
    folder.mkdir()
    name, batches = mnist.read(write(folder, (TRAIN, TRAIN_LABELS + 4, TEST, TEST_LABELS), suffix))
    assert (name, batches.official, batches.classes) == ("letters", False, tuple(map(str, range(14))))


@pytest.mark.parametrize(
    ("arrays", "file", "message"),
    [
        ((TRAIN, TRAIN_LABELS[:11], TEST, TEST_LABELS), "train-labels", "expected 12 labels, .* got 11"),
        ((TRAIN, TRAIN_LABELS, TEST[:2], TEST_LABELS), "t10k-labels", "expected 2 labels, .* got 3"),
        ((TRAIN, TRAIN_LABELS * 0, TEST, TEST_LABELS), "train-labels", "expected labels of two classes or more, got 0"),
        ((TRAIN, TRAIN_LABELS, TEST, TEST_LABELS + 1), "t10k-labels", r"expected labels 0\.\.9, got 10 at index 0"),
        (
            (TRAIN, TRAIN_LABELS, TEST[:, :4], TEST_LABELS),
            "t10k-images",
            r"shape \(5, 4\), .* got \(4, 4\)",
        ),
    ],
)
def test_files_that_do_not_fit_each_other_are_named(tmp_path, arrays, file, message):
    with pytest.raises(DataError, match=message) as caught:
        mnist.read(write(tmp_path, arrays))
    assert str(caught.value).startswith(f"{tmp_path / file}")


def test_a_label_beyond_the_classes_of_an_official_set_is_named(tmp_path, monkeypatch):
    write(tmp_path, (TRAIN, TRAIN_LABELS + 1, TEST, TEST_LABELS))
    declare_official(monkeypatch, tmp_path, "mnist")
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte\.gz: expected labels 0\.\.9, got 10 at index 9"):
        mnist.read(tmp_path)


def test_a_missing_file_is_named_with_those_that_are_needed(tmp_path):
    (write(tmp_path) / mnist.FILES[3]).unlink()
    with pytest.raises(DataError, match=r"expected the files train-images.*, got no t10k-labels-idx1-ubyte\.gz"):
        mnist.read(tmp_path)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="the system has no file that fails when it is read")
@pytest.mark.parametrize("suffix", [".gz", ""])
def test_the_file_is_named_where_reading_fails(tmp_path, suffix):
    folder = write(tmp_path, (TRAIN, TRAIN_LABELS, TEST, TEST_LABELS), suffix)
    path = folder / f"t10k-labels-idx1-ubyte{suffix}"
    path.unlink()
    path.symlink_to("/proc/self/mem")
    with pytest.raises(OSError, match="Input/output error") as caught:
        mnist.read(folder)
    assert caught.value.filename == str(path)
