"""``--val 0``: nothing is said or drawn that only validation images can tell, and a search needs some."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from commands import refused, train

pytestmark = pytest.mark.usefixtures("few_pictures", "blank_plots")


def test_a_run_says_its_test_accuracy_once(capsys):
    train("--val", "0")
    said, result = capsys.readouterr().out, json.loads(Path("out/result.json").read_text())
    assert f"test accuracy {result['test_accuracy']:.2%} after epoch 2, the last; " in said
    assert "validation" not in said
    assert "best_val_accuracy" not in result


def test_seeds_are_summed_up_after_the_last_epoch(capsys):
    train("--val", "0", "--seeds", "2")
    said, result = capsys.readouterr().out, json.loads(Path("out/result.json").read_text())
    best = result["best_member"]
    assert f"of member {best}, of the lowest training loss, " in said
    assert "validation" not in said
    assert "after the best epochs" not in said
    losses = [np.genfromtxt(f"out/member-{k}/history.csv", names=True, delimiter=",")["train_loss"][-1] for k in (0, 1)]
    assert best == np.argmin(losses)


def test_combinations_are_ranked_by_their_training_loss(capsys):
    train("--val", "0", "--sweep", "lr=1e-9,0.01", "--sweep", "l2=0,0.001", "--schedule", "constant")
    result = json.loads(Path("out/result.json").read_text())
    assert [row["settings"]["lr"] for row in result["over_seeds"]] == [0.01, 0.01, 1e-9, 1e-9]
    said = " ".join(re.sub(r"[^\w. -]", " ", capsys.readouterr().out).split())
    assert "after the last epoch by their training loss" in said
    assert "validation" not in said
    assert not Path("out/accuracy.png").exists()


def test_a_search_needs_validation_images(capsys):
    flags = ("--train", "400", "--hidden", "5", "--epochs", "1")
    line = refused(capsys, "search", "--val", "0", *flags, "--over", "lr=0.01,0.1", "--out", "found")
    assert line.endswith("anynet: --val: expected validation images, which rank trials, got 0; use auto\n")
    assert not Path("found").exists()
