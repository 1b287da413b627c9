"""Random numbers: drawn on the host, so that every array library trains on the same ones."""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What random numbers are for. Each purpose has a stream of its own, so drawing for one never shifts another."""

    INIT = 0
    ORDER = 1
    FLIP = 2
    CROP = 3


def generator(seed: int, purpose: Purpose, index: int) -> np.random.Generator:
    """A generator that depends on nothing but its arguments.

    seed: the run's seed, at least 0.
    index: which epoch (or, for ``Purpose.INIT``, which parameter) the numbers are for.

    The bits come from Philox 4x64 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").

    >>> generator(42, Purpose.ORDER, 0).permutation(5)
    array([4, 2, 3, 1, 0])
    """
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, got {seed}")
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, purpose, index])))
