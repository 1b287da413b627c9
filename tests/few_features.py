"""Nets of three features, trained a little, and samples for them in arrays of any library."""

import array_api_compat
import numpy as np
import pytest

import anynet as an
from anynet.backends import to_numpy
from anynet.data import from_arrays

SOURCES = ("list", "table", "numpy", "torch", "jax", "strict")


class Table:
    """A table of numbers, as of pandas."""

    def __init__(self, host):
        self.host = host

    def __array__(self, dtype=None, copy=None):
        return np.array(self.host, dtype)


def given(host, source):
    """Return values in a library, or in what has no library."""
    if source == "list":
        return host.tolist()
    if source == "table":
        return Table(host)
    if source == "torch":
        return pytest.importorskip("torch").tensor(host)
    if source == "jax":
        return pytest.importorskip("jax").numpy.asarray(host)
    if source == "strict":
        return pytest.importorskip("array_api_strict").asarray(np.array(host))
    return np.array(host)


def assert_like(answer, x, expected):
    """Check values, library and device."""
    if not array_api_compat.is_array_api_obj(x) or array_api_compat.is_numpy_array(x) or "strict" in str(type(x)):
        assert type(answer) is np.ndarray
    else:
        assert type(answer) is type(x)
        assert array_api_compat.device(answer) == array_api_compat.device(x)
    assert to_numpy(answer).shape == expected.shape
    np.testing.assert_allclose(to_numpy(answer), expected, rtol=1e-4, atol=1e-6)


def fitted(y, where="numpy", **settings):
    """Return nets of three features, trained a little, and their data."""
    x = np.random.default_rng(0).normal(size=(len(y), 3))
    data = from_arrays(x, y)
    net = an.Sequential(an.Linear(3, data.n_out))
    how = "auto" if getattr(where, "name", where) == "jax" else "off"
    settings = {"epochs": 2, "batch_size": 5, "compile": how, "backend": where, "progress": False} | settings
    return an.fit(net, data, an.SGD(0.1), **settings), x
