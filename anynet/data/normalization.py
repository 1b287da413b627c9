"""From uint8 pixels to the numbers a net sees."""

from typing import NamedTuple

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from anynet.core.checks import nearest
from anynet.core.typing import A, Array
from anynet.data.dataset import IMAGE_SHAPE

KINDS = ("none", "center", "standardize")


class Normalization(NamedTuple):
    """x = pixel * scale + shift.

    scale, shift: shape (3072,), of the dtype the net computes in, host or device.
    """

    scale: Array
    shift: Array

    def __call__(self, images: A) -> A:
        """images: uint8, shape (N, 3072). Returns shape (N, 3072), of the dtype of ``scale``."""
        return array_namespace(images).astype(images, self.scale.dtype) * self.scale + self.shift


def normalization(kind: str, images: NDArray[np.uint8]) -> Normalization:
    """How to normalise, by the statistics of the training images.

    kind: "none" divides by 255, to [0, 1]; "center" subtracts the mean as well; "standardize" also divides by the
        standard deviation (the biased one; a pixel that never changes is divided by 1). Mean and deviation are taken
        per pixel, or per colour channel with ":channel" behind: "standardize:channel".
    images: the training images, shape (N, 3072).

    Returns a normalisation in float64, on the host. Raises ValueError for another kind.
    """
    check_kind(kind)
    name, _, per = kind.partition(":")
    pixels = images.shape[1]
    if name == "none":
        return Normalization(np.full(pixels, 1 / 255), np.zeros(pixels))
    # Sums of integers are exact: the same statistics whatever the machine.
    total, squares = np.zeros(pixels), np.zeros(pixels)
    for start in range(0, len(images), 250):
        chunk = images[start : start + 250].astype(np.float64)
        total += chunk.sum(axis=0)
        squares += np.einsum("np,np->p", chunk, chunk)
    mean, square = total / len(images), squares / len(images)
    if per == "channel":
        mean, square = (
            np.repeat(s.reshape(IMAGE_SHAPE[0], -1).mean(axis=1), pixels // IMAGE_SHAPE[0]) for s in (mean, square)
        )
    deviation = np.sqrt(np.maximum(square - mean**2, 0)) if name == "standardize" else np.full(pixels, 255.0)
    deviation[deviation == 0] = 255.0
    return Normalization(1 / deviation, -mean / deviation)


def check_kind(kind: str) -> None:
    """Raises ValueError for what ``normalization`` does not know."""
    name, _, per = kind.partition(":")
    if name not in KINDS:
        raise ValueError(f'normalize: there is no "{name}"{nearest(name, KINDS)}')
    if per not in ("", "pixel", "channel"):
        raise ValueError(f'normalize: expected {name}, {name}:pixel or {name}:channel, got "{kind}"')
