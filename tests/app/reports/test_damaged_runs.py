"""Runs of a reproduction whose files are damaged: file, and line or key, are named."""

import json

import pytest
from commands import refused as refused_command

from anynet.app import cli
from anynet.app.prediction import load_predictor
from anynet.app.reports import parse_report, reproduction
from anynet.app.reports.tasks import read_outcome
from anynet.backends import backend
from anynet.core.errors import FileError
from benchmarks.faults import valid_files


@pytest.fixture
def folder(tmp_path):
    for name, content in valid_files.run().items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def refused(folder) -> str:
    with pytest.raises(FileError) as caught:
        read_outcome(folder)
    message = str(caught.value)
    assert message.startswith(str(folder))
    assert message.isprintable()
    return message


def test_a_run_is_read(folder):
    outcome = read_outcome(folder)
    assert len(outcome.history) == outcome.result["epochs"] == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test_accuracy": None}, "key test_accuracy: expected a fraction from 0 to 1, got nothing"),
        ({"test_accuracy": "0.5"}, "key test_accuracy: expected a fraction from 0 to 1, got '0.5'"),
        ({"test_accuracy": 50}, "key test_accuracy: expected a fraction from 0 to 1, got 50"),
        ({"test_accuracy": float("nan")}, "key test_accuracy: expected a fraction from 0 to 1, got nan"),
        ({"seconds": float("inf")}, "key seconds: expected a number of 0 or more, got inf"),
        ({"seconds": True}, "key seconds: expected a number of 0 or more, got True"),
        ({"epochs": 2.5}, "key epochs: expected a number of 1 or more, got 2.5"),
        ({"epochs": 3}, "history.csv: expected 3 epochs, as in result.json, got 2"),
        ({"official": 1}, "key official: expected true or false, got 1"),
        ({"device": "a\x1b[2Jb"}, "key device: expected a text"),
        ({"versions": ["numpy"]}, "key versions: expected texts by name, got ['numpy']"),
        ({"diverged": 3}, "key diverged: expected a reason, got 3"),
    ],
)
def test_a_result_of_another_kind_is_named(folder, change, message):
    result = json.loads((folder / "result.json").read_text()) | change
    result = {key: value for key, value in result.items() if value is not None}
    (folder / "result.json").write_text(json.dumps(result))
    assert message in refused(folder)


@pytest.mark.parametrize("key", ["best_epoch", "best_val_accuracy", "train_accuracy", "val_accuracy"])
def test_a_result_that_is_not_that_of_the_history_is_named(folder, key):
    result = json.loads((folder / "result.json").read_text())
    other = 99 if key == "best_epoch" else 0.123
    (folder / "result.json").write_text(json.dumps(result | {key: other}))
    assert f"result.json, key {key}: expected {result[key]}, as in history.csv, got {other}; " in refused(folder)


def test_a_result_cut_anywhere_is_refused(folder):
    whole = (folder / "result.json").read_bytes()
    for length in range(0, len(whole) - 2, 7):
        (folder / "result.json").write_bytes(whole[:length])
        assert "result.json, line " in refused(folder)


def test_a_run_that_diverged_at_once_has_no_history(folder):
    (folder / "history.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"history\.csv"):
        read_outcome(folder)
    (folder / "result.json").write_text('{"dataset": "synthetic", "diverged": "the cost is no longer finite"}')
    assert len(read_outcome(folder).history) == 0


@pytest.fixture
def swept(tmp_path):
    for name, content in valid_files.sweep().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("member,lr\n0,0.1\n", ', line 1: expected a column "diverged", got member, lr'),
        ("member,lr,diverged\n0,0.1,\n2,0.2,\n", ', line 3, column member: expected 1, got "2"'),
        ("member,lr,diverged\n../../x,0.1,\n", ', line 2, column member: expected 0, got "../../x"'),
        ("member,lr,diverged\n0,0.1,,\n", ", line 2: expected 3 fields, got more"),
        ("member,lr,diverged\n0,0.1\n", ", line 2, column diverged: expected a value, got nothing"),
        ("member,lr,diverged\n0,0.1,yes\n", ": expected a member that did not diverge, got none"),
        ("", ', line 1: expected a column "member", got none'),
    ],
)
def test_a_table_of_members_that_lies_is_refused(swept, table, message):
    assert len(load_predictor(swept, backend("numpy")).nets) == 2
    (swept / "members.csv").write_text(table)
    with pytest.raises(FileError) as caught:
        load_predictor(swept, backend("numpy"))
    assert str(caught.value).startswith(f"{swept / 'members.csv'}{message}")


REPORT = """
title = "A short report"
author = "nobody"
about = "One configuration."

[configurations.1]
train = "200"
val = "100"
hidden = ""
epochs = 1
"""


@pytest.mark.slow
@pytest.mark.usefixtures("few_pictures", "no_plots")
def test_reproduce_ends_in_one_line_that_names_file_line_and_column(tmp_path, capsys, monkeypatch):
    report = parse_report("short", REPORT)
    monkeypatch.setattr(reproduction, "reports", lambda: {"short": report})
    command = ["reproduce", "short", "--data", "synthetic", "--out", "out", "--jobs", "1"]
    cli.main(command)
    capsys.readouterr()
    path = sorted((tmp_path / "out" / "runs").rglob("history.csv"))[0]
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header.replace("val_cost,", ""), *rows]))
    *_, line = refused_command(capsys, *command).splitlines()
    assert line.startswith(
        f'anynet: {path.relative_to(tmp_path)}, line 1: expected a column "val_cost", got epoch, lr,'
    )
