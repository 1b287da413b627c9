"""Images for smoke tests, in the files of CIFAR-10: a pattern for each class, in noise."""

import pickle
from pathlib import Path

import numpy as np

from anynet.data.cifar.formats import BINARY_COUNT
from anynet.data.dataset import BATCHES

NOISE = 160
"""Number of levels, of 256, that noise has; a pattern has the others."""


def write(folder: Path) -> None:
    """Write the files of ``cifar-10-batches-py``."""
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 256 - NOISE, (10, 3072), np.uint8)
    for name in BATCHES:
        labels = rng.integers(0, 10, BINARY_COUNT)
        images = rng.integers(0, NOISE, (BINARY_COUNT, 3072), np.uint8)
        images += patterns[labels]
        (folder / name).write_bytes(pickle.dumps({b"data": images, b"labels": labels.tolist()}, protocol=2))
    names = {b"label_names": list(b"0123456789".decode()), b"num_cases_per_batch": BINARY_COUNT}
    (folder / "batches.meta").write_bytes(pickle.dumps(names, protocol=2))
