"""Data sets of random samples with ten classes."""

import numpy as np

from anynet.data import Dataset, Split


def noise(*shape, train=70):
    """Return random uint8 samples of a shape, 20 of them for validation and as many for the test."""
    rng = np.random.default_rng(1)

    def part(n):
        return Split(rng.integers(0, 256, (n, *shape), np.uint8), rng.integers(0, 10, n))

    return Dataset("noise", tuple("0123456789"), part(train), part(20), part(20))
