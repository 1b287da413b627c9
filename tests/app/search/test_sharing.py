"""Processes that share a search, and that are killed in the midst of it."""

import itertools
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import optuna
import pytest
import search_worker
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from search_worker import SPACE, TRIALS, outcomes, whole

from anynet.app.search.samplers import known_points
from anynet.app.search.stage import Stage
from anynet.app.search.stores.folder_store import FolderStore
from anynet.app.search.stores.journal import Lock
from anynet.app.space import convert_space

pytestmark = [
    pytest.mark.usefixtures("few_pictures", "blank_plots"),
    pytest.mark.filterwarnings("ignore::anynet.training.TrainingWarning"),  # batches of one
]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Return the results of an undisturbed search."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_worker.sources, "draw", search_worker.draw_few)
        trials = outcomes(whole(tmp_path_factory.mktemp("undisturbed") / "out"))
    assert sorted(trial.number for trial in trials) == list(range(1, TRIALS + 1))
    return trials


def studied(folder):
    """All trials in the journal of a folder, failed ones included, as Optuna itself reads them."""
    journal = JournalFileBackend(str(folder / "journal.log"))
    return optuna.load_study(study_name="coarse", storage=optuna.storages.JournalStorage(journal)).trials


def lines(folder):
    journal = folder / "journal.log"
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def start(*arguments):
    return subprocess.Popen([sys.executable, search_worker.__file__, *map(str, arguments)], stdout=subprocess.PIPE)


def assert_each_point_once(folder, expected):
    counted = Counter(t.user_attrs["point"] for t in studied(folder) if t.state != TrialState.FAIL)
    assert counted == dict.fromkeys(range(TRIALS), 1)
    values = [t.value for t in studied(folder) if t.state == TrialState.COMPLETE]
    assert sorted(values) == sorted(trial.best_val_accuracy for trial in expected)
    assert outcomes(whole(folder)) == expected
    numbers = [line.split(",")[0] for line in (folder / "trials.csv").read_text().splitlines()[1:]]
    assert sorted(map(int, numbers)) == list(range(1, TRIALS + 1))


@pytest.mark.slow
def test_killed_at_random_moments_and_taken_up_again(tmp_path, expected):
    folder, moments = tmp_path / "out", random.Random(5)
    for _ in range(3):  # of some 40 lines that it takes, up to 4 of them at a time
        process, wanted = start(folder), lines(folder) + moments.randint(1, 8)
        while lines(folder) < wanted and process.poll() is None:
            time.sleep(moments.random() / 1000)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    whole(folder)
    assert_each_point_once(folder, expected)


class Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL; the locks go with the search, as they would with its process."""


@pytest.mark.slow
@pytest.mark.parametrize("written", ["half a line", "the line"])
def test_killed_at_every_write(tmp_path, monkeypatch, expected, written):
    """The n-th time that a search is begun, it gets to its n-th write, and is killed there."""
    append, folder = JournalFileBackend.append_logs, tmp_path / "out"
    for lives in itertools.count(1):
        left = itertools.count(lives, -1)

        def append_or_die(self, logs, left=left):
            if next(left) > 1:
                append(self, logs)
                return
            if written == "half a line":
                with open(self._file_path, "a") as file:
                    file.write(json.dumps(logs[0])[:-9])
            elif written == "the line":
                append(self, logs)
            raise Killed

        monkeypatch.setattr(JournalFileBackend, "append_logs", append_or_die)
        try:
            whole(folder)
        except Killed:
            continue
        break
    assert lives > 8
    monkeypatch.setattr(JournalFileBackend, "append_logs", append)
    assert sum(t.state == TrialState.FAIL for t in studied(folder)) > 3
    assert_each_point_once(folder, expected)


@pytest.mark.slow
def test_two_processes_share(tmp_path, expected):
    folder, go = tmp_path / "out", tmp_path / "go"
    processes = [start(folder, go) for _ in range(2)]
    for process in processes:
        assert process.stdout.readline() == b"ready\n"
    go.touch()
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    trials = studied(folder)
    assert len(trials) == TRIALS  # none in vain
    assert len({t.user_attrs["worker"] for t in trials}) == 2
    assert_each_point_once(folder, expected)


def test_the_trials_of_the_dead_are_made_again_and_those_of_the_living_left_alone(tmp_path):
    space = convert_space(SPACE)
    wanted = known_points("qmc", space, 4, 0, 0)

    def stage(worker):
        return Stage(
            "coarse",
            FolderStore(tmp_path),
            worker,
            space,
            wanted,
            str,
            optuna.pruners.NopPruner(),
        )

    with FolderStore(tmp_path).worker() as here:
        with FolderStore(tmp_path).worker() as there:
            (theirs,) = stage(there).claim(5)
            ours = [trial for _ in range(3) for trial in stage(here).claim(5)]
            assert stage(here).claim(5) == stage(there).claim(5) == []
        (again,) = stage(here).claim(5)
        assert again.params == theirs.params == wanted[theirs.user_attrs["point"]]
        assert again.number == 4
        assert stage(here).claim(5) == []
        assert [t.params for t in (theirs, *ours)] == wanted
    assert list((tmp_path / "workers").iterdir()) == []


def test_processes_write_whole_lines_though_some_are_killed(tmp_path):
    """Lines are longer than what is written at once; each process writes its own numbers in their order."""
    code = (
        "import sys; from pathlib import Path; from anynet.app.search.stores.journal import Journal, Lock\n"
        "journal = Journal(Lock(Path(sys.argv[1])))\n"
        "for number in range(int(sys.argv[2])):\n"
        "    journal.append_logs([{'by': sys.argv[3], 'number': number, 'text': sys.argv[3] * 100_000}])"
    )
    path, processes = tmp_path / "journal.log", []
    for name, count in (("a", 12), ("b", 12), ("c", 10**9), ("d", 10**9)):
        command = [sys.executable, "-c", code, str(path), str(count), name]
        processes.append(subprocess.Popen(command, stderr=subprocess.PIPE))
    for name in "cd":  # are killed while they write
        while not (path.exists() and f'"by":"{name}"'.encode() in path.read_bytes()):
            time.sleep(0.01)
        processes["abcd".index(name)].kill()
    for process in processes:
        process.communicate()
    with Lock(path):
        pass
    entries = [json.loads(line) for line in path.read_bytes().splitlines()]
    numbers = {name: [entry["number"] for entry in entries if entry["by"] == name] for name in "abcd"}
    assert numbers["a"] == numbers["b"] == list(range(12))
    assert all(numbers[name] == list(range(len(numbers[name]))) for name in "cd")


def test_a_process_that_was_taken_for_dead_goes_on(tmp_path, monkeypatch, capsys, expected):
    report, calls = optuna.Trial.report, itertools.count()

    def cut_off(self, value, step):
        if next(calls) == 3:  # as another process does when this one has not been seen for too long
            self.storage.set_trial_state_values(self._trial_id, TrialState.FAIL)
        report(self, value, step)

    monkeypatch.setattr(optuna.Trial, "report", cut_off)
    whole(tmp_path / "out")
    assert "coarse-2 taken for lost, as this process was cut off; made again\n" in capsys.readouterr().err
    assert_each_point_once(tmp_path / "out", expected)


def test_stopped_by_hand_and_taken_up_again(tmp_path, monkeypatch, expected):
    report, calls = optuna.Trial.report, itertools.count()

    def stop(self, value, step):
        if next(calls) == 3:
            raise KeyboardInterrupt
        report(self, value, step)

    monkeypatch.setattr(optuna.Trial, "report", stop)
    with pytest.raises(KeyboardInterrupt):
        whole(tmp_path / "out")
    assert len((tmp_path / "out" / "trials.csv").read_text().splitlines()) == 2
    whole(tmp_path / "out")
    assert_each_point_once(tmp_path / "out", expected)
