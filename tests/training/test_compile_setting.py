"""The setting `compile`: how the steps of training and of evaluation run, for one net and for members."""

import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from array_api_compat import array_namespace
from numerical import assert_close
from on_backends import on_backends

import anynet as an
from anynet.backends.numpy import Numpy
from anynet.compiler import PLAIN
from anynet.data import Dataset, Split

SETTINGS = {"batch_size": 10, "epochs": 2}


@pytest.fixture(scope="module")
def data() -> Dataset:
    images = np.random.default_rng(0).integers(0, 256, (30, 3, 32, 32), dtype=np.uint8)
    split = Split(images, np.arange(30) % 10)
    return Dataset("drawn", tuple("0123456789"), split, split, split)


class Identity(an.Layer):
    def forward(self, params, state, x, *, train):
        return x, None, state

    def backward(self, params, cache, dy):
        return dy, {}


class Counting(Identity):
    """Appends one entry to `calls` in each call: True in training."""

    def __init__(self) -> None:
        self.calls: list[bool] = []

    def forward(self, params, state, x, *, train):
        self.calls.append(train)
        return x, None, state


@dataclass(frozen=True)
class Reading(Identity):
    """Reads a number from its input in evaluation, and in training too unless told otherwise."""

    in_training: bool = True

    def forward(self, params, state, x, *, train):
        if self.in_training or not train:
            assert float(array_namespace(x).max(x)) < 1e9
        return x, None, state


@dataclass(frozen=True)
class Drawing(Identity):
    """Scales its input by a number that it draws itself."""

    def forward(self, params, state, x, *, train):
        return x * (1 + np.random.random()), None, state  # noqa: NPY002


def fit(data, layer, backend="numpy", **settings):
    net = an.Sequential(an.Linear(3072, 10), layer)
    return an.fit(net, data, an.SGD(0.01), backend=backend, **SETTINGS | settings)


WAYS = {"one net": {}, "members": {"seeds": range(3)}, "streamed": {"memory_budget": 0, "crop": 2}}
"""Settings that steps are run with."""

FAST = {"torch:cpu": WAYS, "jax": ["one net"], "emulated cupy": ["members"]}


def several(found):
    """Return the runs of `fit`, which for a single net is one."""
    return list(found) if isinstance(found, an.Runs) else [found]


@on_backends("way", WAYS, FAST)
def test_off_calls_the_layers_in_every_step(data, backend_here, way):
    """Six steps of training; of evaluation, five: two sets after each of two epochs, and the last net, or the best."""
    layer = Counting()
    runs = several(fit(data, layer, backend_here, compile="off", **WAYS[way]))
    times = len(runs) if backend_here.workers > 1 else 1  # in threads, each net by itself
    assert (layer.calls.count(True), layer.calls.count(False)) == (6 * times, 5 * times)
    assert [run.execution for run in runs] == [PLAIN] * len(runs)


@on_backends("way", WAYS, FAST | {"jax": []})
def test_results_are_the_same_however_steps_run(data, backend_here, way):
    off, on, auto = (
        several(fit(data, an.Tanh(), backend_here, dtype="float64", compile=how, **WAYS[way]))
        for how in ("off", "on", "auto")
    )
    for plain, strict, usual in zip(off, on, auto, strict=True):
        expected, *others = (run.backend.to_host(run.params) for run in (plain, strict, usual))
        np.testing.assert_array_equal(*others)
        assert_close(others[0], expected, 1e-12)
        np.testing.assert_allclose(usual.test, plain.test, rtol=1e-12)
        assert usual.execution == strict.execution == backend_here.execution != PLAIN


def test_a_compiled_step_calls_no_layers(data, backend_here):
    layer = Counting()
    fit(data, layer, backend_here, epochs=10)
    assert 1 <= layer.calls.count(True) < 10


REASONS = {Reading(): "read from an array|Concretization", Drawing(): "not a pure function"}


@pytest.mark.parametrize("layer", REASONS, ids=repr)
def test_on_refuses_steps_that_cannot_be_recorded(data, backend_here, layer):
    with pytest.raises(an.CompileError, match=f"^steps cannot be compiled: .*({REASONS[layer]})") as found:
        fit(data, layer, backend_here, compile="on")
    assert "\n" not in str(found.value)


def test_on_refuses_evaluation_too(data, backend_here):
    with pytest.raises(an.CompileError, match="steps cannot be compiled"):
        fit(data, Reading(in_training=False), backend_here, compile="on")


def test_auto_warns_and_off_does_not(data, backend_here):
    with pytest.warns(an.CompileWarning, match="^steps run as plain steps, more slowly: "):
        run = fit(data, Reading(), backend_here)
    assert run.execution == PLAIN
    np.testing.assert_array_equal(
        *(run.backend.to_host(each.params) for each in (run, fit(data, Reading(), backend_here, compile="off")))
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_threads_warn_once_and_raise(data, monkeypatch, workers):
    """Python shows a warning once for each place in the source; here, in training and evaluation by each thread."""
    monkeypatch.setattr(Numpy, "workers", workers)
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("default", an.CompileWarning)
        runs = fit(data, Reading(), seeds=range(4))
    assert [each.category for each in shown] == [an.CompileWarning]
    assert [run.execution for run in runs] == [PLAIN] * 4
    with pytest.raises(an.CompileError, match="a number is read from an array"):
        fit(data, Reading(), seeds=range(4), compile="on")
