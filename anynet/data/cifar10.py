"""Reads CIFAR-10 in the forms it is distributed in: pickled or binary batches, in a folder or in an archive."""

import hashlib
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.data import pickles
from anynet.data.dataset import Batches, Split
from anynet.data.errors import DataError

IMAGE_SIZE = 3072
CLASS_COUNT = 10
BINARY_COUNT = 10_000
"""Images in each binary batch; unlike the pickled form, the binary form does not say it itself."""

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


@dataclass(frozen=True)
class _Form:
    """A way in which CIFAR-10 is written: what its files are called, and what turns one file into values.

    read_meta: (content, file) -> [class names, images per batch].
    read_batch: (content, file) -> [images, labels], whose shapes and values are yet to be checked.
    """

    folder: str
    archive: str
    meta: str
    suffix: str
    read_meta: Callable[[bytes, str], list[Any]]
    read_batch: Callable[[bytes, str], list[Any]]

    @property
    def files(self) -> list[str]:
        return [self.meta, *(batch + self.suffix for batch in BATCH_MD5)]


def read(path: Path) -> Batches:
    """Read all of CIFAR-10 from ``path``.

    ``path`` is a folder of batches (``cifar-10-batches-py`` or ``cifar-10-batches-bin``, under whatever name), an
    official archive (which is read without unpacking it), or a folder that holds one of these under its own name.

    Raises DataError, naming the file, if there is no CIFAR-10 in ``path``, if files are missing, damaged or of
    another form, or if an archive is not an official one.
    """
    if path.is_file() and path.suffix in (".gz", ".tgz"):
        return _read_archive(path)
    for form in _FORMS:
        for folder in (path, path / form.folder):
            if any((folder / name).is_file() for name in form.files):
                return _read_folder(folder, form)
    for form in _FORMS:
        if (path / form.archive).is_file():
            return _read_archive(path / form.archive)
    accepted = ", ".join(f"a folder {form.folder}, an archive {form.archive}" for form in _FORMS)
    raise DataError(f"{path}: expected CIFAR-10, found none; give {accepted}, or the folder that holds one of them")


def _read_folder(folder: Path, form: _Form) -> Batches:
    if missing := [name for name in form.files if not (folder / name).is_file()]:
        raise DataError(
            f"{folder}: expected the {len(form.files)} files of CIFAR-10, found all but {', '.join(missing)}; {_AGAIN}"
        )
    return _read_files(form, folder, lambda name: (folder / name).read_bytes())


def _read_archive(archive: Path) -> Batches:
    """Check the md5 before anything else: an archive that passes is whole, and of a known form."""
    with archive.open("rb") as stream:
        found = hashlib.file_digest(stream, _md5).hexdigest()
    form = next((form for form in _FORMS if ARCHIVE_MD5[form.archive] == found), None)
    if form is None:
        expected = " or ".join(f"{ARCHIVE_MD5[form.archive]} ({form.archive})" for form in _FORMS)
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


def _read_files(form: _Form, where: Path, content: Callable[[str], bytes]) -> Batches:
    """``content`` is asked once for each file of the form, by name."""
    names, count = form.read_meta(content(form.meta), f"{where / form.meta}")
    if [type(name) for name in names] != [str] * CLASS_COUNT:
        raise DataError(f"{where / form.meta}: expected {CLASS_COUNT} class names, found {names}; {_AGAIN}")
    splits = {}
    official = True
    for batch, md5 in BATCH_MD5.items():
        data = content(batch + form.suffix)
        file = f"{where / batch}{form.suffix}"
        images, labels = form.read_batch(data, file)
        splits[batch] = _check(images, labels, count, file)
        official &= _md5(data).hexdigest() == md5
    return Batches(splits, tuple(names), official)


def _check(images: NDArray[Any], labels: list[Any], count: int, file: str) -> Split:
    if images.dtype != np.uint8 or images.shape[1:] != (IMAGE_SIZE,):
        found = f"{images.shape} {images.dtype}"
        raise DataError(f"{file}: expected images of shape (n, {IMAGE_SIZE}) and dtype uint8, found {found}; {_AGAIN}")
    if not len(images) == len(labels) == count:
        found = f"{len(images)} images and {len(labels)} labels"
        raise DataError(f"{file}: expected {count} images and as many labels, found {found}; {_AGAIN}")
    for index, label in enumerate(labels):
        if label not in range(CLASS_COUNT):
            raise DataError(f"{file}: expected labels 0..{CLASS_COUNT - 1}, found {label!r} at index {index}; {_AGAIN}")
    return Split(images, np.array(labels, np.int64))


def _pickled(data: bytes, file: str, /, **wanted: type) -> list[Any]:
    content = pickles.load(data, file)
    for key, kind in wanted.items():
        if not isinstance(content.get(key), kind):
            found = type(content[key]).__name__ if key in content else "nothing"
            raise DataError(f"{file}: expected {kind.__name__} {key!r}, found {found}; {_AGAIN}")
    return [content[key] for key in wanted]


def _pickled_meta(data: bytes, file: str) -> list[Any]:
    return _pickled(data, file, label_names=list, num_cases_per_batch=int)


def _pickled_batch(data: bytes, file: str) -> list[Any]:
    return _pickled(data, file, data=np.ndarray, labels=list)


def _binary_meta(data: bytes, file: str) -> list[Any]:
    return [data.decode("latin1").split(), BINARY_COUNT]


def _binary_batch(data: bytes, file: str) -> list[Any]:
    """A record is one byte of label, then the image."""
    record = 1 + IMAGE_SIZE
    if len(data) != BINARY_COUNT * record:
        expected = f"{BINARY_COUNT * record} bytes ({BINARY_COUNT} records of {record})"
        raise DataError(f"{file}: expected {expected}, found {len(data)} bytes; {_AGAIN}")
    records = np.frombuffer(data, np.uint8).reshape(BINARY_COUNT, record)
    return [records[:, 1:].copy(), records[:, 0].tolist()]


_FORMS = (
    _Form("cifar-10-batches-py", "cifar-10-python.tar.gz", "batches.meta", "", _pickled_meta, _pickled_batch),
    _Form("cifar-10-batches-bin", "cifar-10-binary.tar.gz", "batches.meta.txt", ".bin", _binary_meta, _binary_batch),
)
_AGAIN = "unpack or download CIFAR-10 again"
_md5 = partial(hashlib.md5, usedforsecurity=False)
