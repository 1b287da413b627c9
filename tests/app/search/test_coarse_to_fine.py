"""What comes out of a search, and what is refused."""

import csv
import json
from dataclasses import replace

import pytest
from PIL import Image
from search_worker import BASE

from anynet.app.experiment import prepare
from anynet.app.search import Fine, Grid, Range, coarse_to_fine, search, search_stages

pytestmark = pytest.mark.usefixtures("few_pictures")
blank = pytest.mark.usefixtures("blank_plots")


def rows(folder):
    return list(csv.DictReader((folder / "trials.csv").read_text().splitlines()))


@blank
def test_trials_are_trainings_with_their_settings(tmp_path):
    space = {"lr": Grid((0.001, 0.1)), "hidden": Grid(("", "10,5"))}
    trials = search(BASE, space, tmp_path / "out")
    assert {(t.settings["lr"], t.settings["hidden"]) for t in trials} == {
        (0.001, ""), (0.1, ""), (0.001, "10,5"), (0.1, "10,5"),
    }  # fmt: skip
    assert sorted(t.number for t in trials) == [1, 2, 3, 4]
    accuracies = [t.best_val_accuracy for t in trials]
    assert accuracies == sorted(accuracies, reverse=True)
    for trial, row in zip(trials, rows(tmp_path / "out"), strict=True):
        alone = prepare(replace(BASE, **trial.settings)).fit()
        best = alone.history.best
        assert (trial.best_epoch, trial.best_val_accuracy) == (best.epoch, best.val_accuracy)
        assert (trial.train_accuracy, trial.val_accuracy) == (
            alone.history[-1].train_accuracy, alone.history[-1].val_accuracy,
        )  # fmt: skip
        assert trial.test_accuracy == alone.best_test.accuracy
        assert (row["dataset"], row["stage"], row["state"], row["reason"]) == ("synthetic", "coarse", "finished", "")
        assert (float(row["lr"]), row["hidden"]) == (trial.settings["lr"], trial.settings["hidden"])
        assert float(row["best_val_accuracy"]) == trial.best_val_accuracy
        assert float(row["test_accuracy"]) == trial.test_accuracy
        assert float(row["seconds"]) > 0


@pytest.mark.parametrize(
    "space",
    [
        {"lr": Grid((0.01, 1e30))},
        {"lr": Grid((0.01, 0.1)), "l2": Grid((0, 1e-3))},
        {"lr": Grid((0.01, 1e30)), "activation": Grid(("relu", "tanh"))},
        {"lr": Grid((0.01,)), "flip": Grid((True, False)), "hidden": Grid(("", "5"))},
    ],
)
def test_a_picture_whatever_is_searched(tmp_path, space):
    search(replace(BASE, epochs=1, norm="none"), space, tmp_path / "out")
    with Image.open(tmp_path / "out" / "accuracy.png") as picture:
        assert min(picture.size) > 100
    assert not list((tmp_path / "out").glob(".partial*"))


@blank
def test_divergence_is_a_result(tmp_path):
    base = replace(BASE, norm="none", schedule="constant")
    good, bad = search(base, {"lr": Grid((1e30, 0.01))}, tmp_path / "out")
    assert (good.settings["lr"], good.state) == (0.01, "finished")
    assert (bad.settings["lr"], bad.state) == (1e30, "diverged")
    assert "the cost is no longer finite in epoch 1" in bad.reason
    assert bad.best_val_accuracy is bad.test_accuracy is None


@blank
def test_the_hopeless_are_given_up_early(tmp_path):
    lrs = (0.02, 0.03, 0.04, 0.05, 0.06, 1e-9)
    base = replace(BASE, batch_size=20, epochs=4)
    *others, hopeless = search(base, {"lr": Grid(lrs)}, tmp_path / "pruned")
    assert {t.state for t in others} == {"finished"}
    assert (hopeless.settings["lr"], hopeless.state, hopeless.test_accuracy) == (1e-9, "pruned", None)
    assert hopeless.reason == "validation accuracy after epoch 1 below the median of other trials"
    whole = search(base, {"lr": Grid(lrs)}, tmp_path / "whole", prune=False)
    assert {t.state for t in whole} == {"finished"}
    assert [t._replace(seconds=0) for t in whole[:5]] == [t._replace(seconds=0) for t in others]


@blank
def test_a_fine_stage_around_the_best(tmp_path, monkeypatch):
    trained = []

    def record(config, found):
        trained.append(config)
        return prepare(config, found)

    space = {"lr": Range(1e-6, 1.0), "activation": Grid(("relu", "tanh"))}
    fine = Fine(4, best=2, base=replace(BASE, epochs=3, train="300"))
    arguments = {"trials": 6, "fine": fine, "prune": False}
    for module in (coarse_to_fine, search_stages):
        monkeypatch.setattr(module, "prepare", record)
    trials = search(BASE, space, tmp_path / "out", **arguments)
    coarse, finer = ([t for t in trials if t.stage == stage] for stage in ("coarse", "fine"))
    assert (len(coarse), len(finer)) == (6, 4)
    lrs = [t.settings["lr"] for t in sorted(coarse, key=lambda t: -t.best_val_accuracy)[:2]]
    factor = 1.0000001 * 10**0.6  # a tenth of six decades
    assert all(min(lrs) / factor <= t.settings["lr"] <= max(lrs) * factor for t in finer)
    assert [(c.epochs, c.train) for c in trained[-4:]] == [(3, "300")] * 4
    assert {(c.epochs, c.train) for c in trained[-10:-4]} == {(2, "400")}
    kept = json.loads((tmp_path / "out" / "search.json").read_text())
    assert (kept["base"]["epochs"], kept["fine"]["base"]["epochs"], kept["fine"]["base"]["train"]) == (2, 3, "300")
    assert search(BASE, space, tmp_path / "out", **arguments) == trials
    assert len(trained) == 22  # each coarse point looked at once for each stage, then ten trainings


@blank
def test_no_fine_stage_where_all_diverged(tmp_path):
    base = replace(BASE, norm="none", schedule="constant")
    with pytest.raises(ValueError, match=r"fine: expected a coarse trial that finished an epoch.*trials\.csv"):
        search(base, {"lr": Range(1e29, 1e30)}, tmp_path / "out", trials=2, fine=Fine(2))
    assert {row["state"] for row in rows(tmp_path / "out")} == {"diverged"}


@blank
def test_a_search_that_is_done_trains_no_more(tmp_path, monkeypatch):
    space = {"lr": Grid((0.01, 0.1)), "l2": Grid((0, 1e-3))}
    done = search(BASE, space, tmp_path / "out")
    monkeypatch.setattr(search_stages, "train_trials", None)
    elsewhere = replace(BASE, backend="numpy", compile="off", memory_budget=1.0)  # changes no number
    assert search(elsewhere, dict(reversed(space.items())), tmp_path / "out") == done


@blank
def test_another_search_in_the_folder_is_refused(tmp_path):
    wanted = {"base": BASE, "space": {"lr": Range(1e-3, 0.1)}, "folder": tmp_path / "out", "trials": 1, "fine": Fine(1)}
    search(**wanted)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for change, difference in (
        ({"base": replace(BASE, epochs=3)}, "epochs is 2 there and 3 here"),
        ({"space": {"lr": Range(1e-3, 0.2)}}, "space.lr.high is 0.1 there and 0.2 here"),
        ({"space": {"l2": Range(1e-3, 0.1)}}, "space.l2.high is not given there and 0.1 here"),
        ({"fine": Fine(1, margin=0.2)}, "fine.margin is 0.1 there and 0.2 here"),
        ({"fine": Fine(1, base=replace(BASE, epochs=3))}, "fine.epochs is 2 there and 3 here"),
        ({"sampler": "tpe"}, "sampler is 'qmc' there and 'tpe' here"),
        ({"prune": False}, "prune is True there and False here"),
        ({"seed": 7}, "seed is 42 there and 7 here"),
    ):
        with pytest.raises(ValueError, match="out holds another search: ") as refusal:
            search(**(wanted | change))
        assert difference in str(refusal.value)
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_any_other_folder_is_refused(tmp_path):
    (tmp_path / "precious").write_text("!")
    with pytest.raises(
        FileExistsError, match="expected a new folder or that of a search, got precious in it; choose another"
    ):
        search(BASE, {"lr": Grid((0.1,))}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


RANGE = {"lr": Range(0.1, 0.2)}
GRIDS = {name: Grid(tuple(range(1, 11))) for name in ("seed", "batch_size", "epochs", "order_seed", "hidden")}


@pytest.mark.parametrize(
    ("name", "space", "arguments"),
    [
        ("trials", RANGE, {"trials": 100_000}),
        ("fine", RANGE, {"trials": 1, "fine": Fine(100_000)}),
        ("space", GRIDS, {}),
    ],
)
def test_numbers_of_points_have_a_limit(tmp_path, name, space, arguments):
    with pytest.raises(ValueError, match=f"^{name}: expected at most 10,000 points, got 100,000; try fewer$"):
        search(BASE, space, tmp_path / "out", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_points_that_cannot_train_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="expected 1 to 400"):
        search(BASE, {"batch_size": Grid((400, 401))}, tmp_path / "out")
    fine = Fine(2, base=replace(BASE, train="300"))
    with pytest.raises(ValueError, match="expected 1 to 300"):
        search(BASE, {"lr": Range(0.1, 0.2), "batch_size": Grid((350,))}, tmp_path / "out", trials=1, fine=fine)
    assert list(tmp_path.iterdir()) == []
