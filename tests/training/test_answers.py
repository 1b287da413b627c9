"""Answers of a trained net: labels, probabilities or numbers, in the library and on the device of what it was given."""

from dataclasses import replace

import numpy as np
import pytest
from fake_cupy import put_in_place
from few_features import SOURCES, assert_like, fitted, given

import anynet as an
from anynet.backends import backend, to_numpy
from anynet.data.normalization import Normalization
from anynet.training import predictor


@pytest.mark.parametrize("labels", [(3, 7, -1), (False, True), ("cat", "dog")])
def test_labels_come_back(backend_here, labels):
    run, x = fitted(np.array(labels)[np.arange(30) % len(labels)], backend_here)
    assert run.classes == tuple(sorted(labels))
    chances = run.predict_proba(x)
    expected = np.array(sorted(labels))[chances.argmax(axis=1)]
    x = x.astype("float32")  # JAX has no more without its option
    for source in SOURCES:
        features = given(x, source)
        assert_like(run.predict_proba(features), features, chances)
        found = run.predict(features)
        if isinstance(labels[0], str):
            assert type(found) is np.ndarray
            assert found.tolist() == expected.tolist()
        else:
            assert_like(found, features, expected)
            assert to_numpy(found).dtype.kind == expected.dtype.kind


@pytest.mark.parametrize("shape", [(30,), (30, 2)])
def test_numbers_are_the_outputs(backend_here, shape):
    run, x = fitted(np.random.default_rng(1).normal(size=shape), backend_here)
    params, *normalization = map(backend_here.to_host, (run.best.params, *run.normalization))
    net = run.net(params, {}, Normalization(*normalization)(x.astype("float32"))).reshape(shape)
    for source in SOURCES:
        features = given(x.astype("float32"), source)
        assert_like(run.predict(features), features, net)
    assert run.predict(x[:0]).shape == (0, *net.shape[1:])
    with pytest.raises(ValueError, match=r"^predict_proba: expected a net of classes, got one that predicts numbers"):
        run.predict_proba(x)


def test_an_ensemble_of_numbers_is_the_mean(backend_here):
    runs, x = fitted(np.random.default_rng(1).normal(size=30), backend_here, seeds=[0, 1, 2])
    expected = np.mean([run.predict(x) for run in runs], axis=0)
    np.testing.assert_allclose(runs.ensemble.predict(x), expected, rtol=1e-5)


def test_an_ensemble_names_the_class_of_the_highest_mean_probability():
    runs, x = fitted(np.arange(30) % 3, seeds=range(5))
    chances = np.mean([run.predict_proba(x) for run in runs], axis=0)
    np.testing.assert_allclose(runs.ensemble.predict_proba(x), chances, rtol=1e-5)
    np.testing.assert_array_equal(runs.ensemble.predict(x), chances.argmax(axis=1))


def test_many_samples_are_taken_in_parts(backend_here, monkeypatch):
    run, x = fitted(np.arange(30) % 3, backend_here)
    whole, sizes = replace(run).predict_proba(x), []
    monkeypatch.setattr(predictor, "BLOCK", 12)
    plain = an.Sequential.forward

    def counted(net, params, state, x, **settings):
        sizes.append(x.shape[0])
        return plain(net, params, state, x, **settings)

    monkeypatch.setattr(an.Sequential, "forward", counted)
    np.testing.assert_allclose(run.predict_proba(x), whole, rtol=1e-6)
    assert sizes == [4] * 7 + [2]


def test_probabilities_of_64_bits_are_rounded_for_jax_alone(backend_here):
    """JAX has 32 bits unless it is told otherwise, and its functions round as well."""
    if backend_here.name == "jax":
        pytest.skip("has 64 bits where a net has them")
    run, x = fitted(np.arange(30) % 3, backend_here, dtype="float64")
    x = x.astype("float32")
    expected = run.predict_proba(x)
    assert expected.dtype == np.float64
    assert to_numpy(run.predict_proba(given(x, "torch"))).dtype == np.float64
    config = pytest.importorskip("jax").config
    before = config.jax_enable_x64
    try:
        for wide, dtype in ((False, "float32"), (True, "float64")):
            config.update("jax_enable_x64", wide)
            features = given(x, "jax")
            assert run.predict_proba(features).dtype == dtype
            assert_like(run.predict_proba(features), features, expected)
    finally:
        config.update("jax_enable_x64", before)


@pytest.mark.parametrize("now", [0, 1])
def test_each_gpu_computes_on_its_own_arrays(monkeypatch, now):
    """The net stays on its GPU, the answer is on that of the samples, and the current one stays the current one."""
    fake = put_in_place(monkeypatch, count=2, limit=1 << 30)
    run, x = fitted(np.arange(30) % 3, backend("cupy:0"))
    expected = run.predict_proba(x)
    fake.current, seen = now, set()
    plain = an.Sequential.forward
    monkeypatch.setattr(an.Sequential, "forward", lambda *a, **kw: (seen.add(fake.current), plain(*a, **kw))[1])
    with fake.Device(1):
        features = fake.cupy.asarray(x)
    for answer, right in ((run.predict_proba(features), expected), (run.predict(features), expected.argmax(axis=1))):
        assert answer.device == fake.Device(1)
        np.testing.assert_allclose(answer.get(), right)
    assert (seen, fake.current) == ({0}, now)


@pytest.mark.parametrize(("one", "other"), [("numpy", "torch"), ("torch", "jax"), ("jax", "numpy"), ("torch", "numpy")])
def test_a_net_says_that_its_input_is_of_another_library(one, other):
    net = an.Sequential(an.Linear(3, 2))
    params, state = net.init(0, like=given(np.zeros(1, "float32"), one))
    with pytest.raises(TypeError, match=r"^params is an array of .*, x one of .*: bring both to one library") as error:
        net(params, state, given(np.zeros((4, 3), "float32"), other))
    assert "\n" not in str(error.value)
    assert type(net(params, state, given(np.zeros((4, 3), "float32"), one))) is type(params)


def test_a_net_says_that_its_input_is_on_another_device():
    xp = pytest.importorskip("array_api_strict")
    net = an.Sequential(an.Linear(3, 2))
    params, state = net.init(0, like=xp.zeros(1, dtype=xp.float32))
    with pytest.raises(ValueError, match=r"^params is on device .*, x on .*: bring both to one device") as error:
        net(params, state, xp.zeros((4, 3), dtype=xp.float32, device=xp.Device("device1")))
    assert "\n" not in str(error.value)
