"""Data sets by name: CIFAR-10 from a folder, an archive, the cache or the official server; synthetic images."""

import os
import sys
from pathlib import Path

from anynet.core.checks import nearest
from anynet.data.cifar10.download import default_cache, fetch
from anynet.data.cifar10.files import read
from anynet.data.cifar10.splits import split
from anynet.data.cifar10.transfer import DownloadError
from anynet.data.dataset import Batches, DataError, Dataset
from anynet.data.synthetic import draw

TRAIN, VAL = 45_000, 5_000
"""Default numbers of training and validation images."""

NAMES = ("auto", "cifar10", "synthetic")


def cifar10(path: str | Path | None = None, train: str | int = TRAIN, val: str | int = VAL) -> Dataset:
    """Load CIFAR-10.

    Parameters
    ----------
    path : str or Path, optional
        The unpacked folder ``cifar-10-batches-py`` or ``cifar-10-batches-bin``, an archive, or a folder that contains
        one of these. Default: the path in the environment variable ``ANYNET_DATA``; without it, the archive in the
        cache, which is downloaded first if it is missing.
    train, val : str or int
        Training and validation images; see `split`.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If files are missing or damaged; the message names the file.
    DownloadError
        If the archive cannot be downloaded.

    References
    ----------
    Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images,
    https://www.cs.toronto.edu/~kriz/cifar.html.
    """
    return split(*find("cifar10" if path is None else str(path), "path"), train, val)


def synthetic(seed: int = 0, train: str | int = TRAIN, val: str | int = VAL) -> Dataset:
    """Draw a synthetic data set in the form of CIFAR-10: 32 x 32 color images of ten shapes. Takes some seconds.

    Parameters
    ----------
    seed : int
        In ``0 .. 2**64 - 1``.
    train, val : str or int
        Training and validation images; see `split`.

    Returns
    -------
    Dataset
    """
    return split("synthetic", draw(seed), train, val)


def load(source: str = "auto", train: str | int = TRAIN, val: str | int = VAL) -> Dataset:
    """Load a data set by name or path, as the option ``--data`` does.

    Parameters
    ----------
    source : str
        See `find`.
    train, val : str or int
        Training and validation images; see `split`.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError, DownloadError
        As `find` does.
    """
    return split(*find(source, "source"), train, val)


def find(source: str, argument: str = "--data") -> tuple[str, Batches]:
    """Find a data set by name or path and read all of its images.

    Parameters
    ----------
    source : {"auto", "cifar10", "synthetic"} or path
        "cifar10" and paths are as for `cifar10`. "synthetic" draws images. "auto" is "cifar10", or "synthetic", with a
        note on stderr, if CIFAR-10 cannot be downloaded.
    argument : str
        Name of `source` in error messages.

    Returns
    -------
    name : str
        "cifar10" or "synthetic".
    batches : Batches

    Raises
    ------
    DataError
        If the path does not exist, or files are missing or damaged.
    DownloadError
        If CIFAR-10 cannot be downloaded and `source` is "cifar10".
    """
    if source == "synthetic":
        return "synthetic", draw(0)
    if source not in NAMES:
        if not source or not Path(source).exists():
            raise DataError(f'{argument}: there is no file or folder "{source}"{nearest(source, NAMES)}')
        return "cifar10", read(Path(source))
    try:
        return "cifar10", read(Path(os.environ.get("ANYNET_DATA") or fetch(default_cache())))
    except DownloadError as error:
        if source == "cifar10":
            raise
        print(f"{error}\nTraining on the synthetic set instead: drawn images, not CIFAR-10.", file=sys.stderr)
        return "synthetic", draw(0)
