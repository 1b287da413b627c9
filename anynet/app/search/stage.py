"""One stage of a search: a list of points, each tried once, by any number of processes."""

import math
from collections.abc import Hashable, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from anynet.app.search.journal import Lock
from anynet.app.search.trial import FINISHED, check_trial
from anynet.app.search.worker import Worker
from anynet.app.space import Grid, Point, Range, Space


class Stage:
    """A study of Optuna's whose points are given.

    Parameters
    ----------
    name : str
        Name of the study.
    storage : optuna.storages.BaseStorage
        Where the study is kept.
    lock : Lock
        Lock of the storage.
    worker : Worker
        This process.
    space : mapping from str to Grid or Range
        Space of the points.
    points : sequence of dict
        Each becomes a trial, with its index as the attribute "point".
    keys : sequence of hashable
        One for each point; points with equal keys can be trained as one stack.
    pruner : optuna.pruners.BasePruner
        Decides which trials to stop.

    Raises
    ------
    FileError
        If the storage has a trial that does not belong to the stage.
    """

    def __init__(
        self,
        name: str,
        storage: optuna.storages.BaseStorage,
        lock: Lock,
        worker: Worker,
        space: Space,
        points: Sequence[Point],
        keys: Sequence[Hashable],
        pruner: optuna.pruners.BasePruner,
    ) -> None:
        self.name, self._points, self._keys, self._lock, self._worker = name, points, keys, lock, worker
        self._distributions = {field: _distribution(part) for field, part in space.items()}
        with lock:
            self.study = optuna.create_study(
                study_name=name,
                storage=storage,
                direction="maximize",
                load_if_exists=True,
                sampler=optuna.samplers.RandomSampler(),  # draws nothing: the points are given
                pruner=pruner,
            )
            for trial in self.study.get_trials(deepcopy=False):
                check_trial(trial, len(points), space, lock.journal)

    def claim(self, most: int) -> list[optuna.Trial]:
        """Claim up to `most` unclaimed trials that can be trained as one stack; an empty list if none is left.

        A process claims no more than its share of the remaining trials. Claiming is atomic: no process sees a trial
        that is claimed but not yet signed.

        Parameters
        ----------
        most : int
            Maximum number of trials.

        Returns
        -------
        list of optuna.Trial
        """
        with self._lock:
            waiting, free = self._unclaimed()
            if free and not waiting:
                share = min(most, math.ceil(len(free) / self._worker.count()))
                waiting = [i for i in free if self._keys[i] == self._keys[free[0]]][:share]
                for i in waiting:
                    self.study.enqueue_trial(self._points[i], user_attrs={"point": i})
            elif waiting:  # of a process that was killed here; Optuna decides which of them comes next
                waiting = waiting[:1]
            trials = [self.study.ask(self._distributions) for _ in waiting]
            for trial in trials:
                trial.set_user_attr("worker", self._worker.name)
            return trials

    def finished(self) -> list[FrozenTrial]:
        """Return the finished trials, in the order of their points."""
        trials = self.study.get_trials(deepcopy=False, states=FINISHED)
        return sorted(trials, key=lambda trial: trial.user_attrs["point"])

    def is_finished(self) -> bool:
        """Return True if all trials are finished."""
        return len(self.finished()) == len(self._points)

    def _unclaimed(self) -> tuple[list[int], list[int]]:
        """Return points whose trials wait in the queue, and points without a trial or with that of a dead worker."""
        waiting, claimed = [], set()
        for trial in self.study.get_trials(deepcopy=False):
            if trial.state == TrialState.RUNNING and not self._worker.alive(trial.user_attrs.get("worker")):
                self.study.tell(trial.number, state=TrialState.FAIL)
            elif trial.state != TrialState.FAIL:
                claimed.add(trial.user_attrs["point"])
                if trial.state == TrialState.WAITING:
                    waiting.append(trial.user_attrs["point"])
        return waiting, [i for i in range(len(self._points)) if i not in claimed]


def _distribution(part: Grid | Range) -> BaseDistribution:
    if isinstance(part, Grid):
        return CategoricalDistribution(part.values)
    if isinstance(part.low, int):
        return IntDistribution(part.low, int(part.high), log=part.log)
    return FloatDistribution(part.low, part.high, log=part.log)
