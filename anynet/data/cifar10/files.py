"""Reads CIFAR-10 in the forms it is distributed in: pickled or binary batches, in a folder or in an archive."""

import hashlib
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.data.cifar10.layouts import AGAIN, FORMS, IMAGE_SIZE, Form
from anynet.data.dataset import Batches, Split
from anynet.data.errors import DataError

CLASS_COUNT = 10

BATCH_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
"""The official pickled batches. For the binary ones no such list is known."""

ARCHIVE_MD5 = {
    "cifar-10-python.tar.gz": "c58f30108f718f92721af3b95e74349a",
    "cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530",
}


def read(path: Path) -> Batches:
    """Read all of CIFAR-10 from ``path``.

    ``path`` is a folder of batches (``cifar-10-batches-py`` or ``cifar-10-batches-bin``, under whatever name), an
    official archive (which is read without unpacking it), or a folder that holds one of these under its own name.

    Raises DataError, naming the file, if there is no CIFAR-10 in ``path``, if files are missing, damaged or of
    another form, or if an archive is not an official one.
    """
    if path.is_file() and path.suffix in (".gz", ".tgz"):
        return _read_archive(path)
    for form in FORMS:
        for folder in (path, path / form.folder):
            if any((folder / name).is_file() for name in form.files):
                return _read_folder(folder, form)
    for form in FORMS:
        if (path / form.archive).is_file():
            return _read_archive(path / form.archive)
    accepted = ", ".join(f"a folder {form.folder}, an archive {form.archive}" for form in FORMS)
    raise DataError(f"{path}: expected CIFAR-10, found none; give {accepted}, or the folder that holds one of them")


def _read_folder(folder: Path, form: Form) -> Batches:
    if missing := [name for name in form.files if not (folder / name).is_file()]:
        raise DataError(
            f"{folder}: expected the {len(form.files)} files of CIFAR-10, found all but {', '.join(missing)}; {AGAIN}"
        )
    return _read_files(form, folder, lambda name: (folder / name).read_bytes())


def _read_archive(archive: Path) -> Batches:
    """Check the md5 before anything else: an archive that passes is whole, and of a known form."""
    with archive.open("rb") as stream:
        found = hashlib.file_digest(stream, _md5).hexdigest()
    form = next((form for form in FORMS if ARCHIVE_MD5[form.archive] == found), None)
    if form is None:
        expected = " or ".join(f"{ARCHIVE_MD5[form.archive]} ({form.archive})" for form in FORMS)
        raise DataError(
            f"{archive}: expected md5 {expected}, found {found}; delete it and download it again, "
            "or unpack it and give the folder to read it as it is"
        )
    contents = {}
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            if file := tar.extractfile(member):  # None for a folder
                contents[PurePosixPath(member.name).name] = file.read()
    return replace(_read_files(form, archive, contents.pop), official=True)


def _read_files(form: Form, where: Path, content: Callable[[str], bytes]) -> Batches:
    """``content`` is asked once for each file of the form, by name."""
    names, count = form.read_meta(content(form.meta), f"{where / form.meta}")
    if [type(name) for name in names] != [str] * CLASS_COUNT:
        raise DataError(f"{where / form.meta}: expected {CLASS_COUNT} class names, found {names}; {AGAIN}")
    sizes = dict.fromkeys(BATCH_MD5, count)
    every = Batches(
        np.empty((sum(sizes.values()), IMAGE_SIZE), np.uint8),
        np.empty(sum(sizes.values()), np.int64),
        sizes,
        tuple(names),
        official=True,
    )

    def read_batch(batch: str, part: Split) -> str:
        return _read_batch(form, content(batch + form.suffix), f"{where / batch}{form.suffix}", part)

    with ThreadPoolExecutor() as pool:
        sums = pool.map(read_batch, every.splits, every.splits.values())
        official = dict(zip(every.splits, sums, strict=True)) == BATCH_MD5
    return replace(every, official=official)


def _read_batch(form: Form, data: bytes, file: str, part: Split) -> str:
    """Copy a file's images and labels to where they belong; returns its md5."""
    images, labels = form.read_batch(data, file)
    _check(images, labels, len(part), file)
    part.images[...], part.labels[...] = images, labels
    return _md5(data).hexdigest()


def _check(images: NDArray[Any], labels: list[Any], count: int, file: str) -> None:
    if images.dtype != np.uint8 or images.shape[1:] != (IMAGE_SIZE,):
        found = f"{images.shape} {images.dtype}"
        raise DataError(f"{file}: expected images of shape (n, {IMAGE_SIZE}) and dtype uint8, found {found}; {AGAIN}")
    if not len(images) == len(labels) == count:
        found = f"{len(images)} images and {len(labels)} labels"
        raise DataError(f"{file}: expected {count} images and as many labels, found {found}; {AGAIN}")
    for index, label in enumerate(labels):
        if label not in range(CLASS_COUNT):
            raise DataError(f"{file}: expected labels 0..{CLASS_COUNT - 1}, found {label!r} at index {index}; {AGAIN}")


_md5 = partial(hashlib.md5, usedforsecurity=False)
