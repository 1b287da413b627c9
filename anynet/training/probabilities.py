"""Probabilities of the classes of images, which are checked."""

import math
from pathlib import Path

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from anynet.backends import Backend
from anynet.core.checks import describe
from anynet.core.typing import Array, Arrays
from anynet.data.dataset import TO_UINT8
from anynet.data.normalization import Normalization
from anynet.nn import Sequential


def probabilities(
    net: Sequential,
    params: Array,
    state: Arrays,
    normalization: Normalization,
    shape: tuple[int, ...],
    images: NDArray[np.uint8],
    backend: Backend,
) -> NDArray[np.floating]:
    """Return the probabilities of the classes: the softmax of the logits.

    Parameters
    ----------
    net : Sequential
    params : array, shape (P,)
    state : dict of arrays
    normalization : Normalization
        On the device, like the two before.
    shape : tuple of int
        Shape of an image.
    images : ndarray of uint8, shape (N, values) or (N, *shape)
    backend : Backend

    Returns
    -------
    ndarray, shape (N, C)

    Raises
    ------
    TypeError, ValueError
        If the images are of another dtype or shape.
    """
    _check_images(images, shape)
    images = images.reshape(len(images), math.prod(shape))
    with backend.matmul_precision(), np.errstate(all="ignore"):  # exp may underflow
        logits, _, _ = net.forward(params, state, normalization(backend.asarray(images)), train=False)
        xp = array_namespace(logits)
        exp = xp.exp(logits - xp.max(logits, axis=-1, keepdims=True))
        return backend.to_host(exp / xp.sum(exp, axis=-1, keepdims=True))


def _check_images(images: NDArray[np.uint8], shape: tuple[int, ...]) -> None:
    values = math.prod(shape)
    several = "" if len(shape) == 1 else f" or (N, {', '.join(map(str, shape))})"
    expected = f"images: expected an ndarray of uint8, shape (N, {values}){several}, values 0 to 255"
    if isinstance(images, str | Path):
        raise TypeError(f"{expected}, got {images!r}; python -m anynet predict NET FILES classifies files of pictures")
    if not isinstance(images, np.ndarray) or isinstance(images, np.matrix | np.ma.MaskedArray):
        raise TypeError(f"{expected}, got {describe(images)}; numpy.asarray makes one")
    if images.dtype.kind == "f":
        undo = f"normalization is the net's own, so undo it: images in 0 .. 1 are {TO_UINT8}"
        raise TypeError(f"{expected}, got {images.dtype}; {undo}")
    if images.dtype != np.uint8:
        raise TypeError(f"{expected}, got {images.dtype}; images.astype(numpy.uint8) if their values are 0 to 255")
    taken = [(values,), shape, *([shape[1:]] if shape[0] == 1 and len(shape) == 3 else [])]
    if images.shape[1:] not in taken:
        one = "; images[None] is a batch of one image" if images.shape in taken else ""
        raise ValueError(f"{expected}, got shape {images.shape}{one}")
