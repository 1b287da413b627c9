"""Selection of training and validation images, by file or by number."""

import re

import numpy as np
from numpy.typing import NDArray

from anynet.core.checks import whole_number
from anynet.data.dataset import TEST_BATCH, Batches, Dataset
from anynet.data.samples import Split

AUTO = "auto"
"""Default of the numbers of images: a tenth for validation, or the set's own part, and the rest for training."""

VAL, TEST = "val", "test"
"""Names of parts that are not for training."""

Index = NDArray[np.int64]


def split(
    name: str, batches: Batches, train: str | int = AUTO, val: str | int = AUTO, test: int | None = None
) -> Dataset:
    """Choose training and validation images among those that are not for testing, and how many of these to test on.

    Parameters
    ----------
    name : str
        Name of the data set.
    batches : Batches
        All images. The file or part "test" or "test_batch" is the test set.
    train, val : str or int
        A number of images, counted over the training files that the other one does not name: the first ones for
        training, the last ones for validation. For example, 49000 and 1000 validate on the last 1,000 of CIFAR-10's
        50,000 images. A `val` of 0 means no validation images. "auto", the default, is a tenth of the training images
        for validation, or the set's own part "val", and all others for training.

        For CIFAR-10 and synthetic images also file names, such as "data_batch_1" or "data_batch_1,data_batch_3".
        `val` may also name "test_batch", to follow the test loss over the epochs. The best epoch is then chosen on the
        test images, so its test accuracy is optimistically biased.
    test : int, optional
        Number of test images, the first ones. Default: all.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        If a file is unknown, if training would use test images, if there are too few images, or if the two share
        images.
    """
    ends = np.cumsum(list(batches.sizes.values()))
    rows = {part: np.arange(end - size, end) for (part, size), end in zip(batches.sizes.items(), ends, strict=True)}
    trainable = {part: index for part, index in rows.items() if part not in (VAL, TEST, TEST_BATCH)}
    every = np.concatenate(list(trainable.values()))
    if len(trainable) > 1:
        named = {"train": _named("train", train, trainable), "val": _named("val", val, rows)}
    else:
        named = {"train": _named("train", train, {}), "val": _named("val", val, {})}
    if val == AUTO and VAL in rows:
        named["val"] = rows[VAL]

    tenth = max(1, round(len(every) / 10))
    validates = _chosen("val", val, tenth, named["val"], np.setdiff1d(every, named["train"]))
    left = np.setdiff1d(every, validates if train == AUTO else named["val"])
    trains = _chosen("train", train, max(1, len(left)), named["train"], left)
    shared = np.intersect1d(trains, validates)
    if len(shared):
        raise ValueError(
            f"train {train} and val {val} share {len(shared)} of the {len(every)} images; choose {len(shared)} fewer"
        )
    tests = rows[TEST if TEST in rows else TEST_BATCH]
    if test is not None and not 1 <= whole_number("test", test) <= len(tests):
        raise ValueError(f"test: expected 1 to {len(tests)} images, got {test}")
    own = _select(batches, validates) if len(validates) else None
    return Dataset(
        name, batches.classes, _select(batches, trains), own, _select(batches, tests[:test]), batches.official
    )


def _chosen(which: str, wanted: str | int, default: int, named: Index, free: Index) -> Index:
    """Return the named images, or as many of the free ones as are wanted."""
    if len(named):
        return named
    n = _number(wanted)
    n = default if n is None else n
    least, other = (0, "train") if which == "val" else (1, "val")
    if not least <= n <= len(free):
        if not len(free):
            raise ValueError(f"{other}: expected fewer images, to leave some for {which}, got all of them")
        raise ValueError(f"{which}: expected {least} to {len(free)} images, got {n}")
    return free[:n] if which == "train" else free[len(free) - n :]


def _select(batches: Batches, index: Index) -> Split:
    """Return the images at increasing indices, as a view if these are consecutive: images are most of the memory."""
    span = slice(int(index[0]), int(index[-1]) + 1)
    rows = span if len(index) == span.stop - span.start else index
    return Split(batches.x[rows], batches.y[rows], batches.shape)


def _number(wanted: str | int) -> int | None:
    return int(wanted) if re.fullmatch(r"-?\d+", str(wanted)) else None


def _named(which: str, wanted: str | int, files: dict[str, Index]) -> Index:
    """Return the indices of the images in the named files; none if `wanted` is a number or "auto"."""
    if wanted == AUTO or _number(wanted) is not None:
        return np.arange(0)
    names = [name.strip() for name in str(wanted).split(",")]
    unknown = [name for name in names if name not in files]
    if unknown:
        among = f", or names among {', '.join(files)}" if files else ' or "auto", since this set has no batch files'
        raise ValueError(f'{which}: expected a number of images{among}; got "{unknown[0]}"')
    return np.concatenate([files[name] for name in sorted(set(names))])
