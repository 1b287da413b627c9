"""File formats of CIFAR-10, pickled and binary, and of CIFAR-100, pickled."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from anynet.data.cifar import pickles
from anynet.data.cifar.content import Content
from anynet.data.dataset import BATCHES, IMAGE_SHAPE, DataError

IMAGE_SIZE = prod(IMAGE_SHAPE)
BINARY_COUNT = 10_000
"""Images in each binary batch; unlike the pickled format, the binary one does not store this number."""

CIFAR100_COUNTS = {"train": 50_000, "test": 10_000}
"""Images in the files of CIFAR-100, which does not store these numbers either."""

MOST_PICKLED = 50_000_000
"""Largest size of a pickled batch in bytes; the official ones have 31 MB, 46 MB saved again with protocol 2."""
MOST_PICKLED_100 = 250_000_000
"""The same of CIFAR-100, whose larger file has 155 MB."""
MOST_META = 100_000
"""Largest size of a file with the class names in bytes."""

ADVICE = "unpack or download it again"
"""End of error messages about damaged files."""


@dataclass(frozen=True)
class Format:
    """A format of CIFAR-10 or CIFAR-100: its file names, and functions that parse a file.

    Parameters
    ----------
    name, title : str
        Name of the data set, as in ``--data``, and in messages.
    folder, archive, meta : str
        Names of the unpacked folder, of the official archive and of the file with the class names.
    batches : tuple of str
        Names of the files of images, without suffix, in the official order; the last one is the test set.
    suffix : str
        Suffix of the batches' file names.
    class_count : int
        Number of classes.
    archive_md5 : str
        MD5 sum of the official archive.
    batch_md5 : dict of str
        MD5 sums of the official batches; empty if none are published.
    most_meta, most_batch : int
        Largest sizes of the files in bytes; larger ones are not read.
    read_meta : callable
        ``read_meta(content, file) -> [class names, images by batch]``.
    read_batch : callable
        ``read_batch(content, file) -> [images, labels]``, whose shapes and values are not checked yet.

    Notes
    -----
    Both functions take a file's content and its name for error messages, and raise DataError if they cannot parse it.
    """

    name: str
    title: str
    folder: str
    archive: str
    meta: str
    batches: tuple[str, ...]
    suffix: str
    class_count: int
    archive_md5: str
    batch_md5: dict[str, str]
    most_meta: int
    most_batch: int
    read_meta: Callable[[bytes | Content, str], list[Any]]
    read_batch: Callable[[bytes | Content, str], list[Any]]

    @property
    def files(self) -> list[str]:
        """Names of all files in the folder."""
        return [self.meta, *(batch + self.suffix for batch in self.batches)]


def _pickled(data: bytes | Content, file: str, /, **wanted: tuple[type, ...]) -> list[Any]:
    """Return the values at the wanted keys, each checked to be of one of the wanted types."""
    content = pickles.load(data, file)
    for key, kinds in wanted.items():
        if not isinstance(content.get(key), kinds):
            names = " or ".join(kind.__name__ for kind in kinds)
            found = type(content[key]).__name__ if key in content else "nothing"
            raise DataError(f"{file}: expected {names} {key!r}, got {found}; {ADVICE}")
    return [content[key] for key in wanted]


def _pickled_meta(data: bytes | Content, file: str) -> list[Any]:
    names, count = _pickled(data, file, label_names=(list,), num_cases_per_batch=(int,))
    most = MOST_PICKLED // IMAGE_SIZE
    if not 1 <= count <= most:  # before memory for them is allocated
        raise DataError(f"{file}: expected 'num_cases_per_batch' from 1 to {most}, got another number; {ADVICE}")
    return [names, dict.fromkeys(BATCHES, count)]


def _pickled_batch(data: bytes | Content, file: str) -> list[Any]:
    return _pickled(data, file, data=(np.ndarray,), labels=(list, np.ndarray))


def _binary_meta(data: bytes | Content, file: str) -> list[Any]:
    return [str(data, "latin1").split(), dict.fromkeys(BATCHES, BINARY_COUNT)]


def _binary_batch(data: bytes | Content, file: str) -> list[Any]:
    """Parse records of one byte for the label, followed by the image."""
    record = 1 + IMAGE_SIZE
    if len(data) != BINARY_COUNT * record:
        expected = f"{BINARY_COUNT * record} bytes ({BINARY_COUNT} records of {record})"
        raise DataError(f"{file}: expected {expected}, got {len(data)} bytes; {ADVICE}")
    records = np.frombuffer(data, np.uint8).reshape(BINARY_COUNT, record)
    return [records[:, 1:], records[:, 0]]


def _pickled_meta_100(data: bytes | Content, file: str) -> list[Any]:
    return [*_pickled(data, file, fine_label_names=(list,)), CIFAR100_COUNTS]


def _pickled_batch_100(data: bytes | Content, file: str) -> list[Any]:
    return _pickled(data, file, data=(np.ndarray,), fine_labels=(list, np.ndarray))


FORMATS: tuple[Format, ...] = (
    Format(
        name="cifar10",
        title="CIFAR-10",
        folder="cifar-10-batches-py",
        archive="cifar-10-python.tar.gz",
        meta="batches.meta",
        batches=BATCHES,
        suffix="",
        class_count=10,
        archive_md5="c58f30108f718f92721af3b95e74349a",
        batch_md5={
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
            "test_batch": "40351d587109b95175f43aff81a1287e",
        },
        most_meta=MOST_META,
        most_batch=MOST_PICKLED,
        read_meta=_pickled_meta,
        read_batch=_pickled_batch,
    ),
    Format(
        name="cifar10",
        title="CIFAR-10",
        folder="cifar-10-batches-bin",
        archive="cifar-10-binary.tar.gz",
        meta="batches.meta.txt",
        batches=BATCHES,
        suffix=".bin",
        class_count=10,
        archive_md5="c32a1d4ab5d03f1284b67883e8d87530",
        batch_md5={},
        most_meta=MOST_META,
        most_batch=BINARY_COUNT * (1 + IMAGE_SIZE),
        read_meta=_binary_meta,
        read_batch=_binary_batch,
    ),
    Format(
        name="cifar100",
        title="CIFAR-100",
        folder="cifar-100-python",
        archive="cifar-100-python.tar.gz",
        meta="meta",
        batches=("train", "test"),
        suffix="",
        class_count=100,
        archive_md5="eb9058c3a382ffc7106e4002c42a8d85",
        batch_md5={"train": "16019d7e3df5f24257cddd939b257f8d", "test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
        most_meta=MOST_META,
        most_batch=MOST_PICKLED_100,
        read_meta=_pickled_meta_100,
        read_batch=_pickled_batch_100,
    ),
)
