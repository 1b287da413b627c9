"""The plot in a notebook is one picture, which is drawn anew at most once a second."""

import itertools
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from noise import noise

import anynet as an
from anynet.backends.numpy import Numpy
from anynet.callbacks import live_plot
from anynet.core.errors import TrainingWarning

NET = an.Sequential(an.Linear(12, 6), an.ReLU(), an.Linear(6, 10))
DATA = noise(12)


def fit(optimizer=None, **settings):
    more = {"epochs": 6, "batch_size": 20, "progress": False, "backend": "numpy", "callbacks": [live_plot.LivePlot()]}
    return an.fit(NET, DATA, optimizer or an.SGD(0.1), **more | settings)


@pytest.fixture
def shown(monkeypatch):
    """Pictures that a notebook shows in one place, one after another."""
    pictures = []

    def display(first, *, raw, display_id):
        assert raw
        assert display_id
        pictures.append(first)
        return SimpleNamespace(update=pictures.append)

    shell, module, display_module = SimpleNamespace(kernel="here"), ModuleType("IPython"), ModuleType("IPython.display")
    module.get_ipython, display_module.display = lambda: shell, display
    module.version_info = (9, 0)  # Matplotlib looks at it
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", display_module)
    return pictures


def clock(monkeypatch, seconds):
    """Let so many seconds be between two looks at a clock."""
    monkeypatch.setattr(live_plot, "time", SimpleNamespace(monotonic=itertools.count(1, seconds).__next__))


def losses(figure):
    lines = {
        line.get_label(): line.get_ydata() for axes in figure.axes for line in axes.lines if "loss" in axes.get_title()
    }
    return lines["training"]


def test_the_picture_has_the_epochs_until_then(shown, monkeypatch):
    clock(monkeypatch, 0.4)  # at an epoch, after it, and so on: a picture takes 0.4 seconds, and the next is 4 later
    run = fit()
    first, *figures, last = shown
    assert first == {"text/plain": "noise: first epoch"}
    for figure, epochs in zip(figures, (1,), strict=True):
        np.testing.assert_array_equal(losses(figure), run.history["train_loss"][:epochs])
        assert f"epoch {epochs} of 6" in figure.get_suptitle()
    np.testing.assert_array_equal(losses(last), run.history["train_loss"])


def test_members_that_are_behind_are_left_out(shown, monkeypatch):
    monkeypatch.setattr(Numpy, "workers", 1)
    monkeypatch.setattr(live_plot, "SHARE", 1e9)
    clock(monkeypatch, 2)
    runs = fit(seeds=range(3), epochs=3, on_epoch=lambda rows: [k for k in rows if k == 2 and rows[k].epoch == 1])
    _, *figures, last = shown
    titles = [figure.get_suptitle() for figure in figures]
    assert titles == [f"noise: epoch {n} of 3, {nets} of 3 nets" for n, nets in ((1, 3), (2, 3), (3, 2))]
    mean = np.mean([run.history["train_loss"] for run in runs[:2]], axis=0)
    np.testing.assert_allclose(losses(figures[-1]), mean)
    np.testing.assert_array_equal(losses(last), losses(runs.plot()))


def test_it_shows_what_there_is_of_a_training_that_fails(shown, monkeypatch):
    clock(monkeypatch, 0.01)
    with np.errstate(all="ignore"), pytest.raises(an.DivergedError):
        fit(an.SGD(lambda epoch: 0.1 if epoch < 2 else 1e300))
    assert len(losses(shown[-1])) == 2


@pytest.mark.parametrize("shell", [None, SimpleNamespace()], ids=["no IPython", "a terminal"])
def test_elsewhere_a_warning_says_that_there_is_no_place(monkeypatch, shell):
    if shell is None:
        monkeypatch.delitem(sys.modules, "IPython", raising=False)
    else:
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    with pytest.warns(TrainingWarning, match=r"LivePlot draws in notebooks alone; elsewhere result\.plot\(\)"):
        assert len(fit(epochs=1).history) == 1
