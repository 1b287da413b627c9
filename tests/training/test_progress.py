"""Progress on a stream that fails."""

import errno
import io
import sys

import numpy as np
import pytest

import anynet as an
from anynet.data import Dataset, Split


class Gone(io.StringIO):
    """A terminal, until something is written to it."""

    def isatty(self):
        return True

    def write(self, text):
        raise OSError(errno.EPIPE, "Broken pipe")


@pytest.mark.parametrize("stderr", [None, Gone()], ids=["missing", "gone"])
@pytest.mark.parametrize("progress", [None, True, False])
def test_training_goes_on_without_a_bar(monkeypatch, rng, stderr, progress):
    part = Split(rng.integers(0, 256, (20, 12), np.uint8), np.arange(20) % 2)
    data = Dataset("noise", ("a", "b"), part, part, part, False)
    monkeypatch.setattr(sys, "stderr", stderr)
    run = an.fit(
        an.Sequential(an.Linear(12, 2)), data, an.SGD(0.1), epochs=2, batch_size=10, backend="numpy", progress=progress
    )
    assert len(run.history) == 2
