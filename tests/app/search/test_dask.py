"""Searches whose trials the workers of a Dask cluster train: in threads of the test, and in processes, some killed."""

import itertools
import logging
import os
import re
import signal
import threading
import time
from collections import Counter
from dataclasses import replace

import dask
import distributed
import pytest
import search_worker
from commands import refused
from optuna.trial import TrialState
from search_worker import BASE, many, outcomes
from servers import free_port
from test_sharing import studied

import anynet
from anynet.app import cli
from anynet.app.search import Grid, coarse_to_fine, dask_cluster, dask_pool, search
from anynet.app.search.dask_cluster import DaskError

pytestmark = [
    pytest.mark.usefixtures("few_pictures", "blank_plots"),
    pytest.mark.filterwarnings("ignore::anynet.training.TrainingWarning"),  # batches of one
]
OPTIONS = ["search", "--train", "400", "--val", "100", "--hidden", "5", "--over", "lr=0.1,0.2", "--out", "out"]
LOCAL = {"threads_per_worker": 1, "memory_limit": None, "dashboard_address": "127.0.0.1:0"}
TRIALS, WORKERS, KILLS = 30, 3, 3


@pytest.fixture
def threads(request):
    """Address of a cluster of threads of this process, by default two."""
    with distributed.LocalCluster(n_workers=getattr(request, "param", 2), processes=False, **LOCAL) as cluster:
        yield cluster.scheduler_address


class FewImages(distributed.WorkerPlugin):
    """Small synthetic data on all workers, also on those that start later; trials of a certain rate kill theirs."""

    def __init__(self, deadly):
        self.deadly = deadly

    def setup(self, worker):
        search_worker.sources.draw = search_worker.draw_few
        train = dask_pool.train_stack

        def train_or_die(experiments, *others):
            if any(experiment.config.lr == self.deadly for experiment in experiments):
                os.kill(os.getpid(), signal.SIGKILL)
            train(experiments, *others)

        dask_pool.train_stack = train_or_die


@pytest.fixture
def cluster(request, forking):
    """A cluster of processes; the parameters are their number and the trials that kill their workers."""
    n_workers, deadly = request.param
    with (
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}),
        distributed.LocalCluster(n_workers=n_workers, silence_logs=logging.CRITICAL, **LOCAL) as cluster,
    ):
        with distributed.Client(cluster) as client:
            client.register_plugin(FewImages(deadly))
        yield cluster


def test_trials_are_those_of_a_search_without_workers(tmp_path, threads):
    expected = outcomes(many(tmp_path / "alone", 8))
    assert outcomes(many(tmp_path / "dask", 8, dask=threads)) == expected
    assert (tmp_path / "alone" / "search.json").read_text() == (tmp_path / "dask" / "search.json").read_text()
    assert outcomes(many(tmp_path / "dask", 8)) == expected  # all there


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1], indirect=True)
def test_trials_below_the_median_are_stopped(tmp_path, threads, monkeypatch):
    monkeypatch.setattr(dask_pool, "POLL_SECONDS", 0.02)
    space = {"lr": Grid((0.1, 0.2, 0.05, 0.3, 0.15, 1e-9))}
    base = replace(BASE, hidden="5", epochs=60, compile="off", evaluate_train="never")
    trials = search(base, space, tmp_path / "out", stack_size=1, dask=threads)
    states = {trial.settings["lr"]: trial.state for trial in trials}
    assert states.pop(1e-9) == "pruned"
    assert set(states.values()) == {"finished"}
    (pruned,) = (trial for trial in studied(tmp_path / "out") if trial.state == TrialState.PRUNED)
    assert list(pruned.intermediate_values) == list(range(1, len(pruned.intermediate_values) + 1))
    assert f"after epoch {len(pruned.intermediate_values)} below" in pruned.user_attrs["result"]["reason"]
    assert len(pruned.intermediate_values) < 60


def test_an_interrupted_search_leaves_the_workers_free_and_goes_on(tmp_path, threads, monkeypatch):
    expected = outcomes(many(tmp_path / "alone", 8))
    record, calls = dask_pool.record, itertools.count()

    def interrupt(*args):
        if next(calls) == 3:
            raise KeyboardInterrupt
        record(*args)

    monkeypatch.setattr(dask_pool, "record", interrupt)
    with pytest.raises(KeyboardInterrupt):
        many(tmp_path / "out", 8, dask=threads)
    monkeypatch.setattr(dask_pool, "record", record)
    assert sum(trial.state.is_finished() for trial in studied(tmp_path / "out")) == 3
    with distributed.Client(threads) as client:
        while any(client.processing().values()):
            time.sleep(0.01)
    assert outcomes(many(tmp_path / "out", 8, dask=threads)) == expected
    assert Counter(trial.state for trial in studied(tmp_path / "out")).keys() == {TrialState.COMPLETE, TrialState.FAIL}


def test_workers_that_differ(tmp_path, threads, monkeypatch):
    submit = distributed.Client.submit

    def with_other(place, value):
        def submit_other(client, function, *args, **options):
            return submit(client, function, *(value if i == place else arg for i, arg in enumerate(args)), **options)

        return submit_other

    for place, value, message in (
        (2, "cifar10", "expected workers with data set cifar10, got synthetic on inproc://"),
        (3, "0.0.1", f"expected workers with anynet 0.0.1, got {anynet.__version__} on inproc://"),
        (0, [replace(BASE, data=str(tmp_path / "nowhere"))], "worker inproc://"),
    ):
        monkeypatch.setattr(distributed.Client, "submit", with_other(place, value))
        with pytest.raises(DaskError, match=re.escape(message)) as caught:
            many(tmp_path / "out", 8, dask=threads, stack_size=1)
        assert "\n" not in str(caught.value)
    monkeypatch.setattr(distributed.Client, "submit", submit)
    assert len(many(tmp_path / "out", 8, dask=threads)) == 8


def test_a_scheduler_that_does_not_answer(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 0.2)
    address = f"127.0.0.1:{free_port()}"
    said = refused(capsys, *OPTIONS, "--dask", address)
    assert said.startswith(f"anynet: --dask {address}: expected a scheduler that answers within 0.2 s, got an error: ")
    assert said.endswith("workers with: dask worker HOST:8786; or use --dask local\n")
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["", "nonsense://x", "host:port", "tcp://:1:2", "tls://a:1", "ucx://a:1"])
def test_an_address_that_is_none(tmp_path, capsys, monkeypatch, address):
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 0.2)
    said = refused(capsys, *OPTIONS, "--dask", address)
    assert said.startswith(f"anynet: --dask {address}: expected ")
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", [("--storage", "journal:///tmp/journal"), ("--log", "tensorboard")])
def test_options_that_need_this_process(capsys, option):
    said = refused(capsys, *OPTIONS, "--dask", "local", *option)
    assert said == (
        f"anynet: --dask: expected no {option[0]} beside it, since one process records what others train; drop one\n"
    )


def test_dask_that_is_not_installed(capsys, monkeypatch):
    monkeypatch.setattr(coarse_to_fine, "find_spec", lambda name: None)
    said = refused(capsys, *OPTIONS, "--dask", "local")
    assert said == "anynet: --dask: expected the package distributed; install it with: pip install '.[dask]'\n"


@pytest.mark.slow
@pytest.mark.parametrize("cluster", [(WORKERS, None)], indirect=True)
def test_killed_workers(tmp_path, cluster):
    expected = outcomes(many(tmp_path / "alone", TRIALS))
    killed = []

    def kill():
        """Kill a worker that trains whenever six more trials have been finished."""
        with distributed.Client(cluster, set_as_default=False) as client:
            while len(killed) < KILLS:
                busy = [address for address, tasks in client.processing().items() if tasks]
                if busy and len(read_table(tmp_path / "out")) > 6 * len(killed):
                    killed.append(client.run(os.getpid, workers=busy[:1])[busy[0]])
                    os.kill(killed[-1], signal.SIGKILL)
                time.sleep(0.02)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    found = outcomes(many(tmp_path / "out", TRIALS, dask=cluster.scheduler_address))
    thread.join(10)
    assert len(set(killed)) == KILLS
    assert found == expected
    trials = studied(tmp_path / "out")
    counted = Counter(trial.user_attrs["point"] for trial in trials if trial.state != TrialState.FAIL)
    assert counted == dict.fromkeys(range(TRIALS), 1)
    print(f"Dask: {KILLS} kills, {len(trials) - TRIALS} trials made again, {len(counted)} points, each once; "
          "all results are those of a search without workers")  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("cluster", [(1, 0.2)], indirect=True)
def test_a_trial_that_kills_its_workers(tmp_path, cluster):
    space = {"lr": Grid((0.1, 0.2))}
    with pytest.raises(DaskError) as caught:
        search(BASE, space, tmp_path / "out", stack_size=1, dask=cluster.scheduler_address)
    assert "all workers that trained coarse 2 died; see what they said last, perhaps of memory," in str(caught.value)
    states = [(trial.params["lr"], trial.state) for trial in studied(tmp_path / "out")]
    assert states == [(0.1, TrialState.COMPLETE), (0.2, TrialState.RUNNING)]
    assert len(search(BASE, space, tmp_path / "out")) == 2


@pytest.mark.slow
@pytest.mark.parametrize("cluster", [(1, None)], indirect=True)
def test_a_scheduler_that_ends(tmp_path, cluster, monkeypatch):
    """The search ends in one line, and goes on without it."""

    def close():
        while len(read_table(tmp_path / "out")) < 3:
            time.sleep(0.02)
        cluster.close()

    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 1)
    thread = threading.Thread(target=close, daemon=True)
    thread.start()
    with pytest.raises(DaskError, match="the scheduler is gone; run the same command again"):
        many(tmp_path / "out", 12, stack_size=1, dask=cluster.scheduler_address)
    thread.join(10)
    assert len(many(tmp_path / "out", 12)) == 12


@pytest.mark.slow
def test_workers_of_its_own(capsys, forking):
    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        cli.main([*OPTIONS[:-1], "local", "--data", "digits", "--epochs", "1", "--dask", "local"])
    assert "digits: 2 trials" in capsys.readouterr().out


def read_table(folder):
    """The lines of a search's table without their heading."""
    try:
        return (folder / "trials.csv").read_text().splitlines()[1:]
    except FileNotFoundError:
        return []
