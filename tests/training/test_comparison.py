"""Runs side by side: what differs, means and deviations, and what cannot be compared."""

import numpy as np
import pytest

import anynet as an
from anynet.training import comparison

X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)


def fitted(lr=0.1, y=Y, width=2, **settings):
    data = an.data.from_arrays(X, y, val=0.3)
    net = an.Sequential(an.Linear(3, width))
    settings = {"epochs": 2, "batch_size": 10, "compile": "off", "backend": "numpy", "progress": False} | settings
    return an.fit(net, data, an.SGD(lr), **settings)


def test_only_what_differs_is_shown():
    compared = an.compare({"slow": fitted(0.01), "fast": fitted(0.5, epochs=3)})
    assert compared.differing == {"lr": ("0.01", "0.5"), "epochs": ("2", "3")}
    text = repr(compared)
    for line in text.splitlines():
        assert len(line) <= 80
    assert [line.split()[:3] for line in text.splitlines()[1:4]] == [
        ["run", "lr", "epochs"],
        ["slow", "0.01", "2"],
        ["fast", "0.5", "3"],
    ]
    assert "momentum" not in text


def test_long_values_are_broken_and_whole(monkeypatch):
    monkeypatch.setattr(comparison, "WIDTH", 26)
    compared = an.compare([fitted(an.schedules.Exponential(0.1, gamma)) for gamma in (0.5, 0.75)])
    found = repr(compared).split("\nlr\n")[1]
    assert max(map(len, found.splitlines())) <= 26
    assert "".join(found.split()) == "0:Exponential(rate=0.1,gamma=0.5)1:Exponential(rate=0.1,gamma=0.75)"


def test_members_are_one_row_with_mean_and_deviation():
    runs, alone = fitted(seeds=range(3)), fitted(seed=7)
    several, one = an.compare([runs, alone]).results
    accuracies = [run.history.best.val_accuracy for run in runs]
    assert several.val == (pytest.approx(np.mean(accuracies)), pytest.approx(np.std(accuracies, ddof=1)))
    assert several.members == 3
    assert one.val == (alone.history.best.val_accuracy, 0.0)
    assert one.test is None
    assert [each.name for each in an.compare(runs).results] == ["0", "1", "2"]
    assert an.compare(runs).differing == {"seed": ("0", "1", "2")}


def test_loaded_runs_keep_their_settings(tmp_path):
    run = fitted(0.25)
    run.save(tmp_path / "net.safetensors")
    loaded = an.load(tmp_path / "net.safetensors")
    assert loaded.settings == run.settings
    assert loaded.settings["lr"] == 0.25
    assert an.compare([run, loaded]).differing == {}


def test_loaded_runs_have_the_names_of_their_folders(tmp_path):
    for run, name in ((fitted(0.25), "slow"), (fitted(0.5), "fast"), (fitted(0.75), "other/fast")):
        (tmp_path / name).mkdir(parents=True)
        run.save(tmp_path / name / "model.safetensors")
    slow, fast, other = (an.load(tmp_path / name) for name in ("slow", "fast", "other/fast"))
    assert [*an.compare([slow, run, fast]).groups] == ["slow", "1", "fast"]
    assert [*an.compare([fast, other]).groups] == [f"{tmp_path.name}/fast", "other/fast"]
    assert [*an.compare([fast, fast]).groups] == ["0", "1"]
    (legend,) = an.compare([slow, fast]).plot().legends
    assert {text.get_text() for text in legend.get_texts()} == {"slow: lr 0.25", "fast: lr 0.5"}


def test_members_that_diverged_are_told():
    runs = fitted(members=[{"lr": 0.1, "l2": 0.0}, {"lr": 1e10, "l2": 1e10}], epochs=3)
    assert set(runs.diverged) == {1}
    compared = an.compare(runs)
    assert "diverged" in repr(compared).splitlines()[3]
    assert len(compared.plot().axes) > 1
    with pytest.raises(ValueError, match=r"^plot: expected a run that has finished, got none"):
        an.compare({"only": runs[1]}).plot()


def test_what_cannot_be_compared_is_named():
    run, numbers, three = fitted(), fitted(y=X[:, 0], width=1), fitted(y=Y + (X[:, 1] > 1), width=3)
    for other, got in ((numbers, r"classes \(0, 1\) of a and \(\) of b"), (three, r"classes \(0, 1\) of a and")):
        with pytest.raises(ValueError, match=f"^runs: expected runs of one data set, got {got}.*by themselves$"):
            an.compare({"a": run, "b": other})
    with pytest.raises(TypeError, match=r"^runs, 1: expected a Run or Runs, got 'runs/a'; anynet.load"):
        an.compare([run, "runs/a"])
    with pytest.raises(TypeError, match=r"^runs: expected a list of runs, or a dict of runs by name, got"):
        an.compare(run)
    with pytest.raises(ValueError, match=r"^runs: expected names that differ as texts, got \[5, '5'\]$"):
        an.compare({5: run, "5": run})
    with pytest.raises(ValueError, match=r"^runs: expected one run or more, got none$"):
        an.compare([])
