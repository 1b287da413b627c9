"""What a classifier learns from: labelled uint8 images, split three ways."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IMAGE_SHAPE = (3, 32, 32)
"""Channels (red, green, blue), rows, columns: how the 3,072 values of a CIFAR-10 image are laid out."""


@dataclass(frozen=True)
class Split:
    """Images with their labels, in the host's memory.

    images: shape (N, 3072), uint8, each row in the order of ``IMAGE_SHAPE``.
    labels: shape (N,), int64, class numbers.

    Raises ValueError where they are of another form.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.images.ndim != 2 or self.images.dtype != np.uint8:
            found = f"{self.images.shape} {self.images.dtype}"
            raise ValueError(f"images: expected shape (N, 3072) and dtype uint8, got {found}")
        if self.labels.shape != self.images.shape[:1] or self.labels.dtype.kind not in "iu":
            found = f"{self.labels.shape} {self.labels.dtype}"
            raise ValueError(f"labels: expected {len(self.images)} integers, one for each image, got {found}")

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Batches:
    """The six files of CIFAR-10, as read.

    images, labels: as in ``Split``, those of one file behind those of another.
    sizes: how many images each file has; the keys are exactly ``data_batch_1`` to ``data_batch_5`` and ``test_batch``.
    classes: the ten class names, by class number.
    official: whether what was read is known to be, byte for byte, what the authors of CIFAR-10 distribute.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    sizes: dict[str, int]
    classes: tuple[str, ...]
    official: bool

    @property
    def splits(self) -> dict[str, Split]:
        """The images and labels by file."""
        ends = np.cumsum(list(self.sizes.values())).tolist()
        rows = {name: slice(end - size, end) for (name, size), end in zip(self.sizes.items(), ends, strict=True)}
        return {name: Split(self.images[own], self.labels[own]) for name, own in rows.items()}
