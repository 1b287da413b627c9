"""Conversion of uint8 pixels to the floating-point inputs of a net."""

from typing import NamedTuple

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from anynet.core.checks import nearest
from anynet.core.typing import A, Array

KINDS = ("none", "center", "standardize")


class Normalization(NamedTuple):
    """Affine map of pixels, ``pixel * scale + shift``.

    Attributes
    ----------
    scale, shift : array, shape (values,)
        Of the dtype the net computes in, on the host or on the device.
    """

    scale: Array
    shift: Array

    def __call__(self, images: A) -> A:
        """Normalize images.

        Parameters
        ----------
        images : array of uint8, shape (N, values)

        Returns
        -------
        array, shape (N, values)
            Of the dtype of `scale`.
        """
        return array_namespace(images).astype(images, self.scale.dtype) * self.scale + self.shift


def normalization(kind: str, images: NDArray[np.uint8]) -> Normalization:
    """Compute a normalization from the statistics of the training images.

    Parameters
    ----------
    kind : {"none", "center", "standardize"}, optionally followed by ":pixel" or ":channel"
        "none" divides pixels by 255; "center" also subtracts the mean; "standardize" subtracts the mean and divides by
        the standard deviation (the biased one; pixels that never change are divided by 255). Statistics are those of
        each pixel (":pixel", the default) or of each color channel (":channel").
    images : ndarray of uint8, shape (N, values) or (N, channels, rows, columns)
        Training images.

    Returns
    -------
    Normalization
        In float64, on the host, with an entry for each value.

    Raises
    ------
    ValueError
        If `kind` is unknown, or of channels that the images do not have.

    Examples
    --------
    >>> import numpy as np
    >>> normalize = normalization("none", np.zeros((1, 3072), np.uint8))
    >>> float(normalize(np.full((1, 3072), 51, np.uint8))[0, 0])
    0.2
    """
    check_kind(kind)
    name, _, per = kind.partition(":")
    if per == "channel" and images.ndim != 4:
        expected = "images of shape (channels, rows, columns)"
        raise ValueError(
            f"normalize: {kind} needs {expected}, got {images.shape[1:]}; Split(images, labels, shape) "
            "says what shape they have"
        )
    shape, images = images.shape[1:], images.reshape(len(images), -1)
    pixels = images.shape[1]
    if name == "none":
        return Normalization(np.full(pixels, 1 / 255), np.zeros(pixels))
    # Sums of integers are exact in float64, so the statistics are the same on every machine.
    total, squares = np.zeros(pixels), np.zeros(pixels)
    for start in range(0, len(images), 250):
        chunk = images[start : start + 250].astype(np.float64)
        total += chunk.sum(axis=0)
        squares += np.einsum("np,np->p", chunk, chunk)
    mean, square = total / len(images), squares / len(images)
    if per == "channel":
        mean, square = (np.repeat(s.reshape(shape[0], -1).mean(axis=1), pixels // shape[0]) for s in (mean, square))
    deviation = np.sqrt(np.maximum(square - mean**2, 0)) if name == "standardize" else np.full(pixels, 255.0)
    deviation[deviation == 0] = 255.0
    return Normalization(1 / deviation, -mean / deviation)


def check_kind(kind: str) -> None:
    """Check that `normalization` knows a kind.

    Parameters
    ----------
    kind : str

    Raises
    ------
    ValueError
        If it does not; the message names the nearest kinds.
    """
    name, _, per = kind.partition(":")
    if name not in KINDS:
        raise ValueError(f'normalize: there is no "{name}"{nearest(name, KINDS)}')
    if per not in ("", "pixel", "channel"):
        raise ValueError(f'normalize: expected {name}, {name}:pixel or {name}:channel, got "{kind}"')
