"""A training that was stopped goes on from its checkpoint and ends with the same bits as one that was not stopped."""

import itertools
import json
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from noise import noise
from on_backends import on_backends
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import anynet as an
from anynet.backends.numpy import Numpy
from anynet.compiler.numpy.target import NumpyTarget
from anynet.core import tensor_file
from anynet.core.errors import FileError
from anynet.training import checkpoints
from anynet.training.checkpoint_files import read_histories
from anynet.training.checkpoint_folder import CheckpointError
from anynet.training.checkpoints import Interval
from anynet.training.description import describe_training
from anynet.training.environment import environment

fit_module = sys.modules["anynet.training.fit"]  # the package has the function of this name
NET = an.Sequential(an.Linear(3072, 12), an.BatchNorm(12), an.ReLU(), an.Linear(12, 10))
IMAGES = an.Sequential(
    *(an.Conv2d(4, 5, stride=4), an.BatchNorm(), an.ReLU(), an.MaxPool2d(2)),
    *(an.Residual(an.Conv2d(6), shortcut=an.Linear(6)), an.GlobalPool(), an.Linear(10)),
)
SETTINGS = {"epochs": 5, "batch_size": 20, "l2": 1e-3, "progress": False}


class StoppedError(Exception):
    """Stands for anything that ends a process."""


DATA = noise(3, 32, 32)


def stopping_after(epochs):
    calls = []

    def on_epoch(rows):
        calls.append(rows)
        if len(calls) > epochs:
            raise StoppedError

    return on_epoch


def fit(optimizer=None, data=DATA, net=NET, **settings):
    return an.fit(net, data, optimizer or an.SGD(0.05, momentum=0.8), **SETTINGS | settings)


def content(run):
    """Everything in a run but times."""
    snapshots = [
        (each.epoch, run.backend.to_host(each.params), {k: run.backend.to_host(v) for k, v in each.state.items()})
        for each in (run.last, run.best)
    ]
    ended = run.interrupted, run.dropped, run.stopped_early
    return [tuple(row)[:-1] for row in run.history], snapshots, run.test, run.best_test, ended


def assert_equal(one, other):
    for a, b in zip(*([runs] if isinstance(runs, an.Run) else runs for runs in (one, other)), strict=True):
        np.testing.assert_equal(content(a), content(b))


GROUPS = {
    **{"0.W": an.Muon(an.schedules.Triangular(1.0, 9), steps=3, keep_norm=True, matrices="all"), "*.gamma": None},
    **{"*.b": an.SGD(0.5, momentum=0.8, weight_decay=0.1, decoupled=False), "*": an.Adam(0.01)},
}
CASES = {
    "one net": {},
    "Adam, augmented, streamed": {"optimizer": an.Adam(0.001), "flip": True, "crop": 2, "memory_budget": 0},
    "AdamW, members": {"optimizer": an.AdamW(0.001), "members": [{"seed": 1}, {"seed": 2, "weight_decay": 0.5}]},
    "RMSprop": {"optimizer": an.RMSprop(0.001, momentum=0.5, centered=True)},
    "Lion": {"optimizer": an.Lion(0.001, weight_decay=0.1)},
    "Muon": {"optimizer": an.Muon(weight_decay=0.1), "net": an.Sequential(*NET[:-1], an.Linear(12, 12), NET[-1])},
    "groups": {
        "optimizer": an.Groups(an.schedules.Exponential(0.1, 0.9), GROUPS),
        **{"members": [{"seed": 1}, {"seed": 2, "lr": 0.2}]},
    },
    "alternating flips, reflected borders, cutout": {
        **{"alternate_flip": True, "crop": 2, "border": "reflect", "cutout": 9, "memory_budget": 0}
    },
    "images": {"net": IMAGES, "crop": 2, "flip": True},
    "members of images": {"net": IMAGES, "seeds": range(2), "memory_budget": 0},
    "averages": {"ema": 0.9},
    "averages of members": {"ema": 0.9, "optimizer": an.Adam(0.001), "seeds": range(2)},
    "Lookahead of members": {"lookahead": "5:0.5", "seeds": range(2)},
    "early stopping": {"patience": 2, "seed": 6},
    "early stopping of members": {"patience": 2, "members": [{"seed": 0}, {"seed": 6}, {"seed": 3}]},
    "members": {"seeds": range(3)},
    "members of many settings": {"members": [{"seed": 1, "lr": 0.1}, {"seed": 2, "l2": 0.1}, {"seed": 3, "lr": 0.2}]},
}


@on_backends("name", CASES, fast={"jax": ["members"], "torch:cpu": ["one net"], "emulated cupy": ["one net"]})
def test_a_resumed_training_ends_with_the_same_bits(backend_here, tmp_path, name):
    settings = CASES[name] | {"backend": backend_here}
    with pytest.raises(StoppedError):
        fit(checkpoint=tmp_path / "kept", on_epoch=stopping_after(2), **settings)
    assert_equal(fit(checkpoint=tmp_path / "kept", resume=True, **settings), fit(**settings))


FEW = ("one net", "groups", "members of images", "early stopping of members")


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name not in FEW)) for name in CASES])
def test_a_finished_training_goes_on_for_more_epochs(tmp_path, name):
    fit(checkpoint=tmp_path, **CASES[name] | {"epochs": 2})
    assert_equal(fit(checkpoint=tmp_path, resume=True, **CASES[name]), fit(**CASES[name]))


def test_steps_that_run_often_are_compiled_at_the_same_step(tmp_path, monkeypatch):
    """Compiled loops round in another way, so a resumed training must not begin with the others again."""
    pytest.importorskip("llvmlite")
    net = an.Sequential(an.Linear(3072, 12), an.Sigmoid(), an.Linear(12, 10))
    monkeypatch.setattr(NumpyTarget, "patience", 20_000)
    expected = fit(net=net)
    assert environment(expected.backend)["versions"]["llvmlite"] == sys.modules["llvmlite"].__version__
    with monkeypatch.context() as not_yet:
        not_yet.delitem(sys.modules, "anynet.compiler.numpy.native")
        assert "llvmlite" not in environment(expected.backend)["versions"]
    monkeypatch.setattr(NumpyTarget, "patience", 1 << 60)
    assert not np.array_equal(fit(net=net).last.params, expected.last.params)
    monkeypatch.setattr(NumpyTarget, "patience", 20_000)
    for stop in range(1, 5):
        folder = tmp_path / str(stop)
        with pytest.raises(StoppedError):
            fit(net=net, checkpoint=folder, on_epoch=stopping_after(stop))
        assert_equal(fit(net=net, checkpoint=folder, resume=True), expected)


def test_random_layers_and_dropped_members_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(Numpy, "workers", 1)  # all in one stack

    def drop(rows):
        return [1] if rows[0].epoch == 2 else []

    def drop_and_stop(rows):
        if rows[0].epoch == 4:
            raise StoppedError
        return drop(rows)

    settings = {"seeds": range(3), "on_epoch": drop}
    with pytest.raises(StoppedError):
        fit(checkpoint=tmp_path, **settings | {"on_epoch": drop_and_stop})
    resumed = fit(checkpoint=tmp_path, resume=True, **settings)
    assert_equal(resumed, fit(**settings))
    assert [run.dropped for run in resumed] == [False, True, False]
    assert [len(run.history) for run in resumed] == [5, 2, 5]


@pytest.mark.parametrize("dropped", [(1,), (0, 2), (0, 1, 2)])
def test_members_dropped_after_the_last_epoch_stay_dropped(tmp_path, dropped, monkeypatch):
    monkeypatch.setattr(Numpy, "workers", 1)  # all in one stack
    settings = {"seeds": range(3), "on_epoch": lambda rows: dropped if rows[min(rows)].epoch == 2 else None}
    last = fit(checkpoint=tmp_path, **settings | {"epochs": 2})
    assert [run.dropped for run in last] == [False] * 3  # they have all epochs
    assert_equal(last, fit(seeds=range(3), epochs=2))
    resumed, whole = fit(checkpoint=tmp_path, resume=True, **settings), fit(**settings)
    assert_equal(resumed, whole)
    assert [len(run.history) for run in resumed] == [2 if k in dropped else 5 for k in range(3)]
    assert [run.dropped for run in resumed] == [k in dropped for k in range(3)]


def test_another_backend_goes_on_up_to_rounding(tmp_path):
    pytest.importorskip("torch")
    fit(checkpoint=tmp_path, dtype="float64", **{"epochs": 2})
    resumed = fit(checkpoint=tmp_path, resume=True, dtype="float64", backend="torch:cpu")
    expected = fit(dtype="float64")
    np.testing.assert_allclose(resumed.history["train_loss"], expected.history["train_loss"], rtol=1e-10)


def test_the_last_two_and_the_best_are_kept(tmp_path):
    run = fit(checkpoint=tmp_path)
    epochs = sorted(int(path.stem.split("-")[1]) for path in tmp_path.glob("*.safetensors"))
    assert epochs == sorted({run.best.epoch, 4, 5})


def test_checkpoints_every_two_epochs(tmp_path):
    with pytest.raises(StoppedError):
        fit(checkpoint=tmp_path, checkpoint_every=2, on_epoch=stopping_after(3))
    assert [path.name for path in tmp_path.glob("*.safetensors")] == ["epoch-000002.safetensors"]
    assert_equal(fit(checkpoint=tmp_path, resume=True), fit())


@pytest.mark.parametrize("every", [0, -1, 1.5, "x", "0s", "s", None, True])
def test_intervals_are_validated(tmp_path, every):
    with pytest.raises(ValueError, match='checkpoint_every: expected a number of epochs, or of seconds, such as "30s"'):
        fit(checkpoint=tmp_path, checkpoint_every=every)
    assert not list(tmp_path.iterdir())


def test_intervals():
    assert Interval.of(3) == (3, 0)
    assert Interval.of("7") == (7, 0)
    assert Interval.of("1.5s") == (0, 1.5)


OTHERS = {
    "batch_size": {"batch_size": 10},
    "seed": {"seed": 1},
    "l2": {"l2": 0.5},
    "ema": {"ema": 0.5},
    "lookahead": {"lookahead": "2:0.5"},
    "patience": {"patience": 3},
    "optimizer": {"optimizer": an.SGD(0.1)},
    "net": {"net": an.Sequential(an.Linear(3072, 10))},
    "data": {"data": noise(3, 32, 32, train=60)},
    "normalize": {"normalize": "center"},
    "loss": {"loss": an.losses.hinge},
    "members": {"seeds": [1, 2]},
    "flip": {"flip": True},
}


@pytest.mark.parametrize("name", OTHERS)
def test_checkpoints_of_another_training_are_refused_by_name(tmp_path, name):
    fit(checkpoint=tmp_path, epochs=1)
    with pytest.raises(CheckpointError, match=rf"its checkpoints are of a training with {name}") as caught:
        fit(checkpoint=tmp_path, resume=True, **OTHERS[name])
    assert isinstance(caught.value, an.Error)
    assert len(str(caught.value).splitlines()) == 1


def test_the_layers_that_differ_are_shown(tmp_path):
    """Also if the text of the net leaves them out, as it has many."""

    def net(*middle):
        layers = [layer for n in (20, 30) for layer in (an.Linear(n), an.BatchNorm(), an.ReLU())]
        return an.Sequential(*layers, *middle, *layers, an.Linear(10), input_shape=3072)

    fit(net=net(an.Linear(9), an.ReLU()), checkpoint=tmp_path, epochs=1)
    for middle, there, here in (
        ((an.Linear(9), an.Tanh()), "layers ...7 ReLU(), 8 L", "7 Tanh(), 8 L"),
        ((an.Linear(9, init=an.Normal()), an.ReLU()), "layers ...6 Linear(30, 9), 7 R", "6 Linear(30, 9, init=N"),
    ):
        message = rf"with {re.escape(there)}.{{,200}}, not \.\.\.{re.escape(here)}"
        with pytest.raises(CheckpointError, match=message):
            fit(net=net(*middle), checkpoint=tmp_path, resume=True)


def without(texts, name):
    return {key: text for key, text in texts.items() if key != name}


def test_checkpoints_from_before_all_layers_were_described_go_on(tmp_path, monkeypatch):
    net = an.Sequential(*[layer for _ in range(5) for layer in (an.Linear(10), an.ReLU())], input_shape=3072)
    whole = fit(net=net, epochs=2, compile="off")
    with monkeypatch.context() as patched:
        patched.setattr(fit_module, "describe_training", lambda *args: without(describe_training(*args), "layers"))
        fit(net=net, checkpoint=tmp_path, epochs=1, compile="off")
    assert_equal(fit(net=net, checkpoint=tmp_path, resume=True, epochs=2, compile="off"), whole)
    assert "layers" not in json.loads((tmp_path / "training.json").read_text())["training"]


@pytest.mark.parametrize(
    ("rate", "text"), [(0.1, "0.1"), (an.schedules.Cosine(0.2, epochs=5), "Cosine(rate=0.2, to the last epoch)")]
)
def test_optimizers_are_described_with_their_own_rate(tmp_path, rate, text):
    fit(an.SGD(an.schedules.Constant(0.05)), checkpoint=tmp_path, epochs=1)
    fit(an.SGD(0.05), checkpoint=tmp_path, resume=True, epochs=1)  # the same
    with pytest.raises(CheckpointError) as caught:
        fit(an.SGD(rate), checkpoint=tmp_path, resume=True)
    settings = "momentum=0.0, nesterov=False"
    both = f"SGD(lr=0.05, {settings}), not SGD(lr={text}, {settings}); a training"
    assert both in str(caught.value)


def test_checkpoints_are_not_written_over(tmp_path):
    fit(checkpoint=tmp_path, epochs=1)
    with pytest.raises(CheckpointError, match=r"expected a new folder, but it holds checkpoints; go on.*resume=True"):
        fit(checkpoint=tmp_path)
    with pytest.raises(ValueError, match="resume: expected checkpoint"):
        fit(resume=True)


def test_fewer_epochs_and_files_are_refused(tmp_path):
    fit(checkpoint=tmp_path / "kept")
    with pytest.raises(CheckpointError, match="training with 5 epochs, not 3; choose as many or more"):
        fit(checkpoint=tmp_path / "kept", resume=True, epochs=3)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(CheckpointError, match="expected a folder for checkpoints, got a file"):
        fit(checkpoint=tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_second_process_is_refused(tmp_path):
    refused = []

    def second(rows):
        if rows.epoch == 2:
            with pytest.raises(CheckpointError, match="another process uses these checkpoints") as caught:
                fit(checkpoint=tmp_path, resume=True)
            refused.append(caught.value)

    fit(checkpoint=tmp_path, on_epoch=second)
    assert len(refused) == 1
    assert_equal(fit(checkpoint=tmp_path, resume=True), fit())  # the first one has ended


DAMAGES = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "empty": lambda path: path.write_bytes(b""),
    "no tensors": lambda path: save_file({}, path, {"format": "1", "state": "{}"}),
    "other format": lambda path: save_file(load_file(path), path, {"format": "9", "state": "{}"}),
    "state is no JSON": lambda path: save_file(load_file(path), path, {"format": "1", "state": "{"}),
    "a tensor less": lambda path: change(path, lambda tensors: tensors.pop("carry.params")),
    "another shape": lambda path: change(path, lambda tensors: tensors.update({"best.0": np.zeros(3, np.float32)})),
    "another dtype": lambda path: change(path, lambda tensors: tensors.update({"carry.step": np.zeros((), np.int64)})),
    "one more": lambda path: change(path, lambda tensors: tensors.update(more=np.zeros(3))),
    "another weight": lambda path: change(path, lambda tensors: np.add.at(tensors["carry.params"], 5, 1e-3)),
    "no digest": lambda path: save_file(load_file(path), path, metadata_of(path, without="sha256")),
}


def metadata_of(path, without=None):
    with safe_open(path, framework="numpy") as file:
        return {key: value for key, value in file.metadata().items() if key != without}


def change(path, edit):
    tensors, metadata = load_file(path), metadata_of(path)
    edit(tensors)
    save_file(tensors, path, metadata)


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_checkpoint_is_named(tmp_path, name):
    fit(checkpoint=tmp_path, epochs=2)
    newest = tmp_path / "epoch-000002.safetensors"
    DAMAGES[name](newest)
    with pytest.raises(FileError) as caught:
        fit(checkpoint=tmp_path, resume=True)
    assert str(newest) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    newest.unlink()  # as the message says
    assert_equal(fit(checkpoint=tmp_path, resume=True), fit())


LIES = {
    "another epoch": {"epoch": 1},
    "no such member": {"places": [1]},
    "a member twice": {"places": [0, 0]},
    "dropped, but there is none": {"dropped": [3]},
    "no history": {"histories": []},
    "a short history": {"histories": [[[1, *[0.5] * 8]]]},
    "an accuracy of 2": {"histories": [[[n, *[0.5] * 3, 2, *[0.5] * 4] for n in (1, 2)]]},
    "text in a history": {"histories": [[[1, *"abcdefgh"], [2, *"abcdefgh"]]]},
    "no divergence": {"diverged": [[1, 2]]},
    "a report of nothing": {"diverged": [[1, 2, 3, 0.5, {"first_not_finite": "x", "try": []}]]},
    "no time": {"seconds": -1},
    "no truth value": {"over": 1},
}


@pytest.mark.parametrize("name", LIES)
def test_a_state_that_lies_is_named(tmp_path, name):
    fit(checkpoint=tmp_path, epochs=2)
    newest = tmp_path / "epoch-000002.safetensors"
    metadata = metadata_of(newest)
    state = json.loads(metadata["state"]) | LIES[name]
    save_file(load_file(newest), newest, metadata | {"state": json.dumps(state)})
    (field,) = LIES[name]
    for read in (lambda: fit(checkpoint=tmp_path, resume=True), lambda: read_histories(tmp_path)):
        with pytest.raises(FileError, match=f"{newest.name}, state: expected that of 1 net after epoch 2, got {field}"):
            read()


DESCRIPTIONS = {
    "format": {"format": 1},
    "epochs": {"epochs": True},
    "epochs less than the newest checkpoint's": {"epochs": 1},
    "training": {"training": {"members": 3}},
    "planned_epochs in another order": {"planned_epochs": [2, 1]},
    "planned_epochs that end elsewhere": {"planned_epochs": [1, 3]},
    "planned_epochs of text": {"planned_epochs": "12"},
    "planned_epochs of none": {"planned_epochs": []},
    "stacks": {"stacks": [[0], [2]]},
    "stacks of another number of members": {"stacks": [[0, 1]]},
    "stacks of text": {"stacks": ["ab", "c"]},
}


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_a_description_that_lies_is_named(tmp_path, name):
    fit(checkpoint=tmp_path, epochs=2, seeds=range(3))
    path = tmp_path / "training.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | DESCRIPTIONS[name]))
    for read in (lambda: fit(checkpoint=tmp_path, resume=True, seeds=range(3)), lambda: read_histories(tmp_path)):
        with pytest.raises(FileError, match=rf"training\.json, {name.split()[0]}: expected"):
            read()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "2"}', '{"format": "1", "training": {}, "stacks": 3}'])
def test_a_damaged_description_is_named(tmp_path, text):
    fit(checkpoint=tmp_path, epochs=1)
    (tmp_path / "training.json").write_text(text)
    with pytest.raises(FileError, match=r"training\.json.*: expected"):
        fit(checkpoint=tmp_path, resume=True)


def test_a_checkpoint_that_cannot_be_written_is_one_warning(tmp_path, monkeypatch):
    def full(path, write):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(tensor_file, "write_whole", full)
    with pytest.warns(UserWarning, match=r"epoch-000001\.safetensors: no checkpoint written.*No space left") as warned:
        run = fit(checkpoint=tmp_path)
    assert len(warned) == 1
    assert_equal(run, fit())


def test_training_goes_on_while_a_checkpoint_is_written(tmp_path, monkeypatch):
    trained = threading.Event()
    write = checkpoints.write_tensors

    def slow_disk(path, *content):
        assert trained.wait(timeout=20) or path.name != "epoch-000001.safetensors"
        write(path, *content)

    monkeypatch.setattr(checkpoints, "write_tensors", slow_disk)
    run = fit(checkpoint=tmp_path, on_epoch=lambda row: trained.set() if row.epoch == 2 else None)
    assert_equal(fit(checkpoint=tmp_path, resume=True), run)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_between_steps_and_keeps_whole_epochs(tmp_path, number):
    """Also far from a checkpoint that is due."""
    handled = []
    before = signal.signal(signal.SIGTERM, lambda *args: handled.append(args))
    try:
        run = fit(
            checkpoint=tmp_path,
            checkpoint_every=100,
            on_epoch=lambda row: signal.raise_signal(number) if row.epoch == 3 else None,
        )
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (run.interrupted, len(run.history)) == (True, 3)
    assert len(handled) == (number == signal.SIGTERM)  # the program's handler is called afterwards
    assert_equal(fit(checkpoint=tmp_path, resume=True), fit())


def test_members_in_two_threads_share_a_folder(tmp_path, monkeypatch):
    """Also on a machine, or a backend, that trains them one after another."""
    settings = {"seeds": range(5), "dtype": "float64"}
    monkeypatch.setattr(Numpy, "workers", 2)
    for i in range(5):
        fit(checkpoint=tmp_path / str(i), **settings | {"epochs": 2})
    expected = fit(**settings)
    assert_equal(fit(checkpoint=tmp_path / "0", resume=True, **settings), expected)
    monkeypatch.setattr(Numpy, "workers", 1)
    for one, other in zip(fit(checkpoint=tmp_path / "1", resume=True, **settings), expected, strict=True):
        np.testing.assert_allclose(one.history["train_loss"], other.history["train_loss"], rtol=1e-9)


def test_a_clock_that_jumps_changes_nothing(tmp_path, monkeypatch):
    hours = itertools.cycle([0, 1e9, -1e6, 3600])
    monkeypatch.setattr(time, "time", lambda: next(hours))
    with pytest.raises(StoppedError):
        fit(checkpoint=tmp_path, checkpoint_every="0.000001s", on_epoch=stopping_after(3))
    assert (tmp_path / "epoch-000003.safetensors").exists()
    assert all(row.seconds > 0 for row in fit(checkpoint=tmp_path, resume=True).history)
    assert_equal(fit(checkpoint=tmp_path, resume=True), fit())


@pytest.mark.parametrize("times", [2, 3, 6])
def test_more_signals_change_nothing(tmp_path, times):
    def stop(row):
        if row.epoch == 2:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    run = fit(checkpoint=tmp_path, on_epoch=stop)
    assert (run.interrupted, len(run.history)) == (True, 2)


def test_checkpoints_of_other_trainings_in_the_folder_are_refused(tmp_path):
    for seed in (1, 2):
        fit(checkpoint=tmp_path / str(seed), seed=seed)
    name = "epoch-000005.safetensors"
    (tmp_path / "2" / name).replace(tmp_path / "1" / name)
    with pytest.raises(FileError, match="expected the checkpoint of stack 0 of"):
        fit(checkpoint=tmp_path / "1", resume=True, seed=1)
    (tmp_path / "2" / "training.json").unlink()
    with pytest.raises(CheckpointError, match=r"expected training\.json beside the checkpoints"):
        fit(checkpoint=tmp_path / "2", seed=2)


def test_a_folder_that_is_gone_is_not_made_again(tmp_path):
    def remove(row):
        if row.epoch == 2:
            (tmp_path / "run").rename(tmp_path / "away")

    (tmp_path / "run").mkdir()
    with pytest.warns(UserWarning, match="no checkpoint written"):
        run = fit(checkpoint=tmp_path / "run" / "checkpoints", on_epoch=remove)
    assert len(run.history) == 5
    assert not (tmp_path / "run").exists()


def test_what_a_killed_process_left_is_removed(tmp_path):
    fit(checkpoint=tmp_path, epochs=1)
    (tmp_path / ".partial-1-2-epoch-000002.safetensors").write_bytes(b"half")
    fit(checkpoint=tmp_path, resume=True)
    assert not list(tmp_path.glob(".partial-*"))


def test_functions_as_schedules_are_compared_by_their_rates(tmp_path):
    fit(an.SGD(lambda epoch: 0.1 * 0.9**epoch), checkpoint=tmp_path, epochs=2)
    resumed = fit(an.SGD(lambda epoch: 0.1 * 0.9**epoch), checkpoint=tmp_path, resume=True)
    assert_equal(resumed, fit(an.SGD(lambda epoch: 0.1 * 0.9**epoch)))
    with pytest.raises(CheckpointError, match="with optimizer"):
        fit(an.SGD(lambda epoch: 0.2 * 0.9**epoch), checkpoint=tmp_path, resume=True)


@pytest.mark.parametrize(
    ("name", "value"), [("checkpoint", ""), ("checkpoint", 3), ("checkpoint", True), ("resume", 1)]
)
def test_arguments_are_checked(tmp_path, monkeypatch, name, value):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TypeError, match=f"{name}: expected"):
        fit(**{"checkpoint": "kept", name: value})
    assert not list(tmp_path.iterdir())


def test_signals_are_left_alone_in_other_threads():
    found = []
    thread = threading.Thread(target=lambda: found.append(fit(epochs=1)))
    thread.start()
    thread.join()
    assert len(found[0].history) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


SCRIPT = """
import os, signal, sys
sys.path[:0] = sys.argv[2:]
import test_checkpoints as t
kill = getattr(signal, sys.argv[1])
t.fit(checkpoint="kept", on_epoch=lambda row: os.kill(os.getpid(), kill) if row.epoch == 2 else None)
print("not reached" if kill != signal.SIGINT else "ended")
"""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), [("SIGKILL", -9), ("SIGTERM", -15), ("SIGINT", 0)])
def test_a_process_that_was_killed_is_resumed(tmp_path, name, code):
    paths = [str(Path(__file__).parent), *filter(None, sys.path)]
    call = [sys.executable, "-c", SCRIPT, name, *paths]
    ended = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == code, ended.stderr
    assert "not reached" not in ended.stdout
    assert json.loads((tmp_path / "kept" / "training.json").read_text())["format"] == "1"
    assert_equal(fit(checkpoint=tmp_path / "kept", resume=True), fit())
