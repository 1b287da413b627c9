"""The forms in which CIFAR-10 is distributed: pickled or binary batches, and what turns a file of them into values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from anynet.data.cifar10 import pickles
from anynet.data.errors import DataError

IMAGE_SIZE = 3072
BINARY_COUNT = 10_000
"""Images in each binary batch; unlike the pickled form, the binary form does not say it itself."""

BATCHES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")

AGAIN = "unpack or download CIFAR-10 again"


@dataclass(frozen=True)
class Form:
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
        return [self.meta, *(batch + self.suffix for batch in BATCHES)]


def _pickled(data: bytes, file: str, /, **wanted: type) -> list[Any]:
    content = pickles.load(data, file)
    for key, kind in wanted.items():
        if not isinstance(content.get(key), kind):
            found = type(content[key]).__name__ if key in content else "nothing"
            raise DataError(f"{file}: expected {kind.__name__} {key!r}, found {found}; {AGAIN}")
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
        raise DataError(f"{file}: expected {expected}, found {len(data)} bytes; {AGAIN}")
    records = np.frombuffer(data, np.uint8).reshape(BINARY_COUNT, record)
    return [records[:, 1:].copy(), records[:, 0].tolist()]


FORMS = (
    Form("cifar-10-batches-py", "cifar-10-python.tar.gz", "batches.meta", "", _pickled_meta, _pickled_batch),
    Form("cifar-10-batches-bin", "cifar-10-binary.tar.gz", "batches.meta.txt", ".bin", _binary_meta, _binary_batch),
)
