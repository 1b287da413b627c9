"""NVRTC accepts every source that a training of the default net generates: steps, statistics and evaluations.

The fast tests of test_cupy_nets.py compile the training steps of several nets.
"""

import sys

import numpy as np
import pytest
from nvrtc_here import ARCHITECTURES, nvrtc_compile

import anynet as an
from anynet.app.build_net import make_net
from anynet.app.config import Config
from anynet.data import split
from anynet.data.synthetic import draw

OPTIMIZERS = {
    "momentum": {"optimizer": an.SGD(0.02, momentum=0.9), "l2": 3e-3},
    "Adam": {"optimizer": an.Adam(), "l2": 3e-3, "flip": True},
    "members": {"optimizer": an.SGD(0.02, momentum=0.9), "l2": 3e-3, "seeds": range(2)},
}


@pytest.fixture(scope="module")
def data():
    return split("drawn", draw(0, per_batch=100), train=380, val=120)


def sources(data, emulated_cupy, monkeypatch, name):
    """Return the sources of a training of one epoch."""
    cupy, found = sys.modules["cupy"], []

    class Noted(cupy.RawModule):
        def __init__(self, code=None, **kwargs):
            found.append(code)
            super().__init__(code, **kwargs)

    monkeypatch.setattr(cupy, "RawModule", Noted)
    run = an.fit(
        make_net(Config(), (3072,), 10), data, epochs=1, batch_size=100, backend=emulated_cupy, **OPTIMIZERS[name]
    )
    assert np.isfinite([epoch.train_cost for epoch in getattr(run, "runs", [run])[0].history]).all()
    assert len(found) > 2
    return found


@pytest.mark.thorough
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_no_warning(emulated_cupy, monkeypatch, data, name):
    for source in dict.fromkeys(sources(data, emulated_cupy, monkeypatch, name)):
        for architecture in ARCHITECTURES:
            assert nvrtc_compile(source, architecture) == ""
