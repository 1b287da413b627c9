"""Reading CIFAR-10: pickled or binary batches, in a folder or in an archive."""

import hashlib
import reprlib
import tarfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.data.cifar10.formats import ADVICE, FORMATS, IMAGE_SIZE, Format
from anynet.data.dataset import Batches, DataError
from anynet.data.samples import Split

CLASS_COUNT = 10

BATCH_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
"""MD5 sums of the official pickled batches. None are published for the binary ones."""

ARCHIVE_MD5 = {
    "cifar-10-python.tar.gz": "c58f30108f718f92721af3b95e74349a",
    "cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530",
}
"""MD5 sums of the official archives."""

MOST_ARCHIVED = 200_000_000
"""Largest size of an archive in bytes; the official ones have 170 MB. The sum of a larger one is not computed."""


def read(path: Path) -> Batches:
    """Read all of CIFAR-10.

    Parameters
    ----------
    path : Path
        A folder of batches (``cifar-10-batches-py`` or ``cifar-10-batches-bin``; it may have been renamed), an
        official archive, which is read without unpacking it, or a folder that contains one of these under its official
        name.

    Returns
    -------
    Batches

    Raises
    ------
    DataError
        If there is no CIFAR-10 in `path`, if files are missing, damaged or of another format, or if an archive is not
        an official one. The message names the file.
    """
    if path.is_file() and path.suffix in (".gz", ".tgz"):
        return _read_archive(path)
    for fmt in FORMATS:
        for folder in (path, path / fmt.folder):
            if any((folder / name).is_file() for name in fmt.files):
                return _read_folder(folder, fmt)
    for fmt in FORMATS:
        if (path / fmt.archive).is_file():
            return _read_archive(path / fmt.archive)
    accepted = ", ".join(f"a folder {fmt.folder}, an archive {fmt.archive}" for fmt in FORMATS)
    raise DataError(f"{path}: expected CIFAR-10, got none; give {accepted}, or the folder that holds one of them")


def _read_folder(folder: Path, fmt: Format) -> Batches:
    if missing := [name for name in fmt.files if not (folder / name).is_file()]:
        raise DataError(
            f"{folder}: expected the {len(fmt.files)} files of CIFAR-10, got all except {', '.join(missing)}; {ADVICE}"
        )
    return _read_files(fmt, folder, lambda name, most: _read_bytes(folder / name, most))


def _read_bytes(file: Path, most: int) -> bytes:
    """Read a file, unless it is larger than any of its kind."""
    with file.open("rb") as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise DataError(f"{file}: expected at most {most} bytes, got {file.stat().st_size}; {ADVICE}")
    return data


def _read_archive(archive: Path) -> Batches:
    """Read an archive, after its MD5 sum has shown that it is complete and of a known format.

    So nothing is unpacked from an archive whose members could be cut, without end, links or paths elsewhere.
    """
    if (size := archive.stat().st_size) > MOST_ARCHIVED:
        raise DataError(f"{archive}: expected an official archive of at most {MOST_ARCHIVED} bytes, got {size}; "
                        "delete it and download it again")  # fmt: skip
    with archive.open("rb") as stream:
        found = hashlib.file_digest(stream, _md5).hexdigest()
    fmt = next((fmt for fmt in FORMATS if ARCHIVE_MD5[fmt.archive] == found), None)
    if fmt is None:
        expected = " or ".join(f"{ARCHIVE_MD5[fmt.archive]} ({fmt.archive})" for fmt in FORMATS)
        raise DataError(
            f"{archive}: expected md5 {expected}, got {found}; delete it and download it again, "
            "or unpack it and give the folder to read it as it is"
        )
    contents = {}
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            if file := tar.extractfile(member):  # None for a folder
                contents[PurePosixPath(member.name).name] = file.read()
    return replace(_read_files(fmt, archive, lambda name, _: contents.pop(name)), official=True)


def _read_files(fmt: Format, where: Path, content: Callable[[str, int], bytes]) -> Batches:
    """Read all files of a format, one after another, so that the memory for parsing is that of one file.

    ``content(name, most)`` returns the bytes of a file that has `most` bytes at most, and is called once for each.
    """
    names, count = fmt.read_meta(content(fmt.meta, fmt.most_meta), f"{where / fmt.meta}")
    _check_names(names, f"{where / fmt.meta}")
    sizes = dict.fromkeys(BATCH_MD5, count)
    every = Batches(
        np.empty((sum(sizes.values()), IMAGE_SIZE), np.uint8),
        np.empty(sum(sizes.values()), np.int64),
        sizes,
        tuple(names),
        official=True,
    )

    sums = {
        batch: _read_batch(fmt, content(batch + fmt.suffix, fmt.most_batch), f"{where / batch}{fmt.suffix}", part)
        for batch, part in every.splits.items()
    }
    return replace(every, official=sums == BATCH_MD5)


def _read_batch(fmt: Format, data: bytes, file: str, part: Split) -> str:
    """Copy the images and labels of a file into `part` and return the file's MD5 sum."""
    images, labels = fmt.read_batch(data, file)
    _check(images, labels, len(part), file)
    part.x[...], part.y[...] = images, labels
    return _md5(data).hexdigest()


def _check_names(names: list[Any], file: str) -> None:
    if len(names) != CLASS_COUNT:
        raise DataError(f"{file}: expected {CLASS_COUNT} class names, got {len(names)}; {ADVICE}")
    for name in names:
        if not isinstance(name, str) or not name.isprintable():
            raise DataError(f"{file}: expected class names of printable characters, got {reprlib.repr(name)}; {ADVICE}")


def _check(images: NDArray[Any], labels: list[Any] | NDArray[Any], count: int, file: str) -> None:
    if images.dtype != np.uint8 or images.shape[1:] != (IMAGE_SIZE,):
        found = f"{images.shape} {images.dtype}"
        raise DataError(f"{file}: expected images of shape (n, {IMAGE_SIZE}) and dtype uint8, got {found}; {ADVICE}")
    if isinstance(labels, np.ndarray) and (labels.ndim != 1 or labels.dtype.kind not in "iu"):
        found = f"{labels.shape} {labels.dtype}"
        raise DataError(f"{file}: expected labels of shape (n,) and an integer dtype, got {found}; {ADVICE}")
    if not len(images) == len(labels) == count:
        found = f"{len(images)} images and {len(labels)} labels"
        raise DataError(f"{file}: expected {count} images and as many labels, got {found}; {ADVICE}")
    for index, label in enumerate(labels.tolist() if isinstance(labels, np.ndarray) else labels):
        if not isinstance(label, int) or not 0 <= label < CLASS_COUNT:
            long = isinstance(label, int) and label.bit_length() > 64  # Python refuses to print very long ones
            found = "a long number" if long else reprlib.repr(label)
            raise DataError(f"{file}: expected labels 0..{CLASS_COUNT - 1}, got {found} at index {index}; {ADVICE}")


_md5 = partial(hashlib.md5, usedforsecurity=False)
