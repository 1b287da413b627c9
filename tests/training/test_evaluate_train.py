"""Trainings that evaluate their training samples seldom or never: all else is as if they did after every epoch."""

import math

import numpy as np
import pytest
from loops import own
from noise import noise
from on_backends import on_backends

import anynet as an
from anynet import plots
from anynet.core.epoch import Epoch
from anynet.core.errors import FileError
from anynet.core.history import History, mean_history
from anynet.data import Dataset
from anynet.training.settings import TrainSettings

NET = an.Sequential(an.Linear(12, 6), an.BatchNorm(6), an.ReLU(), an.Linear(6, 10))
OF_TRAINING = ("train_cost", "train_loss", "train_accuracy")
FEW = "every:3"


@pytest.fixture(scope="module")
def data() -> Dataset:
    return noise(12)


def fit(data, here="numpy", net=NET, optimizer=None, **settings):
    fixed = {"progress": False, "epochs": 7, "batch_size": 20, "l2": 0.01}
    return an.fit(net, data, optimizer or an.SGD(0.1, momentum=0.8), backend=here, **fixed | settings)


def without_training(data: Dataset) -> Dataset:
    return Dataset(data.name, data.classes, data.train, None, data.test)


def assert_same_but_unmeasured(run, whole, due):
    """The rows of a whole training, of which those that are not due lack what is measured on training samples."""
    for row, full in zip(run.history, whole.history, strict=True):
        kept = full if row.epoch in due else full._replace(**dict.fromkeys(OF_TRAINING))
        assert row[:-1] == kept[:-1]
    for which in ("last", "best"):
        one, other = getattr(run, which), getattr(whole, which)
        assert one.epoch == other.epoch
        np.testing.assert_array_equal(run.backend.to_host(one.params), whole.backend.to_host(other.params))
    assert (run.test, run.best_test) == (whole.test, whole.best_test)


@on_backends("every", [FEW, "never"], fast={"jax": [], "torch:cpu": [FEW], "emulated cupy": []})
def test_what_is_measured_seldom_is_what_is_measured_always(data, backend_here, every):
    here, due = own(backend_here), {3, 6} if every == FEW else set()
    assert_same_but_unmeasured(fit(data, here, evaluate_train=every), fit(data, here), due)


@pytest.mark.parametrize("every", [FEW, "never"])
def test_members_are_evaluated_alike(data, every):
    members = [{"seed": 3}, {"seed": 1, "lr": 0.3}]
    runs, due = fit(data, members=members, evaluate_train=every), {3, 6} if every == FEW else set()
    for run, whole in zip(runs, fit(data, members=members), strict=True):
        assert_same_but_unmeasured(run, whole, due)
    mean, deviation = runs.histories
    assert mean[2].train_loss == (np.mean([run.history[2].train_loss for run in runs]) if due else None)
    assert mean[0].train_loss is deviation[0].train_loss is None
    assert mean[0].val_loss == pytest.approx(np.mean([run.history[0].val_loss for run in runs]))


@pytest.mark.parametrize("every", [FEW, "never"])
@pytest.mark.parametrize("validated", [True, False])
def test_histories_are_kept(data, every, validated, tmp_path):
    """In the file of the net and as a table, where what was not measured is empty."""
    run = fit(data if validated else without_training(data), evaluate_train=every)
    run.save(tmp_path / "net")
    assert an.load(tmp_path / "net").history == run.history
    run.history.write_csv(tmp_path / "history.csv", "noise")
    assert History.read_csv(tmp_path / "history.csv") == run.history
    rows = (tmp_path / "history.csv").read_text().splitlines()
    assert ("train_loss" in rows[0]) == (every == FEW)
    if every == FEW:
        place = rows[0].split(",").index("train_accuracy")
        cells = [row.split(",")[place] for row in rows[1:]]
        assert [bool(cell) for cell in cells] == [False, False, True, False, False, True, False]
        np.testing.assert_array_equal(np.isnan(run.history["train_loss"]), [not cell for cell in cells])
    else:
        with pytest.raises(KeyError, match='no column "train_loss"; its columns are epoch, lr, '):
            run.history["train_loss"]


@pytest.mark.parametrize("part", OF_TRAINING)
def test_half_a_measurement_is_damage(data, tmp_path, part):
    path = tmp_path / "history.csv"
    fit(data, evaluate_train=FEW).history.write_csv(path, "noise")
    header, *rows = (line.split(",") for line in path.read_text().splitlines())
    rows[2][header.index(part)] = ""
    path.write_text("\n".join(map(",".join, [header, *rows])))
    with pytest.raises(FileError, match=f"line 4, column {part}: expected .*, got nothing"):
        History.read_csv(path)


def test_a_resumed_training_may_measure_more_or_less(data, tmp_path):
    settings = {"checkpoint": tmp_path, "resume": True}
    fit(data, epochs=3, evaluate_train="every:2", **settings)
    run = fit(data, evaluate_train="every:5", **settings)
    assert_same_but_unmeasured(run, fit(data), {2, 5})


def test_early_stopping_goes_by_validation_alone(data):
    run, whole = (fit(data, patience=2, evaluate_train=every) for every in ("never", "every:1"))
    assert run.stopped_early
    assert_same_but_unmeasured(run, whole, set())


@pytest.mark.parametrize("why", ["parameters", "running statistics"])
def test_a_net_that_is_no_longer_finite_is_found_in_its_epoch(data, why):
    """In the last step, whose loss was that of the parameters before."""
    steps = 4
    rate = (lambda t: 1e38 if t > 1 + (steps - 1.5) / steps else 0.01) if why == "parameters" else (lambda t: 0.01)
    net, epoch = NET, 2
    if why == "running statistics":

        class Broken(an.Layer):
            def state(self):
                return {"seen": an.Parameter((1,), an.nn.initializers.Zeros())}

            def forward(self, params, state, x, *, train):
                return x, None, {"seen": state["seen"] + (math.inf if train else 0)}

            def backward(self, params, cache, dy):
                return dy, {}

        net, epoch = an.Sequential(an.Linear(12, 10), Broken()), 1
    with pytest.raises(an.DivergedError) as error:
        fit(data, net=net, optimizer=an.SGD(rate), epochs=epoch, evaluate_train="never")
    assert (error.value.epoch, error.value.step) == (epoch, steps)


@pytest.mark.parametrize("validated", [True, False])
@pytest.mark.parametrize("every", ["every:2", FEW, "never"])
def test_curves_are_drawn_of_what_was_measured(data, every, validated):
    run = fit(data if validated else without_training(data), evaluate_train=every)
    drawn = {
        (axes.get_title().removesuffix(" = cost"), line.get_label()): np.asarray(line.get_xydata())
        for axes in plots.curves(run.history, "noise").axes
        for line in axes.lines
    }
    due = [row.epoch for row in run.history if row.train_loss is not None]
    if due:
        np.testing.assert_array_equal(drawn["loss", "training"][:, 0], due)
        np.testing.assert_array_equal(drawn["loss", "training"][:, 1], [run.history[n - 1].train_loss for n in due])
    if validated:
        np.testing.assert_array_equal(drawn["loss", "validation"][:, 1], run.history["val_loss"])
    groups = {"a": [run.history], "b": [run.history[:2], run.history]}
    assert plots.curves_of_members(groups, "noise").axes


def test_means_of_histories_of_other_lengths_have_what_all_measured():
    rows = [Epoch(n, 0.1, *((1.0, 1.0, 0.5) if n == 3 else (None,) * 3), 2.0, 2.0, 0.2, 1.0) for n in (1, 2, 3)]
    mean = mean_history([History(rows), History(rows[:2])]).mean
    assert mean.columns == ("epoch", "lr", "val_cost", "val_loss", "val_accuracy", "seconds")
    assert mean[1].val_loss == 2.0


@pytest.mark.parametrize("text", ["", "every", "every:", "every:0", "every:-1", "every:1.5", "5", "sometimes", "Never"])
def test_other_texts_are_refused(text):
    expected = 'evaluate_train: expected "every:N" with a number N of epochs, 1 or more, or "never", got '
    with pytest.raises(ValueError, match=expected) as error:
        TrainSettings(evaluate_train=text)
    assert str(error.value).endswith(repr(text))


@pytest.mark.parametrize("value", [3, None, True])
def test_other_values_are_refused(value):
    with pytest.raises(TypeError, match='evaluate_train: expected "every:N", such as "every:5", or "never", got'):
        TrainSettings(evaluate_train=value)
