"""Trials that are trained by the workers of a Dask cluster, and recorded by the process of the search."""

import itertools
import uuid
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, suppress
from functools import cache
from queue import SimpleQueue
from typing import Self

import distributed
import optuna

import anynet
from anynet.app.config import Config
from anynet.app.experiment import prepare
from anynet.app.keeping import warn
from anynet.app.search.dask_cluster import DaskError, connected
from anynet.app.search.train_trials import Outcome, record, train_stack
from anynet.core.errors import Error
from anynet.core.formatting import first_line
from anynet.data import Batches
from anynet.data.sources import find

POLL_SECONDS = 0.5
"""Longest time between looks at what the workers say."""
STOPPED: set[str] = set()
"""Trials that a worker is to end, by the key of the search and their names; in the process of the worker."""


class DaskPool:
    """Workers of a Dask cluster, as a context.

    Parameters
    ----------
    address : str
        Address of the scheduler, such as ``host:8786``, or "local" for a cluster of processes on this machine.

    Raises
    ------
    DaskError
        If no scheduler answers.
    """

    def __init__(self, address: str) -> None:
        self._address, self._key, self._exit = address, uuid.uuid4().hex, ExitStack()
        self._running: dict[distributed.Future, Sequence[optuna.Trial]] = {}
        self._said: SimpleQueue[tuple[str, int, float]] = SimpleQueue()
        self._reported: set[tuple[str, int]] = set()
        self._has_workers = True

    def __enter__(self) -> Self:
        self._client = self._exit.enter_context(connected(self._address))
        self._look_for_workers()
        self._client.subscribe_topic(self._key, lambda event: self._said.put(event[1]))
        return self

    def __exit__(self, *error: object) -> None:
        if self._running:  # the search was interrupted
            with suppress(OSError, CancelledError, TimeoutError):
                self._client.cancel(list(self._running))
                self._stop(itertools.chain(*self._running.values()))  # Dask stops no task that has begun
        self._exit.close()

    @property
    def size(self) -> int:
        """Number of workers, at least 1."""
        return max(1, self._count_workers())

    @property
    def has_room(self) -> bool:
        """True if there is a worker for another stack."""
        return len(self._running) < self.size

    def submit(self, trials: Sequence[optuna.Trial], configs: Sequence[Config], dataset: str) -> None:
        """Let a worker train trials as one stack."""
        names = [_name(trial) for trial in trials]
        task = self._client.submit(train_there, configs, names, dataset, anynet.__version__, self._key, pure=False)
        self._running[task] = trials

    def collect(self, study: optuna.Study) -> bool:
        """Record what the workers have said and finished, after some time or when a stack ends; False if none runs."""
        if not self._running:
            return False
        try:
            with suppress(TimeoutError):
                distributed.wait(list(self._running), timeout=POLL_SECONDS, return_when="FIRST_COMPLETED")
            self._look_for_workers()
            self._prune()
            for task in [task for task in self._running if task.done()]:
                self._end(study, task, self._running.pop(task))
        except CancelledError:
            raise self._gone() from None
        return True

    def _count_workers(self) -> int:
        try:
            return len(self._client.nthreads())
        except OSError:
            raise self._gone() from None

    def _gone(self) -> DaskError:
        return DaskError(f"--dask {self._address}: the scheduler is gone; run the same command again")

    def _look_for_workers(self) -> None:
        """Say once that there are no workers, until some come."""
        had, self._has_workers = self._has_workers, self._count_workers() > 0
        if had and not self._has_workers:
            warn(f"--dask {self._address}: no workers are there; the search waits for them")

    def _prune(self) -> None:
        """Report the epochs that have ended, and stop the trials that are not worth it."""
        running = {_name(trial): trial for trials in self._running.values() for trial in trials}
        while not self._said.empty():
            name, epoch, score = self._said.get()
            if name in running:
                self._report(running[name], {epoch: score})
                if running[name].should_prune():
                    self._stop([running[name]])

    def _stop(self, trials: Iterable[optuna.Trial]) -> None:
        """Let the workers of trials end them after the epoch that they are in."""
        names = {f"{self._key} {_name(trial)}" for trial in trials}
        self._client.run(stop_there, names, on_error="ignore", wait=False)

    def _end(self, study: optuna.Study, task: distributed.Future, trials: Sequence[optuna.Trial]) -> None:
        try:
            outcomes = task.result()
        except distributed.KilledWorker:
            names = ", ".join(f"{trial.study.study_name} {trial.user_attrs['point'] + 1}" for trial in trials)
            raise DaskError(
                f"--dask {self._address}: all workers that trained {names} died; see what they said last, perhaps of "
                "memory, and run the same command again, with a smaller --stack-size if there were several trials"
            ) from None
        except ImportError as error:
            raise DaskError(
                f"--dask {self._address}: expected workers with the packages that are here, got: {first_line(error)}; "
                "install anynet there, too"
            ) from None
        for trial, outcome in zip(trials, outcomes, strict=True):
            self._report(trial, outcome.scores)
            record(study, trial, outcome)

    def _report(self, trial: optuna.Trial, scores: Mapping[int, float]) -> None:
        """Report scores by epoch that are not known yet."""
        for epoch, score in scores.items():
            if (_name(trial), epoch) not in self._reported:
                trial.report(score, epoch)
                self._reported.add((_name(trial), epoch))


def _name(trial: optuna.Trial) -> str:
    return f"{trial.study.study_name} {trial.number}"


def train_there(configs: Sequence[Config], names: Sequence[str], dataset: str, version: str, key: str) -> list[Outcome]:
    """Train trials as one stack; called by a worker.

    Parameters
    ----------
    configs : sequence of Config
        One for each trial.
    names : sequence of str
        One for each trial.
    dataset : str
        Name of the data set that the worker must find.
    version : str
        Version of anynet that it must have.
    key : str
        Key of the search, the topic of what is said.

    Returns
    -------
    list of Outcome

    Raises
    ------
    DaskError
        If the worker lacks the data set, or has another one or another version.
    """
    worker = distributed.get_worker()
    try:
        found = _images(configs[0].data)
    except Error as error:
        raise DaskError(f"--dask: worker {worker.address}: {first_line(error)}") from None
    for what, here, there in (("anynet", anynet.__version__, version), ("data set", found[0], dataset)):
        if here != there:
            raise DaskError(f"--dask: expected workers with {what} {there}, got {here} on {worker.address}")
    outcomes: dict[int, Outcome] = {}

    def prune(k: int, epoch: int, score: float) -> bool:
        worker.log_event(key, (names[k], epoch, score))
        return f"{key} {names[k]}" in STOPPED

    train_stack([prepare(config, found) for config in configs], prune, outcomes.__setitem__)
    return [outcomes[k] for k in range(len(configs))]


async def stop_there(names: Iterable[str]) -> None:
    """Let a worker end trials after the epoch that they are in; called by a worker."""
    STOPPED.update(names)


@cache
def _images(data: str) -> tuple[str, Batches]:
    return find(data)
