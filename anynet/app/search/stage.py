"""One stage of a search: its points, each tried once, by however many processes."""

import math
from collections.abc import Hashable, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from anynet.app.search.journal import Lock
from anynet.app.search.space import Grid, Point, Range, Space
from anynet.app.search.worker import Worker

DONE = (TrialState.COMPLETE, TrialState.PRUNED)


class Stage:
    """A study of Optuna whose trials are known beforehand.

    name: of the study. worker: who takes trials here. pruner: which trials to give up early.
    space: of the points, each of which becomes a trial that carries its number from 0 as the attribute "point".
    keys: for each point what those have in common that can be trained at once.
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

    def take(self, most: int) -> list[optuna.Trial]:
        """The next trials that nobody has, as many as can be trained at once, to ``most`` and to a fair share of those
        that are left; none where all are had by someone or done.

        What it does is one step for all other processes: nobody sees a trial taken and not yet signed.
        """
        with self._lock:
            waiting, free = self._left()
            if free and not waiting:
                share = min(most, math.ceil(len(free) / self._worker.count()))
                waiting = [i for i in free if self._keys[i] == self._keys[free[0]]][:share]
                for i in waiting:
                    self.study.enqueue_trial(self._points[i], user_attrs={"point": i})
            elif waiting:  # of one who was killed here; which of them comes next is Optuna's to say
                waiting = waiting[:1]
            trials = [self.study.ask(self._distributions) for _ in waiting]
            for trial in trials:
                trial.set_user_attr("worker", self._worker.name)
            return trials

    def done(self) -> list[FrozenTrial]:
        """The finished trials, by point."""
        trials = self.study.get_trials(deepcopy=False, states=DONE)
        return sorted(trials, key=lambda trial: trial.user_attrs["point"])

    def is_done(self) -> bool:
        return len(self.done()) == len(self._points)

    def _left(self) -> tuple[list[int], list[int]]:
        """The points whose trials wait to be taken, and those that have none, or had one whose worker died."""
        waiting, had = [], set()
        for trial in self.study.get_trials(deepcopy=False):
            if trial.state == TrialState.RUNNING and not self._worker.alive(trial.user_attrs.get("worker")):
                self.study.tell(trial.number, state=TrialState.FAIL)
            elif trial.state != TrialState.FAIL:
                had.add(trial.user_attrs["point"])
                if trial.state == TrialState.WAITING:
                    waiting.append(trial.user_attrs["point"])
        return waiting, [i for i in range(len(self._points)) if i not in had]


def _distribution(part: Grid | Range) -> BaseDistribution:
    if isinstance(part, Grid):
        return CategoricalDistribution(part.values)
    if isinstance(part.low, int):
        return IntDistribution(part.low, int(part.high), log=part.log)
    return FloatDistribution(part.low, part.high, log=part.log)
