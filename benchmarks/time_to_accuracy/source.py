"""CIFAR-10's images for libraries that do not read them, as their users usually do."""

import pickle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

HELD_OUT = 5000
"""Training images for choosing recipes: the last of the 50,000."""

MEAN, DEVIATION = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)
"""Means and deviations of the training images' red, green and blue."""


class Images(NamedTuple):
    """Images and classes.

    Attributes
    ----------
    x : array of uint8, shape (N, 3072)
        Channels, rows and columns.
    y : array of int64, shape (N,)
    """

    x: NDArray[np.uint8]
    y: NDArray[np.int64]


class Source(NamedTuple):
    """Files of CIFAR-10 and the choice of images.

    Attributes
    ----------
    folder : str
        With the files of ``cifar-10-batches-py``.
    train : int
        Number of training images, the first ones.
    test : bool
        Measure on the test images; otherwise on `HELD_OUT` training images.
    """

    folder: str
    train: int
    test: bool

    def read(self) -> tuple[Images, Images]:
        """Return the images to train on and those to measure on."""
        batches = [_batch(self.folder, f"data_batch_{i}") for i in range(1, 6)]
        x, y = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        train = Images(x[: self.train], y[: self.train])
        return train, _batch(self.folder, "test_batch") if self.test else Images(x[-HELD_OUT:], y[-HELD_OUT:])


def per_pixel(values: tuple[float, ...]) -> NDArray[np.float32]:
    """Return values of color channels as an array of shape (3072,)."""
    return np.repeat(np.asarray(values, np.float32), 1024)


def _batch(folder: str, name: str) -> Images:
    with Path(folder, name).open("rb") as file:
        content: dict[bytes, Any] = pickle.load(file, encoding="bytes")
    return Images(content[b"data"], np.asarray(content[b"labels"], np.int64))
