"""``--evaluate-train``: what is not measured is neither written nor said."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import refused, train

from anynet.app import cli
from anynet.app.config_file import read_config
from anynet.core.history import History

pytestmark = pytest.mark.usefixtures("few_pictures", "blank_plots")


def result() -> dict:
    return json.loads(Path("out/result.json").read_text())


@pytest.mark.parametrize(("text", "measured"), [("every:2", [False, True, False]), ("never", [False] * 3)])
def test_a_run_measures_as_often_as_it_is_told(text, measured):
    train("--evaluate-train", text, "--epochs", "3")
    history = History.read_csv("out/history.csv")
    assert [row.train_loss is not None for row in history] == measured
    assert all(row.val_accuracy is not None for row in history)
    assert "train_accuracy" not in result()
    assert result()["val_accuracy"] == history[-1].val_accuracy
    assert read_config(Path("out/config.toml")).evaluate_train == text


def test_settings_of_runs_from_before_mean_every_epoch():
    train("--epochs", "1")
    path = Path("out/config.toml")
    lines = [line for line in path.read_text().splitlines() if not line.startswith("evaluate_train")]
    assert len(lines) == len(path.read_text().splitlines()) - 1
    path.write_text("\n".join(lines))
    assert read_config(path).evaluate_train == "every:1"


def test_a_run_goes_on_with_another_interval():
    train("--epochs", "1", "--schedule", "constant")
    cli.main(["train", "--resume", "out", "--epochs", "3", "--evaluate-train", "every:3"])
    assert [row.train_loss is not None for row in History.read_csv("out/history.csv")] == [True, False, True]


def test_members_without_a_loss_are_in_their_order(capsys):
    train("--val", "0", "--seeds", "2", "--evaluate-train", "never")
    assert "of member 0, the first, " in capsys.readouterr().out
    (row,) = result()["over_seeds"]
    assert set(row) & {"train_accuracy", "test_accuracy"} == {"test_accuracy"}
    assert np.isfinite(row["test_accuracy"]["mean"])


def test_combinations_without_a_loss_are_in_their_order(capsys):
    train("--val", "0", "--sweep", "lr=1e-9,0.01", "--evaluate-train", "never")
    assert [row["settings"]["lr"] for row in result()["over_seeds"]] == [1e-9, 0.01]
    assert "training loss" not in " ".join(capsys.readouterr().out.split())


def test_another_text_is_refused_before_anything_is_read(capsys):
    line = refused(capsys, "train", "--data", "/nowhere", "--evaluate-train", "often")
    assert line.endswith(
        'anynet: --evaluate-train: expected "every:N" with a number N of epochs, 1 or more, or "never", got \'often\'\n'
    )
