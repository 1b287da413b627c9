"""Samples and their targets: uint8 images or features of any other kind, in arrays of any library."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_array_api_obj

from anynet.backends import to_library_of, to_numpy
from anynet.backends.exchange import exported, library_of
from anynet.core.array_checks import check_same_device
from anynet.core.checks import describe, store, whole_number
from anynet.core.typing import Array, ConcreteArray
from anynet.data.samples_html import html_samples

COLORS = (1, 3)
"""Numbers of channels of pictures: gray, or red, green and blue."""


@dataclass(frozen=True, repr=False, eq=False)
class Split:
    """Samples and their targets: one part of a data set.

    Parameters
    ----------
    x : array, shape (N, *shape)
        Samples: features or images, of any array library. Images have axes (N, channels, rows, columns), or (N, rows,
        columns) if they are gray. uint8 arrays stay uint8 on the device; other integers, booleans and floating-point
        numbers become floating-point numbers there. The attribute has shape (N, values), a view if it can be one.
    y : array of int, shape (N,), or of floats, shape (N,) or (N, m)
        Class numbers, counted from 0, or numbers to predict. The attribute has shape (N,) or (N, m).
    shape : tuple of int, optional
        Shape of a sample whose values are in one axis, such as (channels, rows, columns). Default: that of `x`, with
        one channel if samples have rows and columns alone.
    weights : array of floats, shape (N,), optional
        Weights of the samples in the loss, 0 or more. Default: all samples count the same.

    Raises
    ------
    TypeError
        If one is no array of numbers, their libraries differ, or `shape` is no tuple of integers.
    ValueError
        If a shape does not fit, or their devices differ.

    Examples
    --------
    >>> import numpy as np
    >>> Split(np.zeros((4, 28, 28), np.uint8), np.asarray([0, 1, 2, 3]))
    Split(4 samples of shape (1, 28, 28))
    >>> Split(np.zeros((4, 3072), np.uint8), np.asarray([0, 1, 2, 3]), (3, 32, 32)).x.shape
    (4, 3072)
    >>> Split(np.zeros((2, 5)), np.asarray([0.5, 1.5])).y.shape
    (2, 1)
    """

    x: ConcreteArray
    y: ConcreteArray
    shape: tuple[int, ...] = ()
    weights: ConcreteArray | None = None

    def __post_init__(self) -> None:
        x = _checked_array("x", self.x, "shape (N, *shape)")
        y = _checked_array("y", self.y, "integers of shape (N,), the class numbers, or floats to predict")
        xp, n = array_namespace(x), x.shape[0] if x.ndim else 0
        if not _is_dtype(x, ("bool", "integral", "real floating")):
            raise TypeError(f"x: expected integers or floating-point numbers, got {x.dtype}")
        if x.ndim < 2:
            one = "; x[:, None] makes one feature of each" if x.ndim else ""
            raise ValueError(
                f"x: expected shape (N, features) or (N, channels, rows, columns), got {tuple(x.shape)}{one}"
            )
        if 0 in x.shape[1:]:
            raise ValueError(f"x: expected a value of each sample at least, got shape {tuple(x.shape)}")
        if not _is_dtype(y, ("integral", "real floating")):
            raise TypeError(
                f"y: expected integers, the class numbers, or floats, got {y.dtype}; from_arrays takes labels of "
                "other kinds"
            )
        if is_numbers(y):
            if y.ndim not in (1, 2) or y.shape[0] != n or 0 in y.shape[1:]:
                raise ValueError(
                    f"y: expected {n} numbers or {n} rows of them, one for each sample, got {tuple(y.shape)}"
                )
            y = array_namespace(y).reshape(y, (n, math.prod(y.shape[1:])))
        elif tuple(y.shape) != (n,):
            raise ValueError(f"y: expected {n} class numbers, one for each sample, got shape {tuple(y.shape)}")
        store(self, "y", as_signed(y))
        store(self, "shape", self._checked_shape())
        store(self, "x", xp.reshape(x, (n, math.prod(self.shape))))
        self._check_weights(n)

    def _checked_shape(self) -> tuple[int, ...]:
        own = tuple(self.x.shape[1:])
        own = (1, *own) if len(own) == 2 else own
        if not self.shape:
            if len(own) == 3 and _has_channels_last(*own):
                raise ValueError(
                    f"x: expected (N, channels, rows, columns), got {tuple(self.x.shape)}, with channels last; "
                    f"{channels_first(self.x)}. For images of {own[2]} columns, give anynet.data.Split shape={own}"
                )
            return own
        if not isinstance(self.shape, tuple):
            raise TypeError(f"shape: expected a tuple, such as (3, 32, 32), got {describe(self.shape)}")
        shape = tuple(whole_number("shape", n) for n in self.shape)
        fits = shape == own if len(own) > 1 else math.prod(shape) == own[0]
        if not fits or min(shape) < 0:
            expected = f"{own}" if len(own) > 1 else f"axes, such as (channels, rows, columns), of {own[0]} values"
            raise ValueError(f"shape: expected {expected}, got {shape}")
        return shape

    def _check_weights(self, n: int) -> None:
        if self.weights is None:
            return
        store(self, "weights", _checked_array("weights", self.weights, "floats of shape (N,)"))
        check_same_device(y=self.y, weights=self.weights)
        if not is_numbers(self.weights):
            raise TypeError(f"weights: expected floating-point numbers, got {self.weights.dtype}")
        if self.weights.shape != (n,):
            raise ValueError(f"weights: expected {n}, one for each sample, got shape {tuple(self.weights.shape)}")

    def __len__(self) -> int:
        return int(self.x.shape[0])

    def __repr__(self) -> str:
        return f"Split({len(self)} samples of shape {self.shape})"

    def _repr_html_(self) -> str:
        return html_samples(f"Split: {len(self):,} samples", {"all": self})


def is_numbers(array: Array) -> bool:
    """Return True for an array of floating-point numbers: as targets they are predicted, where integers are classes."""
    xp = array_namespace(array)
    return bool(xp.isdtype(array.dtype, "real floating"))


def as_signed(y: ConcreteArray) -> ConcreteArray:
    """Return unsigned integers, for which not every library has all functions, as int64; others as they are."""
    few = array_namespace(y).isdtype(y.dtype, "unsigned integer") and not is_uint8(y)
    return to_library_of(to_numpy(y).astype(np.int64), y) if few and not isinstance(y, np.ndarray) else y


def is_uint8(array: Array) -> bool:
    """Return True for an array of uint8, which samples stay on the device."""
    xp = array_namespace(array)
    return bool(xp.isdtype(array.dtype, xp.uint8))


def is_picture(shape: tuple[int, ...]) -> bool:
    """Return True if values of this shape are a gray picture or one of red, green and blue."""
    return len(shape) == 3 and shape[0] in COLORS


def channels_first(x: Array) -> str:
    """Return the end of an error message about images whose channels are last."""
    return f"x.{'permute' if library_of(x) == 'torch' else 'transpose'}(0, 3, 1, 2) puts them first"


def _has_channels_last(rows: int, columns: int, channels: int) -> bool:
    """Return True for shapes that are much more likely than (channels, rows, columns), such as of RGBA images."""
    return (channels in COLORS and rows not in COLORS) or (channels in (2, 4) and rows == columns > channels)


def _checked_array(name: str, value: Any, form: str) -> ConcreteArray:
    """Return an array that has values, without autograd history; in NumPy if its library is no backend."""
    if not is_array_api_obj(value) or isinstance(value, np.matrix | np.ma.MaskedArray | np.generic):
        made = f"numpy.asarray({name}) makes one, and anynet.data.from_arrays takes lists and tables"
        raise TypeError(f"{name}: expected an array, {form}, got {describe(value)}; {made}")
    return value if library_of(value) == "numpy" else exported(value, name)


def _is_dtype(array: ConcreteArray, kinds: tuple[str, ...]) -> bool:
    """Return True for one of these kinds of dtypes, if the library computes with it: none does with 8-bit floats."""
    xp = array_namespace(array)
    try:
        floats = bool(xp.isdtype(array.dtype, "real floating"))
        return bool(xp.isdtype(array.dtype, kinds)) and (not floats or xp.finfo(array.dtype).bits > 8)
    except TypeError:  # NumPy has dtypes of other packages, which are none of its own
        return False
