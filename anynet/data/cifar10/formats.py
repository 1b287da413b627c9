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
    read_meta: Callable[[bytes, str], list[Any]]
    read_batch: Callable[[bytes, str], list[Any]]

    @property
    def files(self) -> list[str]:
        """Names of all files in the folder."""
        return [self.meta, *(batch + self.suffix for batch in BATCHES)]


def _pickled(data: bytes, file: str, /, **wanted: type) -> list[Any]:
    """Return the values at the wanted keys, each checked to be of the wanted type."""
    content = pickles.load(data, file)
    for key, kind in wanted.items():
        if not isinstance(content.get(key), kind):
            found = type(content[key]).__name__ if key in content else "nothing"
            raise DataError(f"{file}: expected {kind.__name__} {key!r}, got {found}; {ADVICE}")
    return [content[key] for key in wanted]


def _pickled_meta(data: bytes, file: str) -> list[Any]:
    return _pickled(data, file, label_names=list, num_cases_per_batch=int)


def _pickled_batch(data: bytes, file: str) -> list[Any]:
    return _pickled(data, file, data=np.ndarray, labels=list)


def _binary_meta(data: bytes, file: str) -> list[Any]:
    return [data.decode("latin1").split(), BINARY_COUNT]


def _binary_batch(data: bytes, file: str) -> list[Any]:
    """Parse records of one byte for the label, followed by the image."""
    record = 1 + IMAGE_SIZE
    if len(data) != BINARY_COUNT * record:
        expected = f"{BINARY_COUNT * record} bytes ({BINARY_COUNT} records of {record})"
        raise DataError(f"{file}: expected {expected}, got {len(data)} bytes; {ADVICE}")
    records = np.frombuffer(data, np.uint8).reshape(BINARY_COUNT, record)
    return [records[:, 1:].copy(), records[:, 0].tolist()]


FORMATS = (
    Format("cifar-10-batches-py", "cifar-10-python.tar.gz", "batches.meta", "", _pickled_meta, _pickled_batch),
    Format("cifar-10-batches-bin", "cifar-10-binary.tar.gz", "batches.meta.txt", ".bin", _binary_meta, _binary_batch),
)
