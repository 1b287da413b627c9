"""Folders of class folders of image files."""

from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from anynet.core.extras import install_command
from anynet.core.formatting import printable
from anynet.core.seeding import Purpose, generator
from anynet.data.dataset import Batches, DataError
from anynet.data.samples import is_picture
from anynet.data.splits import TEST, VAL
from anynet.data.stratified import hold_out, stratified_order

TRAIN = "train"
PARTS = (TRAIN, VAL, TEST)
"""Names of the folders of a set that is divided already, in the order of its images."""

MOST_BYTES = 16_000_000_000
"""Memory of all images, at most."""

FORM = "folders of images, one for each class"


def holds(path: Path) -> bool:
    """Return True if a path is a folder that holds other folders."""
    return path.is_dir() and bool(_folders(path))


def read(path: Path, shape: tuple[int, int, int] | None = None) -> tuple[str, Batches]:
    """Read image files in folders that are named after their classes.

    Parameters
    ----------
    path : Path
        Folder of class folders, ``DIR/cat/1.png``; or of the folders "train", optionally "val" and "test", that hold
        the class folders, ``DIR/train/cat/1.png``. Without a folder "test" a sixth of the training images of each
        class is held out for testing. Files whose names begin with a dot are left out.
    shape : tuple of int, optional
        Channels (1 or 3), rows and columns. Default: rows and columns of the first image, and one channel if all
        images are gray. Images of another size are scaled, and their central part is taken.

    Returns
    -------
    name : str
        That of the folder.
    batches : Batches
        Classes are sorted by name. The training images are in random order, always the same, in which classes are
        mixed evenly: any number of them from the front or the back has its share of each.

    Raises
    ------
    DataError
        If there are fewer than two classes, a class has no images, or a part lacks or adds a class.
    FileError
        If a file is no image, or a damaged one. The message names it.
    ValueError
        If `shape` is none of an image.
    """
    if shape is not None and not (is_picture(shape) and min(shape) > 0):
        raise ValueError(f"shape: expected 1 or 3 channels, rows and columns, got {shape}")
    if not holds(path):
        raise DataError(f"{path}: expected {FORM}, got none")
    folders = _parts(path)
    classes = tuple(folder.name for folder in _folders(folders[TRAIN]))
    if len(classes) < 2:
        raise DataError(f"{folders[TRAIN]}: expected {FORM}, got {len(classes)}; a net needs two classes or more")
    if odd := [name for name in classes if not name.isprintable()]:
        raise DataError(f"{folders[TRAIN]}: expected folders of printable names, got {odd[0]!r}; rename it")
    files, labels = {}, {}
    for part, folder in folders.items():
        files[part], labels[part] = _files(folder, classes)
    first = files[TRAIN][0]
    if TEST in files:
        order = {TRAIN: stratified_order(labels[TRAIN], generator(0, Purpose.SPLIT, 0))}
    else:
        order = dict(zip((TRAIN, TEST), hold_out(labels[TRAIN]), strict=True))
    if any(len(index) == 0 for index in order.values()):
        raise DataError(f"{path}: expected four images or more, to train on and to test on, got {len(files[TRAIN])}")
    if len(alone := np.setdiff1d(labels[TRAIN], labels[TRAIN][order[TRAIN]])):
        place = path / classes[alone[0]]
        raise DataError(f"{place}: expected two images or more, to train on and to test on, got 1; add some")
    every, numbers = files[TRAIN], labels[TRAIN]
    for part, index in order.items():
        files[part], labels[part] = [every[k] for k in index], numbers[index]
    parts = [part for part in PARTS if part in files]
    found = [file for part in parts for file in files[part]]
    reader = _image_files(first)
    images = _read_images(reader, found, shape or _common_shape(reader, first, found))
    sizes = {part: len(files[part]) for part in parts}
    y = np.concatenate([labels[part] for part in parts])
    flat = images.reshape(len(images), -1)
    return printable(path.resolve().name), Batches(flat, y, sizes, classes, official=False, shape=images.shape[1:])


def _folders(path: Path) -> list[Path]:
    return sorted(each for each in path.iterdir() if each.is_dir() and not each.name.startswith("."))


def _parts(path: Path) -> dict[str, Path]:
    """Return the folders of class folders by part; a folder "train" that holds files alone is a class."""
    folders = _folders(path)
    if not any(folder.name == TRAIN and _folders(folder) for folder in folders):
        return {TRAIN: path}
    for folder in folders:
        if folder.name not in PARTS:
            raise DataError(f"{folder}: expected {', '.join(PARTS)} beside each other, got another folder; rename it")
    return {folder.name: folder for folder in folders}


def _files(folder: Path, classes: tuple[str, ...]) -> tuple[list[Path], NDArray[np.int64]]:
    """Return the files of all classes, sorted by class and name, and their class numbers."""
    for other in _folders(folder):
        if other.name not in classes:
            raise DataError(f"{other}: expected the classes of training, {', '.join(classes)[:200]}, got another")
    files: list[Path] = []
    labels: list[int] = []
    for number, name in enumerate(classes):
        own = folder / name
        there = sorted(file for file in own.iterdir() if not file.name.startswith(".")) if own.is_dir() else []
        if not there:
            raise DataError(f"{own}: expected image files, got none; put some there or remove the class")
        files += there
        labels += [number] * len(there)
    return files, np.asarray(labels, np.int64)


def _image_files(first: Path) -> Any:
    """Import the reading of image files, which needs Pillow."""
    try:
        return import_module("anynet.data.image_files")
    except ImportError as error:
        raise DataError(f"{first}: reading image files needs pillow; run {install_command('app')}") from error


def _common_shape(reader: Any, first: Path, files: list[Path]) -> tuple[int, int, int]:
    """Return rows and columns of the first image, and one channel if all images are gray."""
    rows, columns = reader.image_size(first)
    return 1 if all(map(reader.is_gray, files)) else 3, rows, columns


def _read_images(reader: Any, files: list[Path], shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    if (needed := len(files) * prod(shape)) > MOST_BYTES:
        raise DataError(
            f"{files[0].parents[1]}: expected at most {MOST_BYTES:,} bytes of pixels, got {needed:,}, {len(files):,} "
            f"images of shape {shape}; save smaller ones"
        )
    images = np.empty((len(files), *shape), np.uint8)
    for index, file in enumerate(tqdm(files, desc="reading images", leave=False, disable=None)):
        images[index] = reader.read_image(file, shape=shape)[0].reshape(shape)
    return images
