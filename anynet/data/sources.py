"""Data sets by name or path: official ones, digits, synthetic images, and folders of files."""

import os
import sys
from pathlib import Path

from anynet.core.checks import nearest
from anynet.data import digits, image_folder, mnist
from anynet.data.cifar import files as cifar
from anynet.data.dataset import Batches, DataError, Dataset
from anynet.data.download import default_cache, fetch, is_complete
from anynet.data.sets import SETS
from anynet.data.splits import AUTO, split
from anynet.data.synthetic import draw
from anynet.data.transfer import DownloadError

NAMES = ("auto", *SETS, "digits", "synthetic")


def cifar10(
    path: str | Path | None = None, train: str | int = AUTO, val: str | int = AUTO, test: int | None = None
) -> Dataset:
    """Load CIFAR-10.

    Parameters
    ----------
    path : str or Path, optional
        The unpacked folder ``cifar-10-batches-py`` or ``cifar-10-batches-bin``, an archive, or a folder that contains
        one of these. Default: the path in the environment variable ``ANYNET_DATA``; without it, the archive in the
        cache, which is downloaded first if it is missing.
    train, val : str or int
        Training and validation images, 45,000 and 5,000 by default; see `split`.
    test : int, optional
        Number of test images, the first ones. Default: all.

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
    if path is None:
        return split(*find("cifar10"), train, val, test)
    return split(*cifar.read(_existing(str(path), "path"), "cifar10"), train, val, test)


def synthetic(seed: int = 0, train: str | int = AUTO, val: str | int = AUTO, test: int | None = None) -> Dataset:
    """Draw a synthetic data set in the form of CIFAR-10: 32 x 32 color images of ten shapes. Takes some seconds.

    Parameters
    ----------
    seed : int
        In ``0 .. 2**64 - 1``.
    train, val : str or int
        Training and validation images; see `split`.
    test : int, optional
        Number of test images, the first ones. Default: all.

    Returns
    -------
    Dataset
    """
    return split("synthetic", draw(seed), train, val, test)


def load(
    source: str | Path = "auto",
    train: str | int = AUTO,
    val: str | int = AUTO,
    test: int | None = None,
    *,
    shape: tuple[int, int, int] | None = None,
) -> Dataset:
    """Load a data set by name or path, as the option ``--data`` does.

    Parameters
    ----------
    source : str or Path
        See `find`.
    train, val : str or int
        Training and validation images; see `split`.
    test : int, optional
        Number of test images, the first ones. Default: all.
    shape : tuple of int, optional
        For a folder of class folders of image files: channels (1 or 3), rows and columns to which they are scaled.
        Default: the size of the first image, in color if any image is.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError, DownloadError, FileError
        As `find` does.
    """
    if shape is None:
        return split(*find(str(source), "source"), train, val, test)
    return split(*image_folder.read(_existing(str(source), "source"), shape), train, val, test)


def find(source: str, argument: str = "--data") -> tuple[str, Batches]:
    """Find a data set by name or path and read all of its images.

    Parameters
    ----------
    source : {"auto", "cifar10", "cifar100", "mnist", "fashion-mnist", "digits", "synthetic"} or path
        "cifar10" is as for `cifar10`. The other official sets are taken from the folder in the environment variable
        ``ANYNET_DATA`` if their files are there or in a folder of their name, and otherwise from the cache, downloaded
        first if they are missing. "digits" are those that scikit-learn contains. "synthetic" draws images. "auto" is
        "cifar10", or "synthetic", with a note on stderr, if CIFAR-10 cannot be downloaded.

        A path is an archive of CIFAR, or a folder: of CIFAR's files, of the files of MNIST or of a set in its form, or
        of class folders of image files (see `anynet.data.image_folder.read`).
    argument : str
        Name of `source` in error messages.

    Returns
    -------
    name : str
        Name of the data set; for files that are none of the official sets, that of the folder.
    batches : Batches

    Raises
    ------
    DataError, FileError
        If the path does not exist, or files are missing or damaged.
    DownloadError
        If an official set cannot be downloaded and `source` is not "auto".
    """
    if source == "synthetic":
        return source, draw(0)
    if source == "digits":
        return source, digits.read()
    if source not in NAMES:
        return read(_existing(source, argument))
    try:
        return _official("cifar10" if source == "auto" else source)
    except DownloadError as error:
        if source != "auto":
            raise
        print(f"{error}\nTraining on the synthetic set instead: drawn images, not CIFAR-10.", file=sys.stderr)
        return "synthetic", draw(0)


def read(path: Path) -> tuple[str, Batches]:
    """Read the data set in a file or folder; see `find`."""
    if cifar.holds(path):
        return cifar.read(path)
    if mnist.holds(path):
        return mnist.read(path)
    if image_folder.holds(path):
        return image_folder.read(path)
    raise DataError(
        f"{path}: expected a data set, got none; give a folder of class folders of images, a folder with the files of "
        "CIFAR-10, CIFAR-100 or MNIST, or an official archive of CIFAR"
    )


def _existing(source: str, argument: str) -> Path:
    if not source or not Path(source).exists():
        raise DataError(f'{argument}: there is no file or folder "{source}"{nearest(source, NAMES)}')
    return Path(source)


def _official(name: str) -> tuple[str, Batches]:
    """Read an official set: from $ANYNET_DATA, or from the cache."""
    official, own = SETS[name], os.environ.get("ANYNET_DATA")
    if own and name == "cifar10":
        return cifar.read(Path(own), name)
    for folder in (Path(own), Path(own, name)) if own else ():
        if is_complete(official, folder):
            found, batches = official.read(official.place(folder))
            if found != name:
                raise DataError(f"{folder}: expected the official files of {official.title}, got others; replace them")
            return found, batches
    return official.read_checked(fetch(official, default_cache()))
