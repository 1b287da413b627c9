"""File formats of CIFAR-10: pickled and binary batches."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from anynet.data.cifar10 import pickles
from anynet.data.dataset import BATCHES, IMAGE_SHAPE, DataError

IMAGE_SIZE = prod(IMAGE_SHAPE)
BINARY_COUNT = 10_000
"""Images in each binary batch; unlike the pickled format, the binary one does not store this number."""

MOST_PICKLED = 50_000_000
"""Largest size of a pickled batch in bytes; the official ones have 31 MB, 46 MB saved again with protocol 2."""
MOST_META = 100_000
"""Largest size of a file with the class names in bytes."""

ADVICE = "unpack or download CIFAR-10 again"
"""End of error messages about damaged files."""


@dataclass(frozen=True)
class Format:
    """A format of CIFAR-10: its file names, and functions that parse a file.

    Parameters
    ----------
    folder, archive, meta : str
        Names of the unpacked folder, of the official archive and of the file with the class names.
    suffix : str
        Suffix of the batches' file names.
    most_meta, most_batch : int
        Largest sizes of the files in bytes; larger ones are not read.
    read_meta : callable
        ``read_meta(content, file) -> [class names, images per batch]``.
    read_batch : callable
        ``read_batch(content, file) -> [images, labels]``, whose shapes and values are not checked yet.

    Notes
    -----
    Both functions take a file's bytes and its name for error messages, and raise DataError if they cannot parse it.
    """

    folder: str
    archive: str
    meta: str
    suffix: str
    most_meta: int
    most_batch: int
    read_meta: Callable[[bytes, str], list[Any]]
    read_batch: Callable[[bytes, str], list[Any]]

    @property
    def files(self) -> list[str]:
        """Names of all files in the folder."""
        return [self.meta, *(batch + self.suffix for batch in BATCHES)]


def _pickled(data: bytes, file: str, /, **wanted: tuple[type, ...]) -> list[Any]:
    """Return the values at the wanted keys, each checked to be of one of the wanted types."""
    content = pickles.load(data, file)
    for key, kinds in wanted.items():
        if not isinstance(content.get(key), kinds):
            names = " or ".join(kind.__name__ for kind in kinds)
            found = type(content[key]).__name__ if key in content else "nothing"
            raise DataError(f"{file}: expected {names} {key!r}, got {found}; {ADVICE}")
    return [content[key] for key in wanted]


def _pickled_meta(data: bytes, file: str) -> list[Any]:
    names, count = _pickled(data, file, label_names=(list,), num_cases_per_batch=(int,))
    most = MOST_PICKLED // IMAGE_SIZE
    if not 1 <= count <= most:  # before memory for them is allocated
        raise DataError(f"{file}: expected 'num_cases_per_batch' from 1 to {most}, got another number; {ADVICE}")
    return [names, count]


def _pickled_batch(data: bytes, file: str) -> list[Any]:
    return _pickled(data, file, data=(np.ndarray,), labels=(list, np.ndarray))


def _binary_meta(data: bytes, file: str) -> list[Any]:
    return [data.decode("latin1").split(), BINARY_COUNT]


def _binary_batch(data: bytes, file: str) -> list[Any]:
    """Parse records of one byte for the label, followed by the image."""
    record = 1 + IMAGE_SIZE
    if len(data) != BINARY_COUNT * record:
        expected = f"{BINARY_COUNT * record} bytes ({BINARY_COUNT} records of {record})"
        raise DataError(f"{file}: expected {expected}, got {len(data)} bytes; {ADVICE}")
    records = np.frombuffer(data, np.uint8).reshape(BINARY_COUNT, record)
    return [records[:, 1:], records[:, 0]]


FORMATS = (
    Format(
        folder="cifar-10-batches-py",
        archive="cifar-10-python.tar.gz",
        meta="batches.meta",
        suffix="",
        most_meta=MOST_META,
        most_batch=MOST_PICKLED,
        read_meta=_pickled_meta,
        read_batch=_pickled_batch,
    ),
    Format(
        folder="cifar-10-batches-bin",
        archive="cifar-10-binary.tar.gz",
        meta="batches.meta.txt",
        suffix=".bin",
        most_meta=MOST_META,
        most_batch=BINARY_COUNT * (1 + IMAGE_SIZE),
        read_meta=_binary_meta,
        read_batch=_binary_batch,
    ),
)
