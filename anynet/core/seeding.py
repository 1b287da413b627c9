"""Random numbers drawn on the host, the same with every array library."""

from enum import IntEnum

import numpy as np

from anynet.core.checks import whole_number


class Purpose(IntEnum):
    """Purpose of random numbers. Each purpose has a separate stream, so that draws for one never shift another."""

    INIT = 0
    ORDER = 1
    FLIP = 2
    CROP = 3
    DRAWING = 4
    CHECK = 5
    SEARCH = 6
    REVERSE = 7
    STEP = 8
    SPLIT = 9
    CUTOUT = 10


def generator(seed: int, purpose: Purpose, index: int) -> np.random.Generator:
    """Return the generator of a seed, a purpose and an index.

    It is Philox 4x64, and the three arguments are its key.

    Parameters
    ----------
    seed : int
        Seed of the run, 0 to 2^64 - 1.
    purpose : Purpose
        Purpose of the numbers.
    index : int
        Number of the epoch (of the parameter for ``Purpose.INIT``), 0 to 2^32 - 1.

    Returns
    -------
    numpy.random.Generator

    Raises
    ------
    ValueError
        If the seed is out of range.

    References
    ----------
    Salmon, Moraes, Dror, Shaw (2011), Parallel random numbers: as easy as 1, 2, 3.
    https://doi.org/10.1145/2063384.2063405

    Examples
    --------
    >>> generator(42, Purpose.ORDER, 0).permutation(5)
    array([3, 4, 0, 2, 1])
    """
    check_seed(seed)
    key = np.asarray([seed, purpose << 32 | index], np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def check_seed(seed: int, name: str = "seed") -> None:
    """Check that a number is a seed.

    Parameters
    ----------
    seed : int
        Number to check.
    name : str
        Name in the error message.

    Raises
    ------
    TypeError
        If it is no whole number.
    ValueError
        If the number is not in 0 to 2^64 - 1.
    """
    if not 0 <= whole_number(name, seed) < 2**64:
        raise ValueError(f"{name}: expected 0 to 2^64 - 1, got {seed}")
