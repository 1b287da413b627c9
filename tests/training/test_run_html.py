"""Runs, several of them, their histories and what else training makes: short in terminals, tables in notebooks."""

from dataclasses import replace

import numpy as np
import pytest
from noise import noise
from notebooks import shown, table, title

import anynet as an
from anynet.callbacks import LivePlot, TensorBoard
from anynet.core.epoch import Epoch
from anynet.core.history import History
from anynet.training.divergence import DivergedError

NET = an.Sequential(an.Linear(3072, 10))
DEEP = an.Sequential(*[an.Linear(4)] * 9, an.Linear(2), input_shape=4)


@pytest.fixture(scope="module")
def run():
    return an.fit(NET, noise(3, 32, 32), an.SGD(0.01), epochs=3, batch_size=10, seed=0, progress=False)


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(0)
    data = rng.standard_normal((40, 4)), rng.standard_normal((40, 2))
    return an.fit(DEEP, data, an.Adam(0.01), val=0.25, epochs=8, seeds=range(12), progress=False)


def test_a_run_is_one_line_a_table_and_curves(run):
    tree = shown(run)
    accuracy, best = f"{run.test.accuracy:.2%}", f"{run.best_test.accuracy:.2%}"
    assert run.best.epoch < 3
    assert title(tree) == f"Run on {run.dataset}: 3 epochs, test accuracy {accuracy}, best epoch's {best}"
    assert tree.findall("p")[1].text.startswith("Sequential(Linear(3072, 10)), 30,730 parameters; ")
    header, *rows = table(tree)
    assert [row[0].split()[0] for row in rows] == ["1", "2", "3"]
    assert [row[header.index("validation accuracy")] for row in rows] == [
        f"{a:.2%}" for a in run.history["val_accuracy"]
    ]
    assert "training cost" not in header  # without a penalty it is the loss
    assert table(shown(run.history)) == table(tree)
    assert tree.find("img").get("src").startswith("data:image/png;base64,iVBOR")


def test_a_run_is_shown_without_matplotlib_and_without_epochs(run, monkeypatch):
    monkeypatch.setattr("anynet.training.run_html.find_spec", lambda name: None)
    assert shown(run).find("img") is None
    assert shown(History()).find("table") is None
    assert shown(replace(run, history=History(), interrupted=True)).find("table") is None


def test_a_history_shows_its_end_and_the_best_epoch():
    rows = [Epoch(i, 0.1, 2.5, 2.0, 0.5, 3.0, 1.0 + (i != 2), 0.9, i) for i in range(1, 21)]
    header, *cells = table(shown(History(rows)))
    assert [row[0] for row in cells] == ["2 (best)", "16", "17", "18", "19", "20"]
    assert [row[header.index("training cost")] for row in cells] == ["2.5000"] * 6
    bare = [row._replace(train_cost=None, train_loss=None, train_accuracy=None) for row in rows[:4]] + rows[4:5]
    column = table(shown(History(bare)))
    assert [row[column[0].index("training loss")] for row in column[1:]] == ["", "", "", "", "2.0000"]


def test_runs_are_ranked_and_say_what_ended_early(numbers):
    error = DivergedError(2, 3, 4, 0.1)
    runs = replace(numbers, runs=(replace(numbers[0], diverged=error), replace(numbers[1], dropped=True), *numbers[2:]))
    assert repr(runs) == "Runs(12 nets, 'arrays', 1 diverged, 1 dropped)"
    tree = shown(runs)
    header, *rows = table(tree)
    losses = [float(row[header.index("its validation")].removeprefix("loss ")) for row in rows]
    assert losses == sorted(losses)
    assert len(rows) == 10
    assert "0" not in [row[0] for row in rows]
    assert tree.find("table/caption").text == "the best 10 of 12"
    assert shown(runs[:1]).find("img") is None
    assert table(shown(runs[:1]))[1][-1] == "diverged"
    assert table(shown(numbers.ensemble))[0] == header
    assert runs.plot().get_suptitle().endswith("mean and deviation over 10 runs; left out: 1 diverged, 1 dropped")


def test_an_ensemble_says_which_accuracy_is_its_own():
    runs = an.fit(NET, noise(3, 32, 32), an.SGD(0.01), epochs=1, batch_size=10, seeds=range(2), progress=False)
    accuracies = [run.best_test.accuracy for run in runs]
    own = f"mean of the nets' own test accuracy {np.mean(accuracies):.2%} ± {np.std(accuracies, ddof=1):.2%}"
    assert " ".join(repr(runs.ensemble).split()) == f"Ensemble(2 nets, {runs[0].dataset!r}, {own})"
    accuracy = runs.ensemble.test_accuracy
    assert f", test accuracy {accuracy:.2%}, {own}" in " ".join(repr(runs.ensemble).split())
    assert f", test accuracy {accuracy:.2%}, {own}" in title(shown(runs.ensemble))
    assert shown(runs[:0]) is not None


def test_what_else_training_makes_is_short(run, numbers):
    shown(numbers[0])
    text = "Run(Sequential of 10 layers, 'arrays', 8 epochs,\n    best epoch's validation loss "
    assert repr(numbers[0]).startswith(text)
    loader, callbacks = an.data.Loader(run.remembered["test"], run.backend), (LivePlot(), TensorBoard("log"))
    made = run.history[0], run.best, run.predictor, numbers.histories, an.setup(NET, noise(3, 32, 32), an.SGD())
    for each in (*made, loader, run.net.layout, *callbacks):
        lines = repr(each).splitlines()
        assert " object at " not in lines[0]
        assert len(lines) <= 4
        assert max(map(len, lines)) <= 80
