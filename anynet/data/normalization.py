"""Conversion of pixels and features to the floating-point inputs of a net."""

import math
import warnings
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from anynet.backends import to_numpy
from anynet.core.checks import nearest
from anynet.core.errors import TrainingWarning
from anynet.core.typing import A, Array
from anynet.data.samples import is_uint8

KINDS = ("none", "center", "standardize")
AUTO = "auto"
"""Setting of a training that stands for the usual kind of its net."""
DIGITS = 0.125
"""Rounding error, in deviations of a feature, above which its values are too coarse to learn from without a word."""
ROWS = 250
"""Number of samples whose statistics are summed up at once; float32 has the sum of so many squares of uint8."""


class Normalization(NamedTuple):
    """Affine map of samples, ``x * scale + shift``.

    Attributes
    ----------
    scale, shift : array, shape (values,)
        Of the dtype the net computes in, on the host or on the device.
    """

    scale: Array
    shift: Array

    def __call__(self, x: A) -> A:
        """Normalize samples.

        Parameters
        ----------
        x : array, shape (N, values)

        Returns
        -------
        array, shape (N, values)
            Of the dtype of `scale`.
        """
        return array_namespace(x).astype(x, self.scale.dtype) * self.scale + self.shift


def normalization(kind: str, x: Array, dtype: str = "float64") -> Normalization:
    """Compute a normalization from the statistics of the training samples.

    Parameters
    ----------
    kind : {"none", "center", "standardize"}, optionally followed by ":pixel" or ":channel"
        "none" divides uint8 values, pixels, by 255 and leaves others as they are; "center" subtracts the mean besides;
        "standardize" subtracts the mean and divides by the standard deviation (the biased one; values that never change
        are divided as by "none"). Statistics are those of each value (":pixel", the default) or of each color channel
        (":channel").
    x : array, shape (N, values) or (N, channels, rows, columns)
        Training samples, of any library. Their statistics are computed where they are.
    dtype : {"float32", "float64"}
        Dtype that samples other than uint8 are converted to. Values that do not change in it count as those that never
        change; a warning names features that lose their digits.

    Returns
    -------
    Normalization
        In float64, on the host, with an entry for each value of a sample.

    Raises
    ------
    ValueError
        If `kind` is unknown, or of channels that the samples do not have, or numbers are too large for their squares.

    Examples
    --------
    >>> import numpy as np
    >>> normalize = normalization("none", np.zeros((1, 3072), np.uint8))
    >>> float(normalize(np.full((1, 3072), 51, np.uint8))[0, 0])
    0.2
    >>> normalization("standardize", np.asarray([[1.0], [3.0]]))(np.asarray([[4.0]]))
    array([[2.]])
    """
    check_kind(kind)
    name, _, per = kind.partition(":")
    if per == "channel" and x.ndim != 4:
        expected = "samples of shape (channels, rows, columns)"
        raise ValueError(
            f"normalize: {kind} needs {expected}, got {tuple(x.shape[1:])}; Split(x, y, shape) says what shape they "
            "have"
        )
    values, unit = math.prod(x.shape[1:]), 255.0 if is_uint8(x) else 1.0
    if name == "none":
        return Normalization(np.full(values, 1 / unit), np.zeros(values))
    channels = x.shape[1] if per == "channel" else values
    flat = array_namespace(x).reshape(x, (x.shape[0], values))
    with np.errstate(all="ignore"):
        mean, variance = _mean_and_variance(flat, channels)
    if not np.isfinite(variance if name == "standardize" else mean).all():
        raise ValueError(f"normalize: {kind} squares the samples, and they are too large for that; divide them before")
    deviation = np.sqrt(variance)
    if not is_uint8(x):
        _warn_of_lost_digits(flat, mean, deviation, dtype)
        deviation[deviation < np.maximum(np.finfo(dtype).eps * np.abs(mean), np.finfo(dtype).tiny)] = 0
    if name == "center":
        deviation = np.full(values, unit)
    deviation[deviation == 0] = unit
    return Normalization(1 / deviation, -mean / deviation)


def _mean_and_variance(x: Array, channels: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and biased variance of the values of a channel, for every value: float64, on the host.

    Sums are those of differences from the first sample's values, which keeps the digits of large numbers that vary
    little, and makes the variance of those that never change exactly 0. For uint8 it is of the values themselves: sums
    of integers are exact, of a chunk in float32 and of all in float64, so the statistics are the same on every machine.
    """
    xp, (n, values) = array_namespace(x), x.shape
    pixels = is_uint8(x)
    dtype = xp.float32 if pixels else _widest(xp)

    def repeated(s: NDArray[Any]) -> NDArray[Any]:
        return np.repeat(s, values // channels)

    first = to_numpy(x[:1, ...])[0].astype(np.float64).reshape(channels, -1)[:, 0]
    offset = np.zeros(values) if pixels else repeated(first)
    there = xp.asarray(offset.tolist(), dtype=dtype, device=device(x))
    total, squares = np.zeros(values), np.zeros(values)
    for start in range(0, n, ROWS):
        chunk = xp.astype(x[start : start + ROWS, ...], dtype)
        chunk = chunk if pixels else chunk - there
        total += to_numpy(xp.sum(chunk, axis=0))
        squares += to_numpy(xp.sum(chunk * chunk, axis=0))
    mean, square = (repeated((s / n).reshape(channels, -1).mean(axis=1)) for s in (total, squares))
    return offset + mean, np.maximum(square - mean**2, 0)


def _warn_of_lost_digits(x: Array, mean: NDArray[np.float64], deviation: NDArray[np.float64], dtype: str) -> None:
    """Warn of features that vary by less than eight times what the dtype can tell apart at their size."""
    info = np.finfo(dtype)
    coarse = (deviation > 0) & (np.maximum(info.eps * np.abs(mean), info.tiny) > DIGITS * deviation)
    still = np.flatnonzero(deviation == 0)
    if len(still):  # squares of the smallest numbers are 0
        own = to_numpy(x)[:, still]
        coarse[still] = (own != own[:1]).any(axis=0)
    if coarse.any():
        first, more = int(coarse.argmax()), int(coarse.sum()) - 1
        way = "" if dtype == "float64" else ', or choose dtype="float64"'
        others = f" and {more} more vary" if more else " varies"
        warnings.warn(
            f"x: feature {first}{others} too little for {dtype}, by {deviation[first]:.3g} around {mean[first]:.10g}, "
            f"so digits are lost; subtract the mean or scale small numbers up{way}",
            TrainingWarning,
            stacklevel=3,
        )


def _widest(xp: Any) -> Any:
    """Return float64, or float32 if the library has no other, as JAX unless it is told to."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return xp.zeros(0, dtype=xp.float64).dtype


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
