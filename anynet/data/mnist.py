"""Reading MNIST, Fashion-MNIST and sets of the same form: images and labels in four IDX files."""

import hashlib
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anynet.core.errors import naming
from anynet.core.formatting import printable
from anynet.data.dataset import Batches, DataError
from anynet.data.idx import ADVICE, idx_shape, read_idx

PREFIXES = {"train": "train", "test": "t10k"}
"""First words of the file names, by part of the set."""
IMAGES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"

FILES = tuple(f"{prefix}-{kind}.gz" for prefix in PREFIXES.values() for kind in (IMAGES, LABELS))
"""Official names, the same for all sets."""

MD5 = {
    "mnist": (
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    "fashion-mnist": (
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
}
"""MD5 sums of the official files, in the order of `FILES`; none are published for unpacked ones."""

CLASSES = {
    "mnist": tuple("0123456789"),
    "fashion-mnist": (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
}

MOST_BYTES = 100_000_000
"""Largest size of a file whose MD5 sum is computed; the official ones have 26 MB at most."""


def holds(folder: Path) -> bool:
    """Return True if a folder holds training images as an IDX file, gzipped or not."""
    return any((folder / f"{PREFIXES['train']}-{IMAGES}{suffix}").is_file() for suffix in (".gz", ""))


def read(folder: Path, name: str | None = None) -> tuple[str, Batches]:
    """Read the four files of MNIST, or of another set in its form.

    Parameters
    ----------
    folder : Path
        Folder of the files under their official names, gzipped (with ``.gz``) or unpacked.
    name : {"mnist", "fashion-mnist"}, optional
        The set whose official files they are known to be. Default: their MD5 sums tell.

    Returns
    -------
    name : str
        "mnist" or "fashion-mnist" if the files are these, byte for byte; otherwise the name of the folder, and classes
        are named by their numbers.
    batches : Batches

    Raises
    ------
    DataError
        If files are missing or damaged, or do not fit each other. The message names the file.
    """
    paths = [_existing(folder, name) for name in FILES]
    name = name or _official(paths)
    shapes = [idx_shape(path, 3) for path in paths[::2]]
    if shapes[0][1:] != shapes[1][1:]:
        expected, got = shapes[0][1:], shapes[1][1:]
        raise DataError(f"{paths[2]}: expected images of shape {expected}, as for training, got {got}; {ADVICE}")
    sizes = dict(zip(PREFIXES, (shape[0] for shape in shapes), strict=True))
    images = np.empty((sum(sizes.values()), *shapes[0][1:]), np.uint8)
    train, test = np.split(images, [sizes["train"]])
    parts = [_read_part(paths[0], paths[1], train), _read_part(paths[2], paths[3], test)]
    classes = CLASSES[name] if name else tuple(str(number) for number in range(int(parts[0].max()) + 1))
    if len(classes) < 2:
        raise DataError(f"{paths[1]}: expected labels of two classes or more, got 0 alone; a net needs two classes")
    for path, labels in zip(paths[1::2], parts, strict=True):
        if labels.max() >= len(classes):
            index = int(np.argmax(labels >= len(classes)))
            raise DataError(
                f"{path}: expected labels 0..{len(classes) - 1}, got {labels[index]} at index {index}; {ADVICE}"
            )
    batches = Batches(
        images.reshape(len(images), -1),
        np.concatenate(parts).astype(np.int64),
        sizes,
        classes,
        official=name is not None,
        shape=(1, *images.shape[1:]),
    )
    return name or printable(folder.resolve().name), batches


def _existing(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / name.removesuffix(".gz")):
        if path.is_file():
            return path
    raise DataError(f"{folder}: expected the files {', '.join(FILES)}, got no {name}; {ADVICE}")


def _official(paths: list[Path]) -> str | None:
    """Return the name of the set that the files are, byte for byte."""
    if any(path.suffix != ".gz" or path.stat().st_size > MOST_BYTES for path in paths):
        return None
    sums = tuple(map(_md5, paths))
    return next((name for name, official in MD5.items() if official == sums), None)


def _md5(path: Path) -> str:
    with naming(path), path.open("rb") as stream:
        return hashlib.file_digest(stream, partial(hashlib.md5, usedforsecurity=False)).hexdigest()


def _read_part(images: Path, labels: Path, out: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Read images into `out`, and return their labels."""
    x, y = read_idx(images, 3, out), read_idx(labels, 1)
    if len(x) != len(y):
        raise DataError(f"{labels}: expected {len(x)} labels, one for each image, got {len(y)}; {ADVICE}")
    return y
