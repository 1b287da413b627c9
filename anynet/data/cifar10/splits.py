"""Selection of training and validation images, by file or by number."""

import re

import numpy as np
from numpy.typing import NDArray

from anynet.data.dataset import BATCHES, TEST_BATCH, TRAINING_BATCHES, Batches, Dataset
from anynet.data.samples import Split

Index = NDArray[np.int64]


def split(name: str, batches: Batches, train: str | int, val: str | int) -> Dataset:
    """Choose training and validation images among the training files. The test set is always ``test_batch``.

    Parameters
    ----------
    name : str
        Name of the data set.
    batches : Batches
        All images.
    train, val : str or int
        File names, such as "data_batch_1" or "data_batch_1,data_batch_3"; or a number of images, counted over the
        training files that the other one does not name: the first ones for training, the last ones for validation.
        For example, 49000 and 1000 validate on the last 1,000 images of data_batch_5.

        `val` may also name "test_batch", to follow the test loss over the epochs. The best epoch is then chosen on the
        test images, so its test accuracy is optimistically biased.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        If a file is unknown, if training would use test images, if there are too few images, or if the two share
        images.
    """
    offsets = np.cumsum([0] + [batches.sizes[name] for name in BATCHES])
    total = int(offsets[-2])
    rows = {name: np.arange(offsets[i], offsets[i + 1]) for i, name in enumerate(BATCHES)}
    named = {"train": _named("train", train, rows, TRAINING_BATCHES), "val": _named("val", val, rows, BATCHES)}

    chosen = {}
    for which, other, wanted in (("train", "val", train), ("val", "train", val)):
        free = np.setdiff1d(np.arange(total), named[other])
        n = _number(wanted)
        if n is None:
            chosen[which] = named[which]
        elif not 0 < n <= len(free):
            there = f"1 to {len(free)} images" if len(free) else f"{other} to leave an image"
            raise ValueError(f"{which}: expected {there}, got {n}")
        else:
            chosen[which] = free[:n] if which == "train" else free[-n:]
    shared = np.intersect1d(chosen["train"], chosen["val"])
    if len(shared):
        raise ValueError(
            f"train {train} and val {val} share {len(shared)} of the {total} images; choose {len(shared)} fewer"
        )
    parts = {which: _select(batches, index) for which, index in chosen.items()}
    return Dataset(name, batches.classes, parts["train"], parts["val"], batches.splits[TEST_BATCH], batches.official)


def _select(batches: Batches, index: Index) -> Split:
    """Return the images at increasing indices, as a view if these are consecutive: images are most of the memory."""
    span = slice(int(index[0]), int(index[-1]) + 1)
    rows = span if len(index) == span.stop - span.start else index
    return Split(batches.x[rows], batches.y[rows], batches.shape)


def _number(wanted: str | int) -> int | None:
    return int(wanted) if re.fullmatch(r"-?\d+", str(wanted)) else None


def _named(which: str, wanted: str | int, rows: dict[str, Index], allowed: tuple[str, ...]) -> Index:
    """Return the indices of the images in the named files; none if `wanted` is a number."""
    if _number(wanted) is not None:
        return np.arange(0)
    names = [name.strip() for name in str(wanted).split(",")]
    unknown = [name for name in names if name not in allowed]
    if unknown:
        raise ValueError(
            f'{which}: expected a number of images, or names among {", ".join(allowed)}; got "{unknown[0]}"'
        )
    return np.concatenate([rows[name] for name in sorted(set(names))])
