"""Predictions of nets of images by the backend's loop, against the plain forward of the net."""

import os
import pickle
from dataclasses import replace
from threading import Event, Thread

import numpy as np
import pytest
from forks import needs_fork, status_in_child
from loops import own
from on_backends import on_backends

import anynet as an
from anynet.data.views import Views
from anynet.training import predictor

SHAPE = (2, 6, 5)
ENDS = {
    "linear": (an.Flatten(), an.Linear(3)),
    "channels": (an.Conv2d(3, 3), an.GlobalPool()),
    "pixels": (an.Conv2d(2, 1), an.Flatten()),
}


def net(end="linear"):
    layers = an.Conv2d(4, 3), an.BatchNorm(), an.ReLU(), an.MaxPool2d(2)
    return an.Sequential(*layers, *ENDS[end], input_shape=SHAPE)


def images(n, dtype="uint8"):
    values = np.random.default_rng(n).integers(0, 256, (n, *SHAPE))
    return values.astype(dtype) if dtype == "uint8" else values.astype(dtype) / 64


def trained(backend, end="linear", dtype="float32", kind="uint8", **settings):
    classes = 3 if end != "pixels" else 12
    settings = {"epochs": 1, "batch_size": 12, "progress": False, "dtype": dtype} | settings
    return an.fit(net(end), (images(24, kind), np.arange(24) % classes), an.SGD(0.05), backend=backend, **settings)


def plain(run, x, tta="none"):
    """Return the probabilities by the net's own forward, of each sample alone."""
    own, like = run.backend, run.params
    params, state = own.to_host(like), {name: own.to_host(array) for name, array in run.best.state.items()}
    scale, shift = (own.to_host(array) for array in run.normalization)
    numpy = type(run.normalization)(scale, shift)

    def outputs(samples):
        return run.net.forward(params, state, numpy(samples), train=False)[0]

    rows = np.asarray(x).reshape(len(x), -1)
    logits = np.concatenate([Views(tta, SHAPE).mean(outputs, rows[i : i + 1]) for i in range(len(rows))])
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exp / exp.sum(axis=1, keepdims=True)


CASES = {"float32 shifted": ("float32", "uint8", "shift"), "float64 floats": ("float64", "float32", "none")}


@on_backends("case", CASES, fast={"torch:cpu": CASES, "jax": ["float32 shifted"], "emulated cupy": ["float64 floats"]})
def test_probabilities_are_those_of_the_plain_forward(backend_here, monkeypatch, case):
    """Predictions are made in blocks of 4 samples, of which the last is filled up."""
    monkeypatch.setattr(predictor, "BLOCK", 4 * 120)
    dtype, kind, tta = CASES[case]
    run, tolerance = trained(own(backend_here), dtype=dtype, kind=kind, tta=tta), 1e-5 if dtype == "float32" else 1e-12
    for n in (1, 4, 11):
        x = images(n, kind)
        np.testing.assert_allclose(run.predict_proba(x), plain(run, x, tta), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("end", ENDS)
def test_nets_may_end_in_any_layer(end):
    run, x = trained("numpy", end), images(9)
    np.testing.assert_allclose(run.predict_proba(x), plain(run, x), rtol=1e-5, atol=1e-6)


def test_steps_are_recorded_unless_the_training_was_plain(monkeypatch):
    calls = []
    own = an.Sequential.forward
    monkeypatch.setattr(an.Sequential, "forward", lambda *args, **how: calls.append(1) or own(*args, **how))
    monkeypatch.setattr(predictor, "BLOCK", 4 * 120)
    for how, expected in (("on", 2), ("off", 6)):  # recorded twice, to see that it is pure, or once for each block
        run = trained("numpy", compile=how)
        calls.clear()
        run.predict(images(24))
        assert len(calls) == expected


def test_probabilities_have_the_same_bits_each_time():
    run, x = trained("numpy"), images(50)
    first = run.predict_proba(x)
    for _ in range(40):  # more than enough to compile the step further
        np.testing.assert_array_equal(run.predict_proba(x), first)


def test_an_ensemble_is_the_mean_of_its_nets():
    runs, x = trained("numpy", seeds=[0, 1]), images(9)
    expected = np.mean([plain(run, x) for run in runs], axis=0)
    np.testing.assert_allclose(runs.ensemble.predict_proba(x), expected, rtol=1e-5, atol=1e-6)


def test_threads_predict_at_the_same_time():
    run, sets = trained("numpy"), [images(n) for n in (64, 63, 62, 61)]
    found = {}

    def predict(k):
        found[k] = [run.predict_proba(sets[k]) for _ in range(20)]

    threads = [Thread(target=predict, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, x in enumerate(sets):
        for each in found[k]:
            np.testing.assert_allclose(each, plain(run, x), rtol=1e-5, atol=1e-6)


@needs_fork
def test_a_child_that_is_forked_during_a_prediction_predicts():
    """It begins with a copy of the lock that the thread would have released."""
    run, x = trained("numpy"), images(5)
    run.predict(x)
    outputs, busy, free = run.predictor._outputs_of[run.net], Event(), Event()
    loop, here = outputs._loop, os.getpid()

    def linger(*args, **how):
        if os.getpid() == here:
            busy.set()
            free.wait(20)
        return loop(*args, **how)

    outputs._loop = linger
    thread = Thread(target=run.predict, args=(x,))
    thread.start()
    assert busy.wait(20)
    try:
        assert status_in_child(lambda: run.predict(x)) == 0
    finally:
        free.set()
        thread.join()


def test_predictors_are_pickled_after_predictions():
    run, x = trained("numpy"), images(5)
    expected = run.predict_proba(x)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(run)).predict_proba(x), expected)
    np.testing.assert_array_equal(replace(run).predict_proba(x), expected)
