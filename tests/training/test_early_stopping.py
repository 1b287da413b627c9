"""Early stopping: a training ends where the results of a whole one say so, and is that one until then."""

import sys
from collections import Counter

import numpy as np
import pytest
from loops import own
from noise import noise
from numerical import assert_close
from on_backends import on_backends
from terminals import Terminal

import anynet as an
from anynet.data import Dataset

NET = an.Sequential(an.Linear(12, 6), an.BatchNorm(6), an.ReLU(), an.Linear(6, 10))
SETTINGS = {"epochs": 7, "batch_size": 20, "dtype": "float64"}
MEMBERS = [{"seed": 3}, {"seed": 1}, {"seed": 3, "lr": 0.3}, {"seed": 4}]


@pytest.fixture(scope="module")
def data() -> Dataset:
    return noise(12)


def fit(data, here="numpy", **settings):
    return an.fit(NET, data, an.SGD(0.1, momentum=0.8), backend=here, **{"progress": False} | SETTINGS | settings)


def ends(history, patience):
    """The number of epochs that are trained, by counting those without a new best one."""
    best, waited = (-1.0, 0.0), 0
    for row in history:
        now = 0 if row.val_accuracy is None else row.val_accuracy, -row.val_loss
        best, waited = (now, 0) if now > best else (best, waited + 1)
        if waited == patience:
            return row.epoch
    return len(history)


def assert_cut(run, whole, patience):
    """A run has the first epochs of a whole training, up to the one at which patience ends it, and its best one."""
    epochs = ends(whole.history, patience)
    assert_close(
        np.asarray([row[:-1] for row in run.history]), np.asarray([r[:-1] for r in whole.history[:epochs]]), 1e-9
    )
    assert run.stopped_early == (epochs < SETTINGS["epochs"])
    assert (run.dropped, run.interrupted) == (False, False)
    assert (run.last.epoch, run.best.epoch) == (epochs, whole.history[:epochs].best.epoch)
    return epochs


@pytest.mark.parametrize("patience", [1, 2, 4, 7])
def test_one_net_stops(data, patience):
    run, whole = fit(data, patience=patience), fit(data)
    epochs = assert_cut(run, whole, patience)
    np.testing.assert_array_equal(run.last.params, fit(data, epochs=epochs).last.params)  # the rate is constant
    assert not whole.stopped_early


@on_backends("patience", [1, 2], fast={"jax": [], "torch:cpu": [2], "emulated cupy": []})
def test_members_stop_each_alone(data, backend_here, patience):
    """At different epochs, and the others go on."""
    here, seen = own(backend_here), Counter()
    runs = fit(data, here, members=MEMBERS, patience=patience, on_epoch=lambda rows: seen.update(rows.keys()))
    whole = fit(data, here, members=MEMBERS)
    stopped = [assert_cut(run, each, patience) for run, each in zip(runs, whole, strict=True)]
    assert len(set(stopped)) > 1
    assert seen == dict(enumerate(stopped))  # others are not trained to no purpose
    assert len(runs.finished) == 4
    for run, other, epochs in zip(runs, whole, stopped, strict=True):
        shown = np.mean(run.predict_proba(data.val.x).argmax(axis=1) == data.val.y)
        assert shown == run.history.best.val_accuracy
        if epochs == SETTINGS["epochs"]:
            assert_close(here.to_host(run.last.params), here.to_host(other.last.params), 1e-9)


def test_members_that_are_dropped_as_they_stop_and_those_that_diverge(data):
    """The first diverges; the second stops in the epoch in which it is dropped, ahead of the third."""
    members = [{"l2": 0.01, "lr": lambda epoch: 0.1 if epoch < 1 else 1e300}, MEMBERS[2], MEMBERS[0]]
    whole = fit(data, members=members[1:])
    stop = ends(whole[0].history, 2)
    with np.errstate(all="ignore"):
        runs = fit(
            data,
            members=members,
            patience=2,
            on_epoch=lambda rows: [k for k in rows if (k, rows[k].epoch) == (1, stop)],
        )
    assert list(runs.diverged) == [0]
    assert [run.dropped for run in runs] == [False, True, False]
    assert [run.stopped_early for run in runs] == [False, True, True]
    assert [len(run.history) for run in runs] == [1, stop, 6]


@pytest.mark.parametrize("members", [None, MEMBERS], ids=["one", "members"])
def test_the_bar_ends_at_its_total(data, monkeypatch, members):
    bars, module = [], sys.modules["anynet.core.meter"]
    shown = module.progress_bar
    monkeypatch.setattr(module, "progress_bar", lambda **options: bars.append(shown(**options)) or bars[-1])
    monkeypatch.setattr(sys, "stderr", Terminal())
    runs = fit(data, members=members, patience=2, progress=None)
    epochs = sum(len(run.history) for run in (runs if members else [runs]))
    assert bars[0].n == bars[0].total == epochs * 4 * SETTINGS["batch_size"]


def test_all_epochs_are_trained_without_an_improvement_for_less(data):
    run = fit(data, patience=SETTINGS["epochs"])
    assert len(run.history) == SETTINGS["epochs"]
    assert not run.stopped_early


def test_members_share_the_patience(data):
    with pytest.raises(ValueError, match=r"^member 1: patience is the same for all nets that are trained at once"):
        fit(data, members=[{}, {"patience": 3}])


@pytest.mark.parametrize("x_val", [False, True])
def test_numbers_stop_by_their_loss_and_only_with_a_validation_part(rng, x_val):
    x, y = rng.standard_normal((60, 12)), rng.standard_normal((60, 1))
    net, parts = an.Sequential(an.Linear(12, 1)), (x[:40], y[:40], x[40:], y[40:]) if x_val else (x, y)
    settings = {"epochs": 30, "batch_size": 20, "backend": "numpy", "progress": False}
    if not x_val:
        with pytest.raises(ValueError, match=r"^patience: expected .* with a validation part, got none; "):
            an.fit(net, parts, an.SGD(0.1), patience=3, **settings)
        return
    run, whole = (an.fit(net, parts, an.SGD(0.1), patience=patience, **settings) for patience in (3, None))
    epochs = ends(whole.history, 3)
    assert len(run.history) == epochs < 30
    assert run.stopped_early


def test_a_net_that_stopped_is_loaded_as_such(data, tmp_path):
    fit(data, patience=1).save(tmp_path / "net.safetensors")
    assert an.load(tmp_path / "net.safetensors").stopped_early
