"""Data sets that can be downloaded: their official files, sizes, checksums and servers."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from anynet.data import mnist
from anynet.data.cifar import files as cifar
from anynet.data.cifar.formats import FORMATS
from anynet.data.dataset import Batches


@dataclass(frozen=True)
class RemoteFile:
    """An official file.

    Parameters
    ----------
    name : str
        Its name on the servers and in the cache.
    size : int
        Number of bytes.
    md5 : str
        MD5 sum.
    """

    name: str
    size: int
    md5: str


@dataclass(frozen=True)
class RemoteSet:
    """A data set that can be downloaded.

    Parameters
    ----------
    name, title : str
        Name, as in ``--data``, and in messages.
    files : tuple of RemoteFile
        Official files, all of them gzipped.
    servers : tuple of str
        Base addresses, the first that answers is used.
    read : callable
        ``read(place) -> (name, batches)`` of the file, or of the folder of several files.
    read_checked : callable
        The same for official files, whose MD5 sums have been compared.
    folder : str
        Subfolder of the cache and of mirrors. Sets of several files have one, because their names repeat.
    """

    name: str
    title: str
    files: tuple[RemoteFile, ...]
    servers: tuple[str, ...]
    read: Callable[[Path], tuple[str, Batches]]
    read_checked: Callable[[Path], tuple[str, Batches]]
    folder: str = ""

    def place(self, root: Path) -> Path:
        """Return the path for `read` if the files are in a folder: the only file, or the folder of several."""
        return root / self.files[0].name if len(self.files) == 1 else root


KRIZHEVSKY = "https://www.cs.toronto.edu/~kriz"
PICKLED = {fmt.name: fmt for fmt in FORMATS if fmt.archive.endswith("-python.tar.gz")}


def _cifar(name: str, size: int) -> RemoteSet:
    fmt = PICKLED[name]
    files = (RemoteFile(fmt.archive, size, fmt.archive_md5),)
    return RemoteSet(name, fmt.title, files, (KRIZHEVSKY,), cifar.read, partial(cifar.read_official, fmt=fmt))


def _idx(name: str, title: str, sizes: tuple[int, ...], servers: tuple[str, ...]) -> RemoteSet:
    files = tuple(map(RemoteFile, mnist.FILES, sizes, mnist.MD5[name]))
    return RemoteSet(name, title, files, servers, mnist.read, partial(mnist.read, name=name), folder=name)


SETS = {
    each.name: each
    for each in (
        _cifar("cifar10", 170_498_071),
        _cifar("cifar100", 169_001_437),
        _idx(
            "mnist",
            "MNIST",
            (9_912_422, 28_881, 1_648_877, 4_542),
            ("https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist"),
        ),
        _idx(
            "fashion-mnist",
            "Fashion-MNIST",
            (26_421_880, 29_515, 4_422_102, 5_148),
            (
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
            ),
        ),
    )
}
"""All sets by name."""
