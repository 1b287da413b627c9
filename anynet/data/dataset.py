"""Data sets: samples with their targets, divided into training, validation and test samples."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anynet.core.checks import describe
from anynet.core.errors import Error
from anynet.core.settings_text import in_lines
from anynet.data.samples import Split, is_numbers
from anynet.data.samples_html import html_samples

IMAGE_SHAPE = (3, 32, 32)
"""Shape of a CIFAR-10 image: channels (red, green, blue), rows, columns. Its 3,072 values are stored in this order."""

TRAINING_BATCHES = tuple(f"data_batch_{i}" for i in range(1, 6))
"""Names of CIFAR-10's training files, in the official order."""
TEST_BATCH = "test_batch"
"""Name of CIFAR-10's test file."""
BATCHES = (*TRAINING_BATCHES, TEST_BATCH)
"""Names of all of CIFAR-10's image files."""

TO_UINT8 = "(255 * x).round().astype(numpy.uint8)"
"""Python expression that makes images in 0 to 255 of those in 0 to 1, for error messages."""

ARRAYS = "arrays"
"""Name of a data set that is made of arrays, if it is given no other."""

Label = str | int | bool
"""Label of a class."""


class DataError(Error, ValueError):
    """Error for missing, damaged or malformed data. The message names the file and says what to do."""


def _check_name(place: str, name: object) -> None:
    """Refuse a name that a file cannot keep, or that would command a terminal."""
    if not isinstance(name, str):
        kind = "a text, an integer or a boolean of Python" if place.startswith("classes") else "a text"
        raise TypeError(f"{place}: expected {kind}, got {describe(name)}")
    if not name.isprintable():
        raise ValueError(f"{place}: expected printable characters, got {name!r}")


@dataclass(frozen=True, repr=False, eq=False)
class Dataset:
    """Training, validation and test samples.

    Parameters
    ----------
    name : str
        "cifar10", "synthetic", or a name for your own data.
    classes : tuple of str, int or bool
        Labels of the classes 0, 1, ..., such as their names; empty if targets are numbers.
    train : Split
        Samples to train on.
    val : Split, optional
        Samples to choose the best epoch by.
    test : Split, optional
        Samples to measure the final results on.
    official : bool
        True if the samples are known to be the official ones of a public data set, byte for byte.

    Raises
    ------
    TypeError
        If `train`, `val` or `test` is no `Split`, `classes` is no tuple or list or has labels of several kinds, or a
        name is no text.
    ValueError
        If a name has characters that cannot be printed, two labels are equal, or there are classes though targets are
        numbers, or none though they are not.
    """

    name: str
    classes: tuple[Label, ...]
    train: Split
    val: Split | None = None
    test: Split | None = None
    official: bool = False

    def __post_init__(self) -> None:
        _check_name("name", self.name)
        if not isinstance(self.classes, tuple | list):
            raise TypeError(f"classes: expected a tuple of names, got {describe(self.classes)}")
        for k, label in enumerate(self.classes):
            if not isinstance(label, int):  # bool is one
                _check_name(f"classes[{k}]", label)
            elif not -(2**63) <= label < 2**63:
                raise ValueError(
                    f"classes[{k}]: expected an integer of 64 bits, got a larger one; a text may be longer"
                )
        kinds = {kind.__name__ for kind in (str, bool, int) for label in self.classes if type(label) is kind}
        if len(kinds) > 1:
            raise TypeError(f"classes: expected labels of one kind, texts, integers or booleans, got {sorted(kinds)}")
        twice = next((label for k, label in enumerate(self.classes) if label in self.classes[:k]), None)
        if twice is not None:
            raise ValueError(f"classes: expected labels that differ, got {twice!r} twice")
        for name in ("train", "val", "test"):
            part = getattr(self, name)
            if not isinstance(part, Split) and (part is not None or name == "train"):
                raise TypeError(f"{name}: expected a Split, got {describe(part)}; Split(x, y) makes one")
        for name, part in self.parts.items():
            if is_numbers(part.y) == bool(self.classes):
                expected, got = ("class numbers", "floats") if self.classes else ("floats", "integers")
                many = f"{len(self.classes)} classes" if self.classes else "no classes"
                raise ValueError(f"{name}: expected {expected} as y, since there are {many}, got {got}")

    @property
    def parts(self) -> dict[str, Split]:
        """Parts that there are, by name: "train", "val", "test"."""
        parts = {"train": self.train, "val": self.val, "test": self.test}
        return {name: part for name, part in parts.items() if part is not None}

    @property
    def n_out(self) -> int:
        """Number of outputs of a net for these targets: that of the classes, or of the numbers of a sample."""
        return len(self.classes) or self.train.y.shape[1]

    @property
    def sizes(self) -> str:
        """Numbers of samples as text, such as "45,000 training and 10,000 test"."""
        names = {"train": "training", "val": "validation", "test": "test"}
        *first, last = (f"{len(part):,} {names[name]}" for name, part in self.parts.items())
        return f"{', '.join(first)} and {last}" if first else last

    def __repr__(self) -> str:
        return in_lines(f"Dataset({self.name!r}, {self.sizes} samples of shape {self.train.shape})")

    def _repr_html_(self) -> str:
        return html_samples(f"Dataset {self.name}: {self.sizes} samples", self.parts, self.classes)


@dataclass(frozen=True, repr=False, eq=False)
class Batches:
    """All images of a data set, in the files or parts in which it comes.

    Parameters
    ----------
    x, y : ndarray
        As in `Split`; the files one after another.
    sizes : dict of str to int
        Number of images in each file or part, in order. The keys are ``data_batch_1`` to ``data_batch_5`` and
        ``test_batch`` for CIFAR-10 and synthetic images; otherwise "train", "val" if there is such a part, and "test".
    classes : tuple of str
        Names of the classes, by class number.
    official : bool
        True if the files are known to be the official ones, byte for byte.
    shape : tuple of int
        Shape of an image.
    """

    x: NDArray[np.uint8]
    y: NDArray[np.int64]
    sizes: dict[str, int]
    classes: tuple[str, ...]
    official: bool
    shape: tuple[int, ...] = IMAGE_SHAPE

    @property
    def splits(self) -> dict[str, Split]:
        """Images and labels by file, as views."""
        ends = np.cumsum(list(self.sizes.values())).tolist()
        rows = {name: slice(end - size, end) for (name, size), end in zip(self.sizes.items(), ends, strict=True)}
        return {name: Split(self.x[own], self.y[own], self.shape) for name, own in rows.items()}

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {size:,}" for name, size in self.sizes.items())
        return in_lines(f"Batches({sizes} samples of shape {self.shape}, {len(self.classes)} classes)")

    def _repr_html_(self) -> str:
        return html_samples(f"Batches: {len(self.y):,} samples", self.splits, self.classes)
