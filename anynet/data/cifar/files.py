"""Reading CIFAR-10 and CIFAR-100: pickled or binary batches, in a folder or in an archive."""

import hashlib
import os
import reprlib
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from anynet.core.errors import naming
from anynet.data.cifar import formats
from anynet.data.cifar.content import Content, read_content
from anynet.data.cifar.formats import ADVICE, IMAGE_SIZE, Format
from anynet.data.dataset import Batches, DataError
from anynet.data.samples import Split

T = TypeVar("T")

THREADS = 2
"""Files that are read at once: each takes memory."""

PIECE = 1 << 20
"""Bytes that are unpacked at once: `tarfile` copies them."""

MOST_ARCHIVED = 200_000_000
"""Largest size of an archive in bytes; the official ones have 170 MB. The sum of a larger one is not computed."""


def holds(path: Path) -> bool:
    """Return True if a path is an archive, or a folder of batches, or a folder that contains one of these."""
    return (
        _is_archive(path) or _folder(path, formats.FORMATS) is not None or _archive(path, formats.FORMATS) is not None
    )


def read(path: Path, name: str | None = None) -> tuple[str, Batches]:
    """Read all of CIFAR-10 or CIFAR-100.

    Parameters
    ----------
    path : Path
        A folder of batches (``cifar-10-batches-py``, ``cifar-10-batches-bin`` or ``cifar-100-python``; it may have been
        renamed), an official archive, which is read without unpacking it, or a folder that contains one of these under
        its official name.
    name : {"cifar10", "cifar100"}, optional
        The only set that is read. Default: either.

    Returns
    -------
    name : str
        "cifar10" or "cifar100".
    batches : Batches

    Raises
    ------
    DataError
        If there is no CIFAR in `path`, if files are missing, damaged or of another format, or if an archive is not an
        official one. The message names the file.
    """
    known = tuple(fmt for fmt in formats.FORMATS if name in (None, fmt.name))
    if _is_archive(path):
        return _read_archive(path, known)
    if found := _folder(path, known):
        return _read_folder(*found)
    if archive := _archive(path, known):
        return _read_archive(archive, known)
    accepted = ", ".join(f"a folder {fmt.folder}, an archive {fmt.archive}" for fmt in known)
    titles = " or ".join(dict.fromkeys(fmt.title for fmt in known))
    raise DataError(f"{path}: expected {titles}, got none; give {accepted}, or the folder that holds one of them")


def _is_archive(path: Path) -> bool:
    return path.is_file() and path.suffix in (".gz", ".tgz")


def _folder(path: Path, known: tuple[Format, ...]) -> tuple[Path, Format] | None:
    """Return the folder with two files or more of a format; one name alone, such as "train", may be anything's."""
    for fmt in known:
        for folder in (path, path / fmt.folder):
            if sum((folder / name).is_file() for name in fmt.files) > 1:
                return folder, fmt
    return None


def _archive(path: Path, known: tuple[Format, ...]) -> Path | None:
    return next((path / fmt.archive for fmt in known if (path / fmt.archive).is_file()), None)


def _read_folder(folder: Path, fmt: Format) -> tuple[str, Batches]:
    if missing := [name for name in fmt.files if not (folder / name).is_file()]:
        raise DataError(
            f"{folder}: expected the {len(fmt.files)} files of {fmt.title}, got all except {', '.join(missing)}; "
            f"{ADVICE}"
        )
    batches, sums = _read_files(fmt, folder, lambda name, most: _read_content(folder / name, most), _sum)
    return fmt.name, replace(batches, official=sums == fmt.batch_md5)


def _read_content(file: Path, most: int) -> Content | bytes:
    """Read a file, unless it is larger than any of its kind."""
    with naming(file), file.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > most:
            raise DataError(f"{file}: expected at most {most} bytes, got {size}; {ADVICE}")
        return read_content(stream, size)


def _read_archive(archive: Path, known: tuple[Format, ...]) -> tuple[str, Batches]:
    """Read an archive, after its MD5 sum has shown that it is complete and of a known format.

    So nothing is unpacked from an archive whose members could be cut, without end, links or paths elsewhere.
    """
    if (size := archive.stat().st_size) > MOST_ARCHIVED:
        raise DataError(f"{archive}: expected an official archive of at most {MOST_ARCHIVED} bytes, got {size}; "
                        "delete it and download it again")  # fmt: skip
    with naming(archive), archive.open("rb") as stream:
        found = hashlib.file_digest(stream, _md5).hexdigest()
    fmt = next((fmt for fmt in known if fmt.archive_md5 == found), None)
    if fmt is None:
        expected = " or ".join(f"{fmt.archive_md5} ({fmt.archive})" for fmt in known)
        raise DataError(
            f"{archive}: expected md5 {expected}, got {found}; delete it and download it again, "
            "or unpack it and give the folder to read it as it is"
        )
    return read_official(archive, fmt)


def read_official(archive: Path, fmt: Format) -> tuple[str, Batches]:
    """Read an official archive, whose MD5 sum has been compared, without unpacking it.

    Parameters
    ----------
    archive : Path
    fmt : Format
        Its format.

    Returns
    -------
    name : str
    batches : Batches

    Raises
    ------
    DataError
        As `read` does.
    """
    contents = {}
    with naming(archive), tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            if file := tar.extractfile(member):  # None for a folder
                contents[PurePosixPath(member.name).name] = read_content(file, member.size, PIECE)
    batches, _ = _read_files(fmt, archive, lambda name, _: contents.pop(name), lambda _: None)
    return fmt.name, replace(batches, official=True)


def _read_files(
    fmt: Format, where: Path, content: Callable[[str, int], Content | bytes], digest: Callable[[Content | bytes], T]
) -> tuple[Batches, dict[str, T]]:
    """Read all files of a format, few at a time, so that the memory for parsing is that of few.

    ``content(name, most)`` returns the content of a file that has `most` bytes at most, and is called once for each;
    ``digest(content)`` is returned for each file of images.
    """
    names, sizes = fmt.read_meta(content(fmt.meta, fmt.most_meta), f"{where / fmt.meta}")
    _check_names(names, fmt.class_count, f"{where / fmt.meta}")
    n = sum(sizes.values())
    every = Batches(np.empty((n, IMAGE_SIZE), np.uint8), np.empty(n, np.int64), sizes, tuple(names), official=False)

    def read_batch(batch: str, part: Split) -> T:
        data, file = content(batch + fmt.suffix, fmt.most_batch), f"{where / batch}{fmt.suffix}"
        images, labels = fmt.read_batch(data, file)
        _check(images, labels, len(part), fmt.class_count, file)
        part.x[...], part.y[...] = images, labels
        return digest(data)

    with ThreadPoolExecutor(THREADS) as pool:  # reading, copying and sums go on in parallel
        results = list(pool.map(read_batch, every.splits, every.splits.values()))
    return every, dict(zip(every.splits, results, strict=True))


def _check_names(names: list[Any], count: int, file: str) -> None:
    if len(names) != count:
        raise DataError(f"{file}: expected {count} class names, got {len(names)}; {ADVICE}")
    for name in names:
        if not isinstance(name, str) or not name.isprintable():
            raise DataError(f"{file}: expected class names of printable characters, got {reprlib.repr(name)}; {ADVICE}")


def _check(images: NDArray[Any], labels: list[Any] | NDArray[Any], count: int, classes: int, file: str) -> None:
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
        if not isinstance(label, int) or not 0 <= label < classes:
            long = isinstance(label, int) and label.bit_length() > 64  # Python refuses to print very long ones
            found = "a long number" if long else reprlib.repr(label)
            raise DataError(f"{file}: expected labels 0..{classes - 1}, got {found} at index {index}; {ADVICE}")


_md5 = partial(hashlib.md5, usedforsecurity=False)


def _sum(data: Content | bytes) -> str:
    return _md5(data).hexdigest()
