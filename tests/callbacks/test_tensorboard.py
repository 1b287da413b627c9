"""The log for TensorBoard has every number of a history once, also if the training was killed and went on."""

import errno
import sys

import event_files
import numpy as np
import pytest
from noise import noise

import anynet as an
from anynet.callbacks import TensorBoard
from anynet.core.errors import FileError, TrainingWarning

writer = pytest.importorskip("tensorboardX.event_file_writer")

NET = an.Sequential(an.Linear(12, 6), an.ReLU(), an.Linear(6, 10))
DATA = noise(12)
SETTINGS = {"epochs": 4, "batch_size": 20, "progress": False, "backend": "numpy"}


def fit(folder, data=DATA, net=NET, names=None, **settings):
    return an.fit(
        net, data, an.SGD(0.1, momentum=0.5), callbacks=[TensorBoard(folder, names=names)], **SETTINGS | settings
    )


def assert_logged(folder, run):
    numbers = event_files.read(folder).numbers
    assert numbers == {key: [value] for key, value in event_files.expected(run).items()}
    return numbers


def test_the_log_has_every_number_and_setting(tmp_path):
    run = fit(tmp_path / "log", l2=0.01, evaluate_train="every:2")
    numbers = assert_logged(tmp_path / "log", run)
    assert numbers["loss/val", 3] == [np.float32(run.history[2].val_loss)]
    assert numbers["accuracy/test of best epoch", 4] == [np.float32(run.best_test.accuracy)]
    assert ("cost/train", 1) not in numbers
    log = event_files.read(tmp_path / "log")
    assert {"optimizer": "SGD", "lr": 0.1, "momentum": 0.5, "l2": 0.01, "flip": False}.items() <= log.settings.items()
    assert "| l2 | 0.01 |\n" in log.texts["settings"]
    assert "| data | noise: 70 train, 20 val, 20 test |\n" in log.texts["settings"]
    assert f"    {NET.summary().splitlines()[-1]}\n" in log.texts["net"]


def test_numbers_to_predict_have_no_accuracy(tmp_path, rng):
    x = rng.normal(size=(40, 3))
    run = fit(tmp_path, (x, x[:, 0]), an.Sequential(an.Linear(3, 1)), val=0.25)
    assert {tag for tag, _ in assert_logged(tmp_path, run)} == {
        *(f"{quantity}/{part}" for quantity in ("cost", "loss") for part in ("train", "val")),
        *("lr", "seconds"),
    }


def test_members_are_runs_of_their_own(tmp_path):
    runs = fit(tmp_path, members=[{"seed": 1}, {"seed": 2, "lr": 0.5}])
    for k, run in enumerate(runs):
        assert_logged(tmp_path / f"member-{k}", run)
        assert event_files.read(tmp_path / f"member-{k}").settings["lr"] == (0.1, 0.5)[k]
    fit(tmp_path, seeds=[3], names=["third"])
    assert (tmp_path / "third").is_dir()
    with pytest.raises(ValueError, match="names: expected one for each of the 2 members, got 1"):
        fit(tmp_path, seeds=[3, 4], names=["fourth"])


class KilledError(Exception):
    """Stands for what ends a process."""


@pytest.mark.parametrize("after", [1, 3])
def test_a_killed_training_goes_on_without_doubled_steps(tmp_path, after):
    """The epoch in which it is killed is in the log, not in the checkpoints."""

    def kill(row):
        if row.epoch == after:
            raise KilledError

    log, kept = tmp_path / "log", tmp_path / "kept"
    with pytest.raises(KilledError):
        fit(log, checkpoint=kept, on_epoch=kill)
    assert ("loss/val", after) in event_files.read(log).numbers
    assert not event_files.read(log).ends
    assert_logged(log, fit(log, checkpoint=kept, resume=True))
    assert_logged(log, fit(log, checkpoint=kept, resume=True))  # finished: tested once more
    longer = fit(log, checkpoint=kept, resume=True, epochs=6)
    tested = [key for key in event_files.read(log).numbers if "/test" in key[0]]
    assert {step for _, step in tested} == {*event_files.read(log).ends} == {6}
    assert_logged(log, longer)
    assert_logged(tmp_path / "new", fit(tmp_path / "new", checkpoint=kept, resume=True, epochs=6))


def test_the_log_of_another_training_is_refused(tmp_path):
    fit(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(FileExistsError, match="expected a new folder, but it has a log; choose another one"):
        fit(tmp_path)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "a"], "expected names of folders that differ, got 'a'"),
        (["a", "../b"], r"expected names of folders that differ, got '../b'"),
        (["a", ""], "expected names of folders that differ, got ''"),
        ("ab", "expected a list of texts, one for each member, got 'ab'"),
        (["a"], "expected one for each of the 2 members, got 1"),
    ],
)
def test_no_two_members_share_a_log(tmp_path, names, message):
    with pytest.raises((TypeError, ValueError), match=f"names: {message}"):
        fit(tmp_path, names=names, seeds=range(2))
    assert not any(tmp_path.iterdir())


def test_a_file_in_the_place_of_the_log_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="file: expected a folder, got a file; choose another for the log"):
        fit(tmp_path / "file" / "log")


def test_a_full_disk_ends_the_log_alone(tmp_path, monkeypatch):
    write, written = writer.EventsWriter.write_event, []

    def full(self, event):
        written.append(event)
        if event.step == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, event)

    monkeypatch.setattr(writer.EventsWriter, "write_event", full)
    with pytest.warns(
        TrainingWarning, match=r"TensorBoard.epoch, a callback, raised OSError: .*No space left.* goes on"
    ):
        run = fit(tmp_path)
    assert len(run.history) == 4
    assert max(event.step for event in written) == 2
    assert {step for _, step in event_files.read(tmp_path).numbers} == {1}


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    monkeypatch.setattr("anynet.callbacks.tensorboard.find_spec", lambda name: None)
    with pytest.raises(
        ModuleNotFoundError, match=r"needs tensorboardX; install it with: pip install '\.\[tensorboard\]'"
    ):
        TensorBoard("log")
