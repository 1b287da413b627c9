"""Random numbers for training steps: a counter-based generator in array API operations.

Layers such as dropout need new numbers in every step, the same with every array library, in steps that are recorded
once and run many times. Therefore there is no state: the numbers are a function of a key and a counter. An ``rng`` is
such a key, an array of int32 of shape (..., 2), with members on the leading axes::

    rng = at_step(key(seed), step)              # one per step
    rng = fold(rng, i)                          # one per layer
    mask = uniform(rng, (N, n), x.dtype) < 0.5

For numbers that are drawn once, on the host, see ``anynet.core.seeding``.

References
----------
Salmon, Moraes, Dror, Shaw (2011), Parallel random numbers: as easy as 1, 2, 3, section 3.3.
https://doi.org/10.1145/2063384.2063405
"""

import math

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj
from numpy.typing import NDArray

from anynet.core.seeding import Purpose, generator
from anynet.core.threefry import threefry2x32
from anynet.core.typing import Array, DType


def key(seed: int) -> NDArray[np.int32]:
    """Return the key of a seed.

    Parameters
    ----------
    seed : int
        0 to 2^64 - 1.

    Returns
    -------
    ndarray of int32, shape (2,)
        Drawn from ``generator(seed, Purpose.STEP, 0)``, so that similar seeds have unrelated keys.

    Raises
    ------
    ValueError
        If the seed is out of range.

    Examples
    --------
    >>> key(seed=1)
    array([-830351740, -657228767], dtype=int32)
    """
    return generator(seed, Purpose.STEP, 0).integers(-(2**31), 2**31, 2, np.int32)


def at_step(key: Array, step: Array | int) -> Array:
    """Return the rng of a step: the key with the step added to its second word.

    Parameters
    ----------
    key : array of int32, shape (..., 2)
        Key of each member.
    step : array of integers, shape (...), or int
        Number of the step, 0 to 2^31 - 1.

    Returns
    -------
    array of int32, shape (..., 2)

    Raises
    ------
    TypeError
        If `key` is not an array of int32 of shape (..., 2), or `step` not an integer.
    ValueError
        If an int is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> at_step(np.asarray([7, 8], np.int32), 100)
    array([  7, 108], dtype=int32)
    """
    check_rng(key, "key")
    xp = array_namespace(key)
    if not is_array_api_obj(step) or isinstance(step, np.integer):
        return key + xp.asarray([0, _checked("step", step)], dtype=xp.int32, device=device(key))
    if not xp.isdtype(step.dtype, "integral"):
        raise TypeError(f"step: expected an int or an array of integers, got {step.dtype}")
    second = xp.arange(2, dtype=xp.int32, device=device(key))
    return key + xp.astype(step[..., None], xp.int32) * second


def fold(rng: Array, i: int) -> Array:
    """Return the rng of a stream: `i` added to the first word.

    Parameters
    ----------
    rng : array of int32, shape (..., 2)
        Key of each member.
    i : int
        Number of the stream, 0 to 2^31 - 1. Different streams are independent; stream 0 is `rng`.

    Returns
    -------
    array of int32, shape (..., 2)

    Raises
    ------
    TypeError
        If `i` is not an int.
    ValueError
        If `i` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> fold(np.asarray([7, 8], np.int32), 3)
    array([10,  8], dtype=int32)
    """
    if _checked("i", i) == 0:
        return rng
    xp = array_namespace(rng)
    return rng + xp.asarray([i, 0], dtype=xp.int32, device=device(rng))


def uniform(rng: Array, shape: tuple[int, ...], dtype: DType, rows: tuple[int, int] | None = None) -> Array:
    """Return uniformly distributed numbers in [0, 1).

    The same rng and shape give the same numbers with every array library and dtype: multiples of 2^-24.

    Parameters
    ----------
    rng : array of int32, shape (..., 2)
        Key of each member, which gets the same numbers as it would alone.
    shape : tuple of int
        Shape for one member, with at most 2^32 elements.
    dtype : dtype
        The array library's float32 or float64.
    rows : (int, int), optional
        ``(start, whole)``: the numbers are those of the rows from `start` on of an array that has `whole` rows.

    Returns
    -------
    array of `dtype`, shape (..., *shape)

    Raises
    ------
    TypeError
        If `rng` is not an array of int32 of shape (..., 2), or `dtype` is another.
    ValueError
        If `shape` has a negative number, or `rows` are not in the array.

    Examples
    --------
    >>> import numpy as np
    >>> uniform(key(seed=1), (3,), np.dtype("float32"))
    array([0.23308069, 0.8176126 , 0.149557  ], dtype=float32)
    """
    check_rng(rng)
    xp = array_namespace(rng)
    if isinstance(dtype, str) or dtype not in (xp.float32, xp.float64):  # others do not hold 24 bits
        raise TypeError(f"dtype: expected float32 or float64 of the library of rng, got {dtype!r}")
    if any(size < 0 for size in shape):
        raise ValueError(f"shape: expected no negative numbers, got {tuple(shape)}")
    n = math.prod(shape)
    if rows is None:
        words = _words(rng, 0, (n + 1) // 2)
    else:
        start, whole = rows
        if not 0 <= start <= start + shape[0] <= whole:
            raise ValueError(f"rows: expected {shape[0]} rows within {whole}, got them from {start} on")
        first, half = start * math.prod(shape[1:]), (whole * math.prod(shape[1:]) + 1) // 2
        ahead, behind = _words(rng, first, min(first + n, half)), _words(rng, max(first - half, 0), first + n - half)
        words = (*ahead[:1], *behind[1:])
    numbers = xp.concat([xp.astype((word >> 8) & 0xFFFFFF, dtype) * 2.0**-24 for word in words], axis=-1)
    return xp.reshape(numbers if numbers.shape[-1] == n else numbers[..., :n], (*rng.shape[:-1], *shape))


def _words(rng: Array, first: int, stop: int) -> tuple[Array, Array]:
    """Return the random words of the counters from `first` to `stop` - 1, of none if there are no such."""
    counters = array_namespace(rng).arange(
        first, max(first, stop), dtype=array_namespace(rng).int32, device=device(rng)
    )
    # Slices instead of single elements keep arrays of one axis or more: NumPy warns where its scalars overflow.
    return threefry2x32((rng[..., :1], rng[..., 1:]), (counters, 0))


def check_rng(rng: Array, name: str = "rng") -> None:
    """Check that an object is an rng.

    Parameters
    ----------
    rng : object
        Object to check.
    name : str
        Name in the error message.

    Raises
    ------
    TypeError
        If it is not an array of int32 of shape (..., 2).
    """
    if not is_array_api_obj(rng):
        raise TypeError(f"{name}: expected int32 of shape (..., 2), got {type(rng).__name__}")
    if rng.dtype != array_namespace(rng).int32 or rng.shape[-1:] != (2,):
        raise TypeError(f"{name}: expected int32 of shape (..., 2), got {rng.dtype} of shape {tuple(rng.shape)}")


def _checked(name: str, i: object) -> int:
    if not isinstance(i, int | np.integer):
        raise TypeError(f"{name}: expected an int, got {type(i).__name__}")
    if not 0 <= i < 2**31:
        raise ValueError(f"{name}: expected 0 to 2^31 - 1, got {i}")
    return int(i)
