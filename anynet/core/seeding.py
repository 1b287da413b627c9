"""Random numbers: drawn on the host, so that every array library trains on the same ones."""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What random numbers are for. Each purpose has a stream of its own, so drawing for one never shifts another."""

    INIT = 0
    ORDER = 1
    FLIP = 2
    CROP = 3
    DRAWING = 4
    CHECK = 5
    SEARCH = 6
    REVERSE = 7
    STEP = 8


def generator(seed: int, purpose: Purpose, index: int) -> np.random.Generator:
    """A generator that depends on nothing but its arguments.

    seed: the run's seed, 0 to 2^64 - 1.
    index: which epoch (or, for ``Purpose.INIT``, which parameter) the numbers are for, 0 to 2^32 - 1.

    The bits come from Philox 4x64, whose key the three make up (Salmon et al. 2011, "Parallel random numbers: as easy
    as 1, 2, 3"). Raises ValueError for a seed that is no such number.

    >>> generator(42, Purpose.ORDER, 0).permutation(5)
    array([3, 4, 0, 2, 1])
    """
    check_seed(seed)
    key = np.asarray([seed, purpose << 32 | index], np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def check_seed(seed: int, name: str = "seed") -> None:
    """Raises ValueError for a number that is no seed."""
    if not 0 <= seed < 2**64:
        raise ValueError(f"{name}: expected 0 to 2^64 - 1, got {seed}")
