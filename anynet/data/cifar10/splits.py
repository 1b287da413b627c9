"""Which images train, which validate: by batch file or by number."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anynet.data.dataset import Batches, Split

TRAINING_FILES = tuple(f"data_batch_{i}" for i in range(1, 6))
TEST_FILE = "test_batch"


@dataclass(frozen=True)
class Dataset:
    """Images for training, for choosing among what was trained, and for the last word.

    name: "cifar10", "synthetic", or what a user's own data is called.
    classes: the names of classes 0, 1, ...
    official: whether the images are CIFAR-10's official ones, byte for byte.
    """

    name: str
    classes: tuple[str, ...]
    train: Split
    val: Split
    test: Split
    official: bool = False


def split(name: str, batches: Batches, train: str | int, val: str | int) -> Dataset:
    """Choose the training and the validation images among the training files; ``test_batch`` is the test set.

    train, val: names of batch files, as in "data_batch_1" or "data_batch_1,data_batch_3"; or a number of images of the
        training files, taken in the official order from what the other does not name: for training from the front, for
        validation from the back. So 49000 and 1000 validate on the last 1,000 images of data_batch_5.

    Validation may name "test_batch" as well, as in 50000 and "test_batch", to follow the test loss from epoch to epoch.
    The epoch with the highest validation accuracy is then chosen on the test images, and its test accuracy is no honest
    estimate.

    Raises ValueError for an unknown file, for training on the test images, for a number that is not there, and where
    the two would share images.
    """
    files = (*TRAINING_FILES, TEST_FILE)
    offsets = np.cumsum([0] + [batches.sizes[name] for name in files])
    total = int(offsets[-2])
    rows = {name: np.arange(offsets[i], offsets[i + 1]) for i, name in enumerate(files)}
    named = {"train": _named("train", train, rows, TRAINING_FILES), "val": _named("val", val, rows, files)}

    chosen = {}
    for which, other, wanted in (("train", "val", train), ("val", "train", val)):
        free = np.setdiff1d(np.arange(total), named[other])
        n = _number(wanted)
        if n is None:
            chosen[which] = named[which]
        elif not 0 < n <= len(free):
            there = f"1 to {len(free)} images, as many as there are" if len(free) else f"{other} to leave an image"
            raise ValueError(f"{which}: expected {there}, got {n}")
        else:
            chosen[which] = free[:n] if which == "train" else free[-n:]
    shared = np.intersect1d(chosen["train"], chosen["val"])
    if len(shared):
        raise ValueError(
            f"train {train} and val {val} share {len(shared)} of the {total} images; choose {len(shared)} fewer"
        )
    parts = {which: _rows(batches, index) for which, index in chosen.items()}
    return Dataset(name, batches.classes, parts["train"], parts["val"], batches.splits[TEST_FILE], batches.official)


def _rows(batches: Batches, index: NDArray[np.int64]) -> Split:
    """The images of these numbers: without a copy where they are neighbours, for they are most of what is in memory."""
    run = slice(int(index[0]), int(index[-1]) + 1)
    rows = run if len(index) == run.stop - run.start else index  # numbers come in order, each once
    return Split(batches.images[rows], batches.labels[rows])


def _number(wanted: str | int) -> int | None:
    return int(wanted) if re.fullmatch(r"-?\d+", str(wanted)) else None


def _named(which: str, wanted: str | int, rows: dict[str, np.ndarray], allowed: tuple[str, ...]) -> np.ndarray:
    if _number(wanted) is not None:
        return np.arange(0)
    names = [name.strip() for name in str(wanted).split(",")]
    unknown = [name for name in names if name not in allowed]
    if unknown:
        raise ValueError(
            f'{which}: expected a number of images, or names among {", ".join(allowed)}; got "{unknown[0]}"'
        )
    return np.concatenate([rows[name] for name in sorted(set(names))])
