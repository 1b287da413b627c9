"""``python -m anynet runs`` on folders with the files that trainings write."""

import csv
import io
import json

import pytest
from commands import refused

from anynet.app import cli
from anynet.app.config import Config
from anynet.app.config_file import write_config
from anynet.app.listing import find_entries as find_entries_module
from anynet.app.listing.find_entries import find_entries
from anynet.app.listing.read_entry import read_entry
from anynet.core.epoch import Epoch
from anynet.core.history import History

RESULT = {
    "dataset": "digits", "official": False, "dtype": "float32", "execution": "recorded steps", "backend": "numpy",
    "device": "cpu", "precision": "float32", "versions": {"python": "3.11.7", "numpy": "2.4.6"}, "machine": "Linux",
    "seed": 42, "epochs": 3, "interrupted": False, "stopped_early": False, "train_accuracy": 0.7, "val_accuracy": 0.6,
    "test_loss": 1.2, "test_accuracy": 0.61, "best_epoch": 2, "best_val_accuracy": 0.65, "best_test_accuracy": 0.64,
    "seconds": 12.3,
}  # fmt: skip


def make(folder, result=None, **settings):
    """A run's folder, with the result of a run that ended, or another, or none ({})."""
    folder.mkdir(parents=True)
    write_config(Config(**settings), folder / "config.toml")
    if result != {}:
        (folder / "result.json").write_text(json.dumps(RESULT | (result or {})))
    return folder


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Five runs that ended in as many ways, under the default folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    make(tmp_path / "runs" / "20261126-120000")
    make(tmp_path / "runs" / "20261126-110000", {"stopped_early": True, "best_val_accuracy": 0.7}, lr=0.1)
    make(tmp_path / "runs" / "20261126-130000", {"interrupted": True, "best_val_accuracy": 0.5}, lr=0.001, flip=True)
    make(tmp_path / "runs" / "deep" / "er", {}, net="anynet.nn.nets:resnet9")
    row = Epoch(1, 0.1, 1.0, 1.0, 0.5, 1.0, 1.0, 0.25, 3.0)
    History([row]).write_csv(tmp_path / "runs" / "deep" / "er" / "history.csv", "digits")
    (make(tmp_path / "runs" / "bad", {}) / "result.json").write_text('{"dataset": "digits", "diverged": "nan"}')
    return tmp_path / "runs"


def printed(capsys, *words):
    cli.main(["runs", *words])
    return capsys.readouterr().out


def names(capsys, *words):
    return [row["name"] for row in csv.DictReader(io.StringIO(printed(capsys, "--csv", *words)))]


def test_the_table_says_how_runs_ended_and_what_differs(capsys, folder):
    lines = printed(capsys).splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    rows = {line.split()[0]: " ".join(line.split()) for line in lines if line.strip()}
    assert rows["20261126-110000"] == "20261126-110000 512,128 lr 0.1 2 70.00% 64.00% stopped"
    assert rows["20261126-120000"] == "20261126-120000 512,128 2 65.00% 64.00% finished"
    assert rows["20261126-130000"] == "20261126-130000 512,128 flip yes, lr 0.001 2 50.00% 64.00% interrupted"
    assert rows["deep/er"] == "deep/er resnet9 1 25.00% unfinished"
    assert rows["bad"] == "bad 512,128 diverged"
    assert [name for name in rows if name.startswith("2026")] == sorted(n for n in rows if n.startswith("2026"))


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_nothing_is_cut_off_on_narrower_terminals(capsys, monkeypatch, folder, columns):
    monkeypatch.setenv("COLUMNS", f"{columns}")
    out = printed(capsys)
    assert max(len(line.rstrip()) for line in out.splitlines()) <= columns
    for text in ("20261126-110000", "70.00%", "64.00%", "lr 0.001", "flip yes", "interrupted", "resnet9"):
        assert text in out
    assert ("secs" in out) == (columns != 80)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--sort", "best_val:desc"], ["110000", "120000", "130000", "er", "bad"]),
        (["--sort", "lr", "--where", "state!=diverged", "--where", "net!=resnet9"], ["130000", "120000", "110000"]),
        (["--where", "lr>0.01"], ["110000", "120000", "bad", "er"]),
        (["--where", "lr>=1e-1"], ["110000"]),
        (["--where", "best-val>=65%"], ["110000", "120000"]),
        (["--where", "net=resnet9"], ["er"]),
        (["--where", "flip=yes"], ["130000"]),
        (["--where", "hidden=512,128", "--where", "state=finished"], ["120000"]),
        (["--where", "patience=3"], []),
        (["--where", "epochs_trained=3", "--where", "best_epoch<3", "--where", "lr<0.1"], ["120000", "130000"]),
    ],
)
def test_sorted_and_filtered(capsys, folder, words, expected):
    found = [name.rpartition("-" if "-" in name else "/")[2] for name in names(capsys, *words)]
    assert (found if "--sort" in words else sorted(found)) == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--where", "learning=1"], '--where: there is no setting or result "learning"; --csv has all of them'),
        (["--where", "lr"], '--where: expected NAME=VALUE, or with != < <= > >=, as in "lr>0.01", got "lr"'),
        (["--where", "lr>much"], '--where: expected a number behind >, got "lr>much"'),
        (["--sort", "best_vall"], 'no setting or result "best_vall"; did you mean "best_val"'),
        (["--sort", "lr:down"], '--sort: expected COLUMN or COLUMN:desc, got "lr:down"'),
        (["nowhere"], "nowhere: no such folder; train with python train.py, or give that of your runs"),
        (["empty"], "empty: expected a folder with runs, sweeps or searches, got one without any; give another"),
        (["a file"], "a file: expected a folder, got a file; give the one that it is in"),
        (["diff", "runs/bad", "empty"], "empty: expected the folder of a run, a sweep or a search, got another one;"),
        (["diff", "runs/bad", "nowhere"], "nowhere: no such folder; python -m anynet runs lists those that there are"),
    ],
)
def test_refused_in_one_line(capsys, folder, words, message):
    (folder.parent / "empty").mkdir()
    (folder.parent / "a file").touch()
    said = refused(capsys, "runs", *words)
    assert message in said
    assert said.count("\n") == 1


def test_csv_has_all_settings_and_results(capsys, folder):
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(printed(capsys, "--csv")))}
    row = rows["20261126-130000"]
    config = {name: value for name, value in vars(Config(lr=0.001, flip=True)).items() if value is not None}
    assert {name: row[name] for name in config if name != "net"} == {name: str(v) for name, v in config.items()}
    assert {row[name] for name in ("best_val_accuracy", "best_test_accuracy", "seconds")} == {"0.5", "0.64", "12.3"}
    assert (row["epochs"], row["epochs_trained"], row["when"]) == ("20", "3", "2026-11-26 13:00:00")


def test_a_folder_that_is_removed_meanwhile_is_not_the_end(folder, monkeypatch):
    def gone(folder, name):
        entry = read_entry(folder, name)
        (folder / "config.toml").unlink()
        return entry

    monkeypatch.setattr(find_entries_module, "read_entry", gone)
    assert [entry.name for entry in find_entries(folder)] == [f"20261126-1{n}0000" for n in (1, 2, 3)]


@pytest.mark.parametrize("file", ["config.toml", "result.json"])
def test_a_damaged_folder_is_a_line_and_not_the_end(capsys, folder, file):
    (folder / "20261126-120000" / file).write_text("{")
    cli.main(["runs"])
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert line.startswith(f"anynet: runs/20261126-120000/{file}, line 1: expected ") or file in line
    assert "20261126-130000" in said.out
    assert "20261126-120000" not in said.out


@pytest.mark.parametrize("fine", [7, True, [1], {"trials": "x"}, {"coarse": 3}])
def test_a_damaged_search_is_a_line_and_not_the_end(capsys, folder, fine):
    (folder / "search").mkdir()
    search = {"base": {}, "space": {"lr": {"values": [0.1]}}, "trials": 3, "fine": fine}
    (folder / "search" / "search.json").write_text(json.dumps(search))
    cli.main(["runs"])
    said = capsys.readouterr()
    assert said.err.startswith("anynet: runs/search/search.json, key fine: expected a stage, or null, got ")
    assert "20261126-130000" in said.out


def test_two_runs_are_compared_in_three_columns(capsys, folder):
    (folder / "20261126-110000" / "result.json").write_text(
        json.dumps(RESULT | {"versions": {"python": "3.11.7", "numpy": "2.5.0"}, "epochs": 2, "seconds": 12.30001})
    )
    _, header, _ruler, *lines = printed(capsys, "diff", "runs/20261126-110000", "runs/20261126-130000").splitlines()
    assert header.split() == ["runs/20261126-110000", "runs/20261126-130000"]
    assert [line.split() for line in lines] == [
        ["flip", "no", "yes"],
        ["lr", "0.1", "0.001"],
        ["versions.numpy", "2.5.0", "2.4.6"],
        ["epochs_trained", "2", "3"],
        ["interrupted", "no", "yes"],
        ["best_val_accuracy", "65.00%", "50.00%"],
        ["seconds", "12.30001", "12.3"],
        ["state", "finished", "interrupted"],
    ]
    same = printed(capsys, "diff", "runs/bad", "runs/bad")
    assert same == "runs/bad and runs/bad: settings and results are the same\n"


def test_names_are_printed_as_they_are_but_for_what_commands_a_terminal(capsys, tmp_path):
    for name in ("x[b]", "y[/b]", "z\x1b[2J"):
        make(tmp_path / name)
    lines = printed(capsys, f"{tmp_path}").splitlines()
    assert [line.split()[0] for line in lines[-3:]] == ["x[b]", "y[/b]", "z?[2J"]


def test_searches_and_sweeps_are_one_row(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    base = {name: value for name, value in vars(Config(epochs=2)).items() if name not in ("lr", "compile")}
    search = {"base": base, "space": {"lr": {"low": 1e-3, "high": 0.1, "log": True}}, "trials": 3, "fine": None}
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "search.json").write_text(json.dumps(search))
    table = "state,lr,best_val_accuracy,best_epoch,test_accuracy\nfinished,0.01,0.4,2,0.38\nfinished,0.1,0.3,1,0.2\n"
    (tmp_path / "found" / "trials.csv").write_text(table)
    make(tmp_path / "swept" / "member-0", lr=0.01, seed=1)
    make(tmp_path / "swept" / "member-1", lr=0.1, seed=1)
    write_config(Config(normalize="standardize"), tmp_path / "swept" / "config.toml", without=("lr", "seed"))
    (tmp_path / "swept" / "points.json").write_text('[{"lr": 0.01, "seed": 1}, {"lr": 0.1, "seed": 1}]')
    (tmp_path / "swept" / "members.csv").write_text("member,diverged,best_val_accuracy\n0,,0.5\n1,,0.6\n")
    rows = {line.split()[0]: " ".join(line.split()) for line in printed(capsys, str(tmp_path)).splitlines() if line}
    assert "2 trials, lr 0.001..0.1, epochs 2, seed 42 2 40.00% 38.00% unfinished" in rows["found"]
    assert "2 members, lr 0.01/0.1, epochs 20, seed 1 60.00% unfinished" in rows["swept"]
    assert names(capsys, str(tmp_path), "--where", "lr=0.1") == ["swept"]
    make(tmp_path / "one", normalize="standardize")
    monkeypatch.chdir(tmp_path)
    _, _header, _ruler, *lines = printed(capsys, "diff", "one", "found").splitlines()
    assert [line.split()[0] for line in lines] == [
        *("lr", "epochs", "best_val_accuracy", "best_test_accuracy", "kind", "state")
    ]
    assert [entry.name for entry in find_entries(tmp_path / "swept")] == ["member-0", "member-1"]
