"""Data sets in host memory: labeled uint8 images, divided into training, validation and test images."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anynet.core.checks import describe, whole_number
from anynet.core.errors import Error

IMAGE_SHAPE = (3, 32, 32)
"""Shape of a CIFAR-10 image: channels (red, green, blue), rows, columns. Its 3,072 values are stored in this order."""

TRAINING_BATCHES = tuple(f"data_batch_{i}" for i in range(1, 6))
"""Names of CIFAR-10's training files, in the official order."""
TEST_BATCH = "test_batch"
"""Name of CIFAR-10's test file."""
BATCHES = (*TRAINING_BATCHES, TEST_BATCH)
"""Names of all of CIFAR-10's image files."""

TO_UINT8 = "(255 * images).round().astype(numpy.uint8)"
"""Python expression that makes images in 0 to 255 of those in 0 to 1, for error messages."""


class DataError(Error, ValueError):
    """Error for missing, damaged or malformed data. The message names the file and says what to do."""


@dataclass(frozen=True, repr=False)
class Split:
    """Images and their labels.

    Parameters
    ----------
    x : ndarray of uint8, shape (N, channels, rows, columns), (N, rows, columns) or (N, values)
        The attribute has shape (N, values), a view if it can be one.
    y : ndarray of int64, shape (N,)
        Class numbers.
    shape : tuple of int, optional
        Shape of an image whose values are in one axis: (channels, rows, columns). Default: that of `images`, with one
        channel if they have rows and columns alone.

    Raises
    ------
    TypeError
        If they are no ndarrays, or `shape` is no tuple of integers.
    ValueError
        If a shape or a dtype is another.

    Examples
    --------
    >>> import numpy as np
    >>> Split(np.zeros((4, 28, 28), np.uint8), np.asarray([0, 1, 2, 3]))
    Split(4 images of shape (1, 28, 28))
    >>> Split(np.zeros((4, 3072), np.uint8), np.asarray([0, 1, 2, 3]), IMAGE_SHAPE).x.shape
    (4, 3072)
    """

    x: NDArray[np.uint8]
    y: NDArray[np.int64]
    shape: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name, array, dtype, form in (
            ("images", self.x, "uint8", "(N, channels, rows, columns), (N, rows, columns) or (N, values)"),
            ("labels", self.y, "int64", "(N,)"),
        ):
            if not isinstance(array, np.ndarray) or isinstance(array, np.matrix | np.ma.MaskedArray):
                got = f"{describe(array)}; numpy.asarray({name}, numpy.{dtype}) makes one"
                raise TypeError(f"{name}: expected an ndarray of {dtype}, shape {form}, got {got}")
        if not 2 <= self.x.ndim <= 4 or self.x.dtype != np.uint8:
            found = f"{self.x.shape} {self.x.dtype}"
            scale = "; images in 0 .. 1 are " + TO_UINT8 if self.x.dtype.kind == "f" else ""
            expected = "shape (N, channels, rows, columns), (N, rows, columns) or (N, values) and dtype uint8"
            raise ValueError(f"images: expected {expected}, got {found}{scale}")
        if self.y.shape != self.x.shape[:1] or self.y.dtype.kind not in "iu":
            found = f"{self.y.shape} {self.y.dtype}"
            raise ValueError(f"labels: expected {len(self.x)} integers, one for each image, got {found}")
        shape = self._checked_shape()
        object.__setattr__(self, "shape", shape)  # as frozen dataclasses do
        object.__setattr__(self, "x", self.x.reshape(len(self.x), math.prod(shape)))

    def _checked_shape(self) -> tuple[int, ...]:
        own = self.x.shape[1:]
        own = (1, *own) if len(own) == 2 else own
        if not self.shape:
            if len(own) == 3 and own[2] in (1, 3) and own[0] not in (1, 3):
                raise ValueError(
                    f"images: expected (N, channels, rows, columns), got {self.x.shape}, with channels last; "
                    "images.transpose(0, 3, 1, 2) puts them first, and shape says that they are there"
                )
            return own
        if not isinstance(self.shape, tuple):
            raise TypeError(f"shape: expected a tuple, such as (3, 32, 32), got {describe(self.shape)}")
        shape = tuple(whole_number("shape", n) for n in self.shape)
        fits = shape == own if len(own) == 3 else math.prod(shape) == own[0] and len(shape) in (1, 3)
        if not fits or min(shape) < 0:
            expected = f"{own}" if len(own) == 3 else f"(channels, rows, columns) of the {own[0]} values of an image"
            raise ValueError(f"shape: expected {expected}, got {shape}")
        return shape

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        return f"Split({len(self)} images of shape {self.shape})"


def is_picture(shape: tuple[int, ...]) -> bool:
    """Return True if values of this shape are a gray picture or one of red, green and blue."""
    return len(shape) == 3 and shape[0] in (1, 3)


def _check_name(place: str, name: object) -> None:
    """Refuse a name that a file cannot keep, or that would command a terminal."""
    if not isinstance(name, str):
        raise TypeError(f"{place}: expected a text, got {describe(name)}")
    if not name.isprintable():
        raise ValueError(f"{place}: expected printable characters, got {name!r}")


@dataclass(frozen=True, repr=False)
class Dataset:
    """Training, validation and test images of a data set.

    Parameters
    ----------
    name : str
        "cifar10", "synthetic", or a name for your own data.
    classes : tuple of str
        Names of classes 0, 1, ...
    train, val, test : Split
        Images to train on, to choose the best epoch by, and to measure the final accuracy on.
    official : bool
        True if the images are known to be the official CIFAR-10, byte for byte.

    Raises
    ------
    TypeError
        If `train`, `val` or `test` is no `Split`, `classes` is no tuple or list, or a name is no text.
    ValueError
        If a name has characters that cannot be printed.
    """

    name: str
    classes: tuple[str, ...]
    train: Split
    val: Split
    test: Split
    official: bool = False

    def __post_init__(self) -> None:
        _check_name("name", self.name)
        if not isinstance(self.classes, tuple | list):
            raise TypeError(f"classes: expected a tuple of names, got {describe(self.classes)}")
        for k, name in enumerate(self.classes):
            _check_name(f"classes[{k}]", name)
        for name in ("train", "val", "test"):
            if not isinstance(part := getattr(self, name), Split):
                raise TypeError(f"{name}: expected a Split, got {describe(part)}; Split(images, labels) makes one")

    def __repr__(self) -> str:
        return (
            f"Dataset({self.name!r}, {len(self.train):,} training, {len(self.val):,} validation and "
            f"{len(self.test):,} test images of shape {self.train.shape})"
        )


@dataclass(frozen=True)
class Batches:
    """Images of CIFAR-10's six files, or other images divided in the same way.

    Parameters
    ----------
    x, y : ndarray
        As in `Split`; the files one after another.
    sizes : dict of str to int
        Number of images in each file, in order. The keys are ``data_batch_1`` to ``data_batch_5`` and ``test_batch``.
    classes : tuple of str
        Names of the ten classes, by class number.
    official : bool
        True if the files are known to be the official CIFAR-10, byte for byte.
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
