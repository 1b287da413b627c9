"""Progress of a training: a bar, lines where there is no terminal, and streams that fail."""

import errno
import io
import itertools
import sys

import numpy as np
import pytest
from terminals import Terminal

import anynet as an
from anynet.core import meter
from anynet.core.epoch import Epoch
from anynet.data import Dataset, Split
from anynet.training.epoch_lines import Lines


class Gone(io.StringIO):
    """A terminal, until something is written to it."""

    def isatty(self):
        return True

    def write(self, text):
        raise OSError(errno.EPIPE, "Broken pipe")


@pytest.fixture
def data(rng):
    part = Split(rng.integers(0, 256, (20, 12), np.uint8), np.arange(20) % 2)
    return Dataset("noise", ("a", "b"), part, part, part, False)


def fit(data, **settings):
    net = an.Sequential(an.Linear(12, 2))
    return an.fit(net, data, an.SGD(0.1), **{"epochs": 2, "batch_size": 10, "backend": "numpy"} | settings)


@pytest.mark.parametrize("stderr", [None, Gone()], ids=["missing", "gone"])
@pytest.mark.parametrize("progress", [None, True, False])
def test_training_goes_on_without_a_bar(monkeypatch, data, stderr, progress):
    monkeypatch.setattr(sys, "stderr", stderr)
    assert len(fit(data, progress=progress).history) == 2


def test_lines_are_those_of_the_history(monkeypatch, data, capsys):
    monkeypatch.setattr(meter, "monotonic", itertools.count().__next__)
    run = fit(data, progress=True)
    said = capsys.readouterr().err.splitlines()
    rows = [
        f"epoch {row.epoch}/2: loss {row.train_loss:.3f}, accuracy {row.train_accuracy:.1%}, "
        f"validation {row.val_accuracy:.1%}, {row.seconds:.1f} s"
        for row in run.history
    ]
    assert [line for line in said if not line.startswith("testing")] == rows


def test_hundreds_of_fast_epochs_are_a_few_lines_and_the_last(data, capsys):
    fit(data, progress=True, epochs=100)
    first, *some, last = capsys.readouterr().err.splitlines()
    assert first.startswith("epoch 1/100: ")
    assert len(some) < 20
    assert last.startswith("epoch 100/100: ")


def test_members_have_one_line_an_epoch(monkeypatch, data, capsys):
    monkeypatch.setattr(meter, "monotonic", itertools.count().__next__)
    runs = fit(data, progress=True, seeds=range(3))
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("epoch")]
    means = [np.mean([run.history[i].val_accuracy for run in runs]) for i in range(2)]
    assert [line.partition(":")[0] for line in said] == ["epoch 1/2 of 3 members", "epoch 2/2 of 3 members"]
    assert all(f"validation {mean:.1%}, " in line for line, mean in zip(said, means, strict=True))


def row(epoch):
    return Epoch(epoch, 0.1, 1.0, 1.0, 0.5, 1.0, 1.0, 0.5, float(epoch))


def test_lines_of_stacks_that_train_at_once_and_one_after_another():
    lines = Lines(epochs=9, members=6)
    steps = [({0, 1}, 1), ({2, 3}, 1), ({2, 3}, 2), ({0, 1}, 2), ({0, 1}, 3), ({4, 5}, 1), ({4, 5}, 2), ({4, 5}, 3)]
    said = [
        [text.partition(":")[0] for text in lines.add(dict.fromkeys(members, row(epoch)))] for members, epoch in steps
    ]
    pairs = "epoch {}/9 of members 0-3"
    assert said == [
        [], [], [pairs.format(1)], [pairs.format(2)], [], [],
        ["epochs 1-3/9 of members 0, 1, 4, 5"], ["epoch 2/9 of members 4-5", "epoch 3/9 of members 4-5"],
    ]  # fmt: skip
    assert lines.rest() == []
    assert lines.add({4: row(4)}) == []
    assert [text.partition(":")[0] for text in lines.rest()] == ["epoch 4/9 of member 4"]


def test_a_member_that_stops_does_not_hold_up_the_lines_of_the_others():
    lines = Lines(epochs=9, members=2)
    said = [len(lines.add(rows)) for rows in ({0: row(1), 1: row(1)}, {1: row(2)}, {1: row(3)}, {1: row(4)})]
    assert said == [1, 0, 2, 1]


@pytest.mark.parametrize("columns", [40, 60, 80, 160])
def test_the_validation_accuracy_is_seen_on_every_terminal(monkeypatch, data, columns):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("COLUMNS", f"{columns}")
    run = fit(data, epochs=100, patience=3)
    (shown,) = (line for line in terminal.lines[-2:] if line)
    assert f"{len(run.history)}/100: " in shown
    assert shown.rstrip("]").endswith(f"{run.history[-1].val_accuracy:.1%}")
    assert max(map(len, terminal.lines)) <= columns
