"""Recorded steps on CuPy: kernels as they are written for a GPU, run here on a CPU, give what plain steps give."""

import pytest
from fake_cupy import put_in_place
from loops import recorded
from test_recorded_steps import STEPS, assert_same_on

from anynet.backends import backend


@pytest.fixture
def cupy_here(monkeypatch):
    put_in_place(monkeypatch)
    return backend("cupy")


@pytest.mark.parametrize("name", STEPS)
def test_steps(cupy_here, name):
    assert_same_on(cupy_here, STEPS[name], recorded)
