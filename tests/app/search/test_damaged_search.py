"""A search whose files are damaged: file and line, trial or key are named."""

import json
import math
import os

import pytest

from anynet.app.search import search_folder
from anynet.app.search.stores.folder_store import FolderStore
from anynet.app.search.stores.journal import Lock
from anynet.app.search.trial import read_trial
from anynet.core.errors import FileError
from benchmarks.faults import valid_files


@pytest.fixture
def folder(tmp_path):
    for name, content in valid_files.searched().items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def trials(folder):
    stage = valid_files.stage_of(folder, FolderStore(folder).worker())
    return [read_trial("coarse", trial) for trial in stage.finished()]


def refused(folder) -> str:
    with pytest.raises(FileError) as caught:
        trials(folder)
    message = str(caught.value)
    assert message.startswith(f"{folder / 'journal.log'}, ")
    assert message.isprintable()
    return message


def change(folder, number: int, line: bytes) -> int:
    """Put another line in place of one, and return how many there are."""
    lines = (folder / "journal.log").read_bytes().splitlines(keepends=True)
    lines[number - 1] = line
    (folder / "journal.log").write_bytes(b"".join(lines))
    return len(lines)


def test_the_search_is_read(folder):
    assert [trial.state for trial in trials(folder)] == ["finished", "diverged"]


@pytest.mark.parametrize(
    ("line", "got"),
    [
        (b'{"op_code": 4, "wor\n', "an error: Invalid control character"),
        (b"\n", "an error: Expecting value"),
        (b"3\n", "a int"),
        (b"\xff\n", "an error: "),
        (b"[" * 5000 + b"\n", "an error: "),
        (b"\0" * 60 + b"\n", "an error: "),  # a write that a network file system has lost
        (b'{"op_code": 7, "trial_id": 0{"op_code": 7, "trial_id": 1}\n', "an error: Expecting ',' delimiter"),
        (b"{}\n", "one that does not fit (KeyError: 'op_code')"),
        (b'{"op_code": 99, "worker_id": "x"}\n', "one that does not fit (AssertionError"),
        (b'{"op_code": 8, "worker_id": "x", "trial_id": []}\n', "one that does not fit (TypeError"),
    ],
)
def test_a_damaged_line_is_named_wherever_it_is(folder, line, got):
    count = change(folder, 4, line)
    assert f"line 4: expected an entry of a search, got {got}" in refused(folder)
    for name, content in valid_files.searched().items():
        (folder / name).write_bytes(content)
    change(folder, count, line)
    assert f"line {count}: expected an entry of a search, got {got}" in refused(folder)


def test_a_torn_last_line_is_left_out_and_that_is_said(folder, capsys):
    journal = folder / "journal.log"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code": 4, "wor')
    assert len(trials(folder)) == 2
    assert journal.read_bytes().startswith(whole)
    said = capsys.readouterr().err
    assert said == f"anynet: {journal}: removed its last 19 bytes, a line that a process had no time to finish\n"
    with Lock(journal):
        pass
    assert capsys.readouterr().err == ""


def test_without_any_one_of_its_lines_a_journal_says_nothing_else(folder):
    """Follow its advice, to remove a line: this gives results that were there, or an error, but no wrong results."""
    whole = (folder / "journal.log").read_bytes().splitlines(keepends=True)
    right, seen = trials(folder), []
    for number in range(len(whole)):
        (folder / "journal.log").write_bytes(b"".join(whole[:number] + whole[number + 1 :]))
        try:
            found = trials(folder)
        except (FileError, KeyError):
            seen.append("refused")
            continue
        assert all(trial in right for trial in found)
        seen.append(len(found))
    assert {"refused", 1} < set(seen)


def test_lines_that_are_damaged_while_a_search_runs_are_named(folder):
    store = FolderStore(folder)
    stage = valid_files.stage_of(folder, store.worker())
    with (folder / "journal.log").open("ab") as file:
        file.write(b'{"op_code": 7, "trial_id": 0{"op_code": 7\n' + b"\0" * 9 + b"\n")
    count = (folder / "journal.log").read_bytes().count(b"\n")
    with pytest.raises(FileError, match=f"journal.log, line {count - 1}: expected an entry of a search, got an error"):
        stage.finished()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
@pytest.mark.parametrize("make", [lambda path: os.mkfifo(path), lambda path: path.symlink_to("/dev/zero")])
def test_a_journal_that_may_never_end_is_not_opened(folder, make):
    (folder / "journal.log").unlink()
    make(folder / "journal.log")
    with pytest.raises(FileError, match=r"journal.log: expected a file, got a device or a pipe; start"):
        trials(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"point": 3}, "trial 0, point: expected a number below 3, got 3"),
        ({"point": "0"}, "trial 0, point: expected a number below 3, got '0'"),
        ({"worker": "../../elsewhere"}, "trial 0, worker: expected the name of a worker, got '../../elsewhere'"),
        ({"result": None}, "trial 0, result: expected point, dataset, state, "),
        ({"result": {}}, "trial 0, result: expected point, dataset, state, "),
        ({"seconds": "1"}, "trial 0, result seconds: expected float, got '1'"),
        ({"best_epoch": 1.5}, "trial 0, result best_epoch: expected int | None, got 1.5"),
        ({"best_epoch": 0}, "trial 0, result best_epoch: expected 1 or more, got 0"),
        ({"best_val_accuracy": 7.25}, "trial 0, result best_val_accuracy: expected a fraction from 0 to 1, got 7.25"),
        ({"val_accuracy": math.nan}, "trial 0, result val_accuracy: expected a fraction from 0 to 1, got nan"),
        ({"test_accuracy": -0.1}, "trial 0, result test_accuracy: expected a fraction from 0 to 1, got -0.1"),
        ({"seconds": math.inf}, "trial 0, result seconds: expected a finite number of 0 or more, got inf"),
        ({"seconds": -1.0}, "trial 0, result seconds: expected a finite number of 0 or more, got -1.0"),
        ({"state": "won"}, "trial 0, result state: expected finished or pruned or diverged, got 'won'"),
    ],
)
def test_a_trial_with_other_results_is_named(folder, change, message):
    """The change is made wherever the entries of the first trial have that name."""

    def changed(tree):
        if not isinstance(tree, dict):
            return tree
        return {name: changed(value) for name, value in tree.items()} | {n: v for n, v in change.items() if n in tree}

    entries = [json.loads(line) for line in (folder / "journal.log").read_bytes().splitlines()]
    for entry in entries:
        if not entry.get("trial_id"):
            entry.update({name: changed(value) for name, value in entry.items()})
    (folder / "journal.log").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    assert message in refused(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: expected JSON, got an error: Expecting value"),
        (b'{"base": {', "line 1: expected JSON, got an error"),
        (b"[]", "expected a JSON object, got a list"),
        (b"\xff", "line 1: expected text in UTF-8, got byte 0xff"),
    ],
)
def test_damaged_settings_are_named(folder, content, message):
    (folder / "search.json").write_bytes(content)
    with pytest.raises(FileError) as caught:
        search_folder.settings_there(folder)
    assert str(caught.value).startswith(f"{folder / 'search.json'}")
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["trials.csv", "accuracy.png", "search.json"])
def test_a_folder_in_the_place_of_a_file_is_named(folder, name):
    (folder / name).unlink(missing_ok=True)
    (folder / name).mkdir()
    with pytest.raises(FileError, match=rf"{name}: expected a file, got a folder; .*choose another folder$"):
        search_folder.settings_there(folder)


def test_a_file_in_the_place_of_the_workers_folder_is_named(folder):
    (folder / "workers").touch()
    with pytest.raises(FileError, match="workers: expected a folder, got another file; remove it, or choose another"):
        FolderStore(folder).worker()
