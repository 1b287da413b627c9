"""Samples given to a trained net: of the dtype, scale and shape that it was trained on, or refused."""

import math
from pathlib import Path
from typing import Any

from array_api_compat import array_namespace

from anynet.backends.exchange import exported
from anynet.core.checks import describe
from anynet.core.typing import Array, ConcreteArray
from anynet.data.array_like import as_features
from anynet.data.dataset import TO_UINT8
from anynet.data.samples import channels_first

INPUT_DTYPES = ("uint8", "float")
"""Kinds of samples that nets are trained on: uint8 values, or numbers of any other dtype."""


def as_samples(x: Any, shape: tuple[int, ...], input_dtype: str) -> Array:
    """Return samples as a net takes them, an array of shape (N, values).

    Parameters
    ----------
    x : array_like, shape (N, values), (N, *shape), or (N, rows, columns) of gray images
        Array of any library; other values are converted by ``numpy.asarray``.
    shape : tuple of int
        Shape of a sample.
    input_dtype : {"uint8", "float"}
        Kind of the samples that the net was trained on.

    Returns
    -------
    array, shape (N, values)
        In the library and on the device of `x`, a view if it can be one.

    Raises
    ------
    TypeError, ValueError
        If they are of another dtype or shape.
    """
    values, taken = math.prod(shape), [(math.prod(shape),), *([shape] if len(shape) > 1 else [])]
    forms = " or ".join(f"(N, {', '.join(map(str, form))})" for form in taken)
    kind = f"uint8, shape {forms}, values 0 to 255" if input_dtype == "uint8" else f"real numbers, shape {forms}"
    expected = f"x: expected an array of {kind}"
    if x is None or isinstance(x, str | bytes | Path):
        raise TypeError(
            f"{expected}, got {describe(x)}; python -m anynet predict NET FILES classifies files of pictures"
        )
    array = exported(as_features("x", x), "x")
    found, xp = _dtype_name(array), array_namespace(array)
    if input_dtype == "uint8" and found != "uint8":
        if xp.isdtype(array.dtype, "real floating"):
            undo = f"normalization is the net's own, so undo it: images in 0 .. 1 are {TO_UINT8}"
            raise TypeError(f"{expected}, got {found}; {undo}")
        raise TypeError(f"{expected}, got {found}; numpy.asarray(x, numpy.uint8) if the values are 0 to 255")
    if input_dtype == "float" and found == "uint8" and len(shape) == 3:
        raise TypeError(
            f"{expected}, as the net was trained on floats, got uint8; x / 255 if they were 0 to 1, or "
            "numpy.asarray(x, float) if they were 0 to 255"
        )
    if not xp.isdtype(array.dtype, ("bool", "integral", "real floating")):
        raise TypeError(f"{expected}, got {found}")
    got = tuple(array.shape)
    gray = [shape[1:]] if len(shape) == 3 and shape[0] == 1 else []
    if got[1:] not in (*taken, *gray) or not got:
        way = "; x[None] is a batch of one sample" if got in taken else ""
        if len(shape) == 3 and got[1:] == (*shape[1:], shape[0]):
            way = f", with channels last; {channels_first(array)}"
        raise ValueError(f"{expected}, got shape {got}{way}")
    samples: Array = xp.reshape(array, (got[0], values))
    return samples


def _dtype_name(array: ConcreteArray) -> str:
    return str(array.dtype).rpartition(".")[2]
