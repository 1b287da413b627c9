"""`train --log` writes a log into the folder of a run or a sweep, which has what history.csv has."""

import csv

import event_files
import numpy as np
import pytest
from commands import refused, small, train

from anynet.app import cli
from anynet.app.trackers import tracker_names
from anynet.core.history import History

pytest.importorskip("tensorboardX")
pytestmark = pytest.mark.usefixtures("few_pictures", "no_plots")
TINY = ("--hidden", "5", "--train", "100", "--log", "tensorboard")


def assert_logged(folder, log):
    numbers = event_files.read(log).numbers
    for row in History.read_csv(folder / "history.csv"):
        for name, value in row._asdict().items():
            part, _, quantity = name.rpartition("_")
            if name != "epoch":
                assert numbers[f"{quantity}/{part}" if part else name, row.epoch] == [np.float32(value)]
    return numbers


def test_a_run_and_its_resumption_are_logged(tmp_path):
    train(*TINY, "--schedule", "constant")
    numbers = assert_logged(tmp_path / "out", tmp_path / "out" / "tensorboard")
    assert ("accuracy/test", 2) in numbers
    cli.main(["train", "--resume", "out", "--epochs", "3"])  # with the log that it has
    assert ("accuracy/test", 3) in assert_logged(tmp_path / "out", tmp_path / "out" / "tensorboard")


def test_nets_of_a_sweep_are_logged(tmp_path):
    train(*TINY, "--sweep", "lr=0.01,0.1", "--epochs", "1")
    for k, lr in enumerate((0.01, 0.1)):
        log = tmp_path / "out" / "tensorboard" / f"member-{k}"
        assert_logged(tmp_path / "out" / f"member-{k}", log)
        assert event_files.read(log).settings["lr"] == f"Cosine(rate={lr}, to the last epoch)"


@pytest.mark.usefixtures("blank_plots")
def test_trials_of_a_search_are_logged(tmp_path):
    """The second trial has remains of a process that was killed."""
    flags = ["search", "--over", "lr=1e-2..1e-1", "--out", "out", "--epochs", "2", *TINY]
    cli.main([*flags, "--trials", "1"])
    remains = tmp_path / "out" / "tensorboard" / "coarse-2" / "events.out.tfevents.1.here.0000"
    remains.parent.mkdir()
    remains.write_bytes(b"")
    cli.main([*flags, "--trials", "2"])
    rows = list(csv.DictReader((tmp_path / "out" / "trials.csv").read_text().splitlines()))
    assert len(rows) == 2
    for row in rows:
        numbers = event_files.read(tmp_path / "out" / "tensorboard" / f"coarse-{row['number']}").numbers
        best = max(numbers["accuracy/val", epoch][0] for epoch in (1, 2))
        assert best == np.float32(row["best_val_accuracy"])
    assert not remains.exists()


def test_unknown_and_missing_trackers_are_refused_before_anything_is_trained(tmp_path, capsys, monkeypatch):
    unknown = refused(capsys, *small("--log", "tensorboard,mlflow"))
    assert unknown == 'anynet: --log: expected tensorboard, got "mlflow"; docs/examples/trackers has others\n'
    monkeypatch.setattr("anynet.callbacks.tensorboard.find_spec", lambda name: None)
    missing = refused(capsys, *small("--log", "tensorboard"))
    assert missing.startswith("anynet: --log tensorboard: TensorBoard needs tensorboardX; install it with: pip install")
    assert not list(tmp_path.iterdir())


def test_names_are_taken_once():
    assert tracker_names(["tensorboard, tensorboard", "tensorboard"]) == ("tensorboard",)
    assert tracker_names([]) == ()
