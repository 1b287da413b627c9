"""One stage of a search: its points, each tried once, by however many processes."""

from collections.abc import Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from anynet.search.journal import Lock
from anynet.search.space import Grid, Point, Range, Space
from anynet.search.worker import Worker

DONE = (TrialState.COMPLETE, TrialState.PRUNED)


class Stage:
    """A study of Optuna whose trials are known beforehand.

    name: of the study. worker: who takes trials here. pruner: which trials to give up early.
    space: of the points, each of which becomes a trial that carries its number from 0 as the attribute "point".
    """

    def __init__(
        self,
        name: str,
        storage: optuna.storages.BaseStorage,
        lock: Lock,
        worker: Worker,
        space: Space,
        points: Sequence[Point],
        pruner: optuna.pruners.BasePruner,
    ) -> None:
        self.name, self._points, self._lock, self._worker = name, points, lock, worker
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

    def take(self) -> optuna.Trial | None:
        """The next trial that nobody has, or None where all are had by someone or done.

        What it does is one step for all other processes: nobody sees a trial taken and not yet signed.
        """
        with self._lock:
            self._enqueue()
            if not self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
                return None
            trial = self.study.ask(self._distributions)
            trial.set_user_attr("worker", self._worker.name)
            return trial

    def done(self) -> list[FrozenTrial]:
        """The finished trials, by point."""
        trials = self.study.get_trials(deepcopy=False, states=DONE)
        return sorted(trials, key=lambda trial: trial.user_attrs["point"])

    def is_done(self) -> bool:
        return len(self.done()) == len(self._points)

    def _enqueue(self) -> None:
        """Make a trial for each point that has none, or had one whose worker died.

        Whoever is killed in the midst of it leaves the rest to the next.
        """
        had = set()
        for trial in self.study.get_trials(deepcopy=False):
            if trial.state == TrialState.RUNNING and not self._worker.alive(trial.user_attrs.get("worker")):
                self.study.tell(trial.number, state=TrialState.FAIL)
            elif trial.state != TrialState.FAIL:
                had.add(trial.user_attrs["point"])
        for i, point in enumerate(self._points):
            if i not in had:
                self.study.enqueue_trial(point, user_attrs={"point": i})


def _distribution(part: Grid | Range) -> BaseDistribution:
    if isinstance(part, Grid):
        return CategoricalDistribution(part.values)
    if isinstance(part.low, int):
        return IntDistribution(part.low, int(part.high), log=part.log)
    return FloatDistribution(part.low, part.high, log=part.log)
