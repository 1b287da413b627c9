"""Where images come from: CIFAR-10 from wherever it is, or the drawn stand-in."""

import os
import sys
from pathlib import Path

from anynet.core.checks import nearest
from anynet.data.cifar10.download import default_cache, fetch
from anynet.data.cifar10.files import read
from anynet.data.cifar10.splits import Dataset, split
from anynet.data.dataset import Batches
from anynet.data.errors import DataError, DownloadError
from anynet.data.synthetic import draw

TRAIN, VAL = 45_000, 5_000


NAMES = ("auto", "cifar10", "synthetic")


def cifar10(path: str | Path | None = None, train: str | int = TRAIN, val: str | int = VAL) -> Dataset:
    """CIFAR-10.

    path: the unpacked folder ``cifar-10-batches-py`` or ``cifar-10-batches-bin``, an archive, or a folder with one of
        these in it. By default what the environment variable ANYNET_DATA names, else the copy in the cache, else the
        official archive, downloaded into the cache.
    train, val: see ``anynet.data.split``.

    Raises DataError, naming the file, where the data is not whole; DownloadError where it cannot be had.
    """
    return split(*find("cifar10" if path is None else str(path)), train, val)


def synthetic(seed: int = 0, train: str | int = TRAIN, val: str | int = VAL) -> Dataset:
    """Ten classes of drawn 32 x 32 colour pictures in the form of CIFAR-10, made from a seed in seconds."""
    return split("synthetic", draw(seed), train, val)


def load(source: str = "auto", train: str | int = TRAIN, val: str | int = VAL) -> Dataset:
    """The data set that ``--data`` names, split; see ``find`` and ``anynet.data.split``."""
    return split(*find(source), train, val)


def find(source: str) -> tuple[str, Batches]:
    """A data set's name and all of its images.

    source: "cifar10" and a path are as for ``cifar10``; "synthetic" is drawn; "auto" is CIFAR-10, and where it cannot
        be downloaded, which is said on stderr, the drawn one.
    """
    if source == "synthetic":
        return "synthetic", draw(0)
    if source not in NAMES:
        if not source or not Path(source).exists():
            raise DataError(f'--data: there is no file or folder "{source}"{nearest(source, NAMES)}')
        return "cifar10", read(Path(source))
    try:
        return "cifar10", read(Path(os.environ.get("ANYNET_DATA") or fetch(default_cache())))
    except DownloadError as error:
        if source == "cifar10":
            raise
        print(f"{error}\nTraining on the synthetic set instead: drawn pictures, not CIFAR-10.", file=sys.stderr)
        return "synthetic", draw(0)
