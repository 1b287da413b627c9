"""``python -m anynet search``, from what is typed to what is printed and kept."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import refused, unframed
from optuna.storages.journal import JournalFileBackend

from anynet.app import cli
from anynet.app.search import search_stages

pytestmark = pytest.mark.usefixtures("few_pictures", "blank_plots")

SMALL = {"--train": "400", "--val": "100", "--hidden": "10", "--epochs": "1", "--out": "out"}


def small(*flags):
    return ["search", *(word for pair in SMALL.items() if pair[0] not in flags for word in pair), *flags]


def test_a_table_of_the_best(tmp_path, capsys):
    cli.main(small("--over", "lr=1e-3..1e-1", "--over", "batch-size=20,50", "--trials", "11", "--no-prune"))
    said = capsys.readouterr()
    assert "synthetic: the best 10 of 11 trials" in said.out
    assert said.out.endswith("results in out\n")
    assert "trial/s" not in said.err  # no bar where nobody watches
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "search.json", "journal.log", "journal.log.lock", "workers", "trials.csv", "accuracy.png", "importances.json",
        "report.html",
    }  # fmt: skip
    shares = json.loads((tmp_path / "out" / "importances.json").read_text())
    assert set(shares) == {"lr", "batch_size"}


def test_from_coarse_to_fine(capsys, tmp_path):
    again = small(
        "--over", "lr=1e-3..1e-1", "--trials", "3", "--fine", "2", "--fine-epochs", "2", "--fine-train", "300"
    )
    cli.main(again)
    capsys.readouterr()
    cli.main(again)
    assert capsys.readouterr().err.splitlines()[-1] == "5 trials, 5 of them finished"
    rows = list(csv.DictReader((tmp_path / "out" / "trials.csv").read_text().splitlines()))
    assert sorted(row["stage"] for row in rows) == ["coarse"] * 3 + ["fine"] * 2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--trials", "3"], "--over requires an argument"),
        (["--over", "lr=1e-3..1e-1"], "trials: expected the number of points to draw from the range of lr"),
        (
            ["--over", "lr=1e-3..1e-1", "--trials", "3", "--sampler", "grid"],
            "expected qmc, tpe or random for the range",
        ),
        (["--over", "lr=0.1,0.2", "--trials", "3"], "trials: expected none, since all 2 points of the grid are tried"),
        (["--over", "lrr=0.1"], 'there is no setting "lrr"; did you mean "lr"?'),
        (["--over", "lr=0.1", "--fine", "3"], "fine: expected a range to narrow"),
        (["--over", "lr=0.1", "--fine-epochs", "3"], "expected --fine with them"),
        (["--over", "batch_size=100,1000"], "expected 1 to 400"),
        (["--over", "lr=0.1", "--activation", "rleu"], 'Did you mean "relu"?'),
        (["--over", "lr=0.1", "--preset", "garcia-sans/2"], 'did you mean "garcia-sanz/2"'),
        (["--optimizer", "adam", "--over", "momentum=0,0.9"], "momentum: adam has none; vary another setting, or use"),
        (["--optimizer", "muon", "--over", "nesterov=true,false"], "nesterov: muon has none; vary another setting"),
        (["--optimizer", "rmsprop", "--over", "weight_decay=0,0.1"], "weight-decay: rmsprop has none; vary another"),
        (["--over", "optimizer=sgd,adam", "--over", "momentum=0,0.9"], "momentum: adam has none; vary another"),
        (["--over", "hidden=10-20,5"], "expected positive widths separated by commas"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(tmp_path, capsys, flags, message):
    assert message in unframed(refused(capsys, *small(*flags)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["search.json", "journal.log", "trials.csv"])
def test_a_full_disk_is_named(tmp_path, capsys, monkeypatch, name):
    replace = os.replace

    def full(source, target):
        if Path(target).name == name:
            raise OSError(28, "No space left on device")
        replace(source, target)

    if name == "journal.log":  # which is appended to
        monkeypatch.setattr(JournalFileBackend, "append_logs", lambda journal, logs: full(logs, name))
    else:
        monkeypatch.setattr(os, "replace", full)
    said = refused(capsys, *small("--over", "lr=0.1,0.2")).splitlines()[-1]
    assert said == f"anynet: out/{name}: cannot be written (No space left on device); free some space"


def test_stopped_by_hand(capsys, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(search_stages, "train_trials", interrupt)
    with pytest.raises(SystemExit) as end:
        cli.main(small("--over", "lr=0.1,0.2"))
    assert end.value.code == 130
    assert capsys.readouterr().err.endswith("anynet: interrupted; run the same command again to continue out\n")


def test_optuna_is_loaded_by_searches_alone():
    code = "import sys, anynet, anynet.app.cli; sys.exit('optuna' in sys.modules or 'filelock' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
