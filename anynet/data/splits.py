"""Which images train, which validate: by batch file or by number."""

import re
from dataclasses import dataclass

import numpy as np

from anynet.data.dataset import Batches, Split

TRAINING_FILES = tuple(f"data_batch_{i}" for i in range(1, 6))


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

    train, val: names of batch files, as in "data_batch_1" or "data_batch_1,data_batch_3"; or a number of images,
        taken in the official order from what the other does not name: for training from the front, for validation
        from the back. So 49000 and 1000 validate on the last 1,000 images of data_batch_5.

    Raises ValueError for an unknown file, for a number that is not there, and where the two would share images.
    """
    offsets = np.cumsum([0] + [len(batches.splits[name]) for name in TRAINING_FILES])
    total = int(offsets[-1])
    rows = {name: np.arange(offsets[i], offsets[i + 1]) for i, name in enumerate(TRAINING_FILES)}
    named = {which: _named(which, chosen, rows) for which, chosen in (("train", train), ("val", val))}

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
    images = np.concatenate([batches.splits[name].images for name in TRAINING_FILES])
    labels = np.concatenate([batches.splits[name].labels for name in TRAINING_FILES])
    parts = {which: Split(images[index], labels[index]) for which, index in chosen.items()}
    return Dataset(name, batches.classes, parts["train"], parts["val"], batches.splits["test_batch"], batches.official)


def _number(wanted: str | int) -> int | None:
    return int(wanted) if re.fullmatch(r"-?\d+", str(wanted)) else None


def _named(which: str, wanted: str | int, rows: dict[str, np.ndarray]) -> np.ndarray:
    if _number(wanted) is not None:
        return np.arange(0)
    names = [name.strip() for name in str(wanted).split(",")]
    unknown = [name for name in names if name not in rows]
    if unknown:
        raise ValueError(f'{which}: expected a number of images, or names among {", ".join(rows)}; got "{unknown[0]}"')
    return np.concatenate([rows[name] for name in sorted(set(names))])
