"""Images for smoke tests, in the files of CIFAR-10: a pattern for each class, in noise."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from anynet.data.cifar.formats import BINARY_COUNT
from anynet.data.dataset import BATCHES

NOISE = 160
"""Number of levels, of 256, that noise has; a pattern has the others."""


@contextmanager
def files(folder: Path | None, *, quick: bool) -> Iterator[str]:
    """Context manager that returns a folder with the files of CIFAR-10: the given one or, in smoke tests, a new one.

    Raises ValueError if there is none, FileNotFoundError if it lacks the files.
    """
    if folder is None and not quick:
        raise ValueError("--folder: expected the folder cifar-10-batches-py, got none")
    with TemporaryDirectory() as made:
        if folder is None:
            write(Path(made))
        found = folder or Path(made)
        if not (found / "test_batch").is_file():
            raise FileNotFoundError(f"--folder: expected the folder cifar-10-batches-py, got {folder}")
        yield str(found.resolve())


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
