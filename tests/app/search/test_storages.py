"""Searches in PostgreSQL, MariaDB, Redis and a shared journal: by several processes, some of which are killed."""

import itertools
import signal
import time
from collections import Counter
from pathlib import Path

import optuna
import pytest
import search_worker
from optuna.trial import TrialState
from search_worker import many, outcomes
from servers import IN_URL, PASSWORD, SERVERS

from anynet.app import cli
from anynet.app.search.stores.open_store import open_store

pytestmark = [
    pytest.mark.usefixtures("few_pictures", "blank_plots"),
    pytest.mark.filterwarnings("ignore::anynet.training.TrainingWarning"),  # batches of one
]
TRIALS, PROCESSES = 30, 4
KILLS = {"postgresql": 3}
"""Number of kills by storage; of others, which take less time, 2."""


@pytest.fixture(scope="module", params=[*SERVERS, "journal"])
def storage(request, tmp_path_factory):
    """The URL of a storage."""
    if request.param == "journal":
        yield f"journal://{tmp_path_factory.mktemp('shared') / 'journal.log'}"
        return
    with SERVERS[request.param]() as url:
        yield url


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Return the results of an undisturbed search."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_worker.sources, "draw", search_worker.draw_few)
        return outcomes(many(tmp_path_factory.mktemp("undisturbed") / "out", TRIALS))


def studied(store):
    """All trials in a storage, failed ones included."""
    try:
        return optuna.load_study(study_name=store.study("coarse"), storage=store.storage).trials
    except KeyError:
        return []


@pytest.mark.slow
def test_what_killed_processes_began_is_made_again(tmp_path, storage, forking, expected):
    kills = KILLS.get(storage.partition(":")[0], 2)
    go, numbers, processes, killed = tmp_path / "go", itertools.count(), [], []

    def start():
        """Start a process that has a folder of its own, as on another machine."""
        folder = tmp_path / f"{next(numbers)}" / "killed"
        processes.append(forking.Process(target=search_worker.share, args=(folder, TRIALS, storage, go)))
        processes[-1].start()

    for _ in range(PROCESSES):
        start()
    go.touch()
    store = open_store(storage, tmp_path / "killed")
    while len(killed) < kills:
        assert any(process.is_alive() for process in processes)
        trials = studied(store)
        running = {pid_of(trial) for trial in trials if trial.state == TrialState.RUNNING}
        busy = [process for process in processes if process.pid in running and process.is_alive()]
        if busy and sum(trial.state == TrialState.COMPLETE for trial in trials) > 6 * len(killed):
            busy[0].kill()
            killed.append(busy[0].pid)
            start()
        time.sleep(0.05)
    for process in processes:
        process.join()
    trials = studied(store)
    store.close()
    assert sorted(process.exitcode for process in processes) == [-signal.SIGKILL] * kills + [0] * PROCESSES
    counted = Counter(trial.user_attrs["point"] for trial in trials if trial.state != TrialState.FAIL)
    assert counted == dict.fromkeys(range(TRIALS), 1)
    lost = [pid_of(trial) for trial in trials if trial.state == TrialState.FAIL]
    assert lost
    assert set(lost) <= set(killed)
    assert outcomes(many(tmp_path / "killed", TRIALS, storage=storage)) == expected
    print(f"{store.shown}: {kills} kills, {len(lost)} trials lost and made again, {len(counted)} points, each once; "
          "all results are those of an undisturbed search")  # fmt: skip


@pytest.mark.slow
def test_passwords_are_kept_nowhere(tmp_path, storage, capsys, real_pages):
    flags = ["--data", "synthetic", "--train", "400", "--val", "100", "--hidden", "5", "--epochs", "1"]
    command = ["search", *flags, "--over", "lr=0.1,0.2", "--out", "out", "--storage", storage]
    cli.main(command)
    cli.main(["runs", "."])
    cli.main(["report", "out"])
    for url in (storage.replace("@", "x@", 1), storage.replace("127.0.0.1", "nowhere.invalid")):  # a wrong password
        if url != storage:
            with pytest.raises(SystemExit):
                cli.main([*command[:-1], url])
    said = capsys.readouterr()
    assert storage.startswith("journal") or said.err.count("expected a storage that answers") == 2
    texts = [said.out, said.err, *(path.read_bytes().decode("latin-1") for path in Path("out").rglob("*.*"))]
    assert len(texts) > 6
    assert not any(secret in text for secret in (PASSWORD, IN_URL) for text in texts)
    shown = storage.rpartition("@")[2].removeprefix("journal://")
    assert shown in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert shown in (tmp_path / "out" / "search.json").read_text()


def pid_of(trial):
    """Return the number of the process that has made a trial."""
    return int(trial.user_attrs["worker"].split("-")[-2])
