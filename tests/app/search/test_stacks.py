"""Trials that are trained at once, held against the same trials one by one."""

from dataclasses import replace

import optuna
import pytest
from search_worker import BASE

from anynet.app.search import Grid, Range, search, search_stages

pytestmark = pytest.mark.usefixtures("few_pictures", "blank_plots")


def recorded(monkeypatch):
    """The number of trials in each stack, as they are trained."""
    sizes, train = [], search_stages.train_trials

    def record(study, trials, experiments, callbacks):
        sizes.append(len(trials))
        train(study, trials, experiments, callbacks)

    monkeypatch.setattr(search_stages, "train_trials", record)
    return sizes


def assert_same(trials, others):
    for one, other in zip(*(sorted(each, key=lambda t: t.number) for each in (trials, others)), strict=True):
        assert (one.number, one.state, one.settings, one.reason) == (
            other.number, other.state, other.settings, other.reason,
        )  # fmt: skip
        for name in ("best_val_accuracy", "train_accuracy", "val_accuracy", "test_accuracy", "best_epoch"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-6)


def test_three_at_once_are_what_they_are_alone(tmp_path, monkeypatch):
    base = replace(BASE, dtype="float64", norm="none", schedule="constant")
    space = {"lr": Grid((0.001, 0.01, 0.1, 1e300)), "hidden": Grid(("", "10"))}
    sizes = recorded(monkeypatch)
    stacked = search(base, space, tmp_path / "three", stack_size=3, prune=False)
    assert sizes == [3, 1, 3, 1]  # four of each net
    alone = search(base, space, tmp_path / "one", stack_size=1, prune=False)
    assert sizes[4:] == [1] * 8
    assert_same(stacked, alone)
    assert [trial.state for trial in stacked].count("diverged") == 2


def test_seeds_are_stacked_where_the_order_is_one(tmp_path, monkeypatch):
    sizes = recorded(monkeypatch)
    space = {"seed": Grid((1, 2, 3))}
    base = replace(BASE, dtype="float64")
    search(base, space, tmp_path / "orders", stack_size=3)
    assert sizes == [1, 1, 1]
    stacked = search(replace(base, order_seed=5), space, tmp_path / "order", stack_size=3)
    assert sizes[3:] == [3]
    assert_same(stacked, search(replace(base, order_seed=5), space, tmp_path / "alone", stack_size=1))


def test_the_hopeless_are_dropped_from_the_stack(tmp_path):
    base = replace(BASE, batch_size=20, epochs=4, dtype="float64")
    space = {"lr": Grid((0.02, 0.03, 0.04, 0.05, 0.06, 0.05001, 0.07, 1e-9))}
    stacked, alone = (search(base, space, tmp_path / str(n), stack_size=n) for n in (5, 1))
    assert [t.settings["lr"] for t in stacked if t.state == "pruned"][-1] == 1e-9
    (worst,) = (t for t in stacked if t.settings["lr"] == 1e-9)
    (other,) = (t for t in alone if t.settings["lr"] == 1e-9)
    assert_same([worst], [other])
    assert worst.reason == "validation accuracy after epoch 1 below the median of other trials"
    whole = {t.number: t for t in search(base, space, tmp_path / "whole", prune=False)}
    for trial in stacked:
        if trial.state == "finished":
            assert_same([trial], [whole[trial.number]])


def test_a_stack_that_is_stopped_is_made_again(tmp_path, monkeypatch):
    report, folder, space = optuna.Trial.report, tmp_path / "out", {"lr": Range(0.001, 0.1)}

    def stop(self, value, step):
        if step == 2 and self.number == 4:
            raise KeyboardInterrupt
        report(self, value, step)

    with monkeypatch.context() as patch:
        patch.setattr(optuna.Trial, "report", stop)
        with pytest.raises(KeyboardInterrupt):
            search(BASE, space, folder, trials=7, stack_size=3, prune=False)
    assert len((folder / "trials.csv").read_text().splitlines()) == 4
    found = search(BASE, space, folder, trials=7, stack_size=2, prune=False)
    assert sorted(trial.number for trial in found) == list(range(1, 8))
    assert_same(found, search(BASE, space, tmp_path / "new", trials=7, stack_size=3, prune=False))


def test_none_at_once_is_refused(tmp_path):
    with pytest.raises(ValueError, match="stack_size: expected 1 or more, got 0"):
        search(BASE, {"lr": Grid((0.1,))}, tmp_path / "out", stack_size=0)
