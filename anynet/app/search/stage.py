"""One stage of a search: points, each tried once, by any number of processes."""

import math
from collections.abc import Callable, Hashable, Sequence

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from anynet.app.search.samplers import distributions
from anynet.app.search.stores.store import Store
from anynet.app.search.stores.worker import Worker
from anynet.app.search.trial import FINISHED, check_point, check_trial
from anynet.app.space import Point, Space

Propose = Callable[[Sequence[FrozenTrial], int, int], list[Point]]
"""Function of the trials so far, the index of the next point and a number of points, which returns these."""


class Stage:
    """A study of Optuna's with a number of points.

    A trial has the index of its point as the attribute "point", and its process as "worker". Points that are drawn
    while the search runs are attributes "point N" of the study.

    Parameters
    ----------
    name : str
        Name of the stage.
    store : Store
        Where the study is kept.
    worker : Worker
        This process.
    space : mapping from str to Grid or Range
        Space of the points.
    points : sequence of dict
        Points that are known before the first is tried.
    key : callable
        Returns a hashable for a point; points with equal keys can be trained as one stack.
    pruner : optuna.pruners.BasePruner
        Decides which trials to stop.
    propose : callable
        Draws further points; see `Propose`.
    count : int, optional
        Number of points that this process is to see finished. Default: that of `points`.
    planned : int, optional
        Number of points that all processes have asked for. Default: `count`.

    Attributes
    ----------
    name, count
        As given.
    study : optuna.Study

    Raises
    ------
    FileError
        If the storage has a trial or a point that does not belong to the stage.
    """

    def __init__(
        self,
        name: str,
        store: Store,
        worker: Worker,
        space: Space,
        points: Sequence[Point],
        key: Callable[[Point], Hashable],
        pruner: optuna.pruners.BasePruner,
        propose: Propose | None = None,
        count: int | None = None,
        planned: int | None = None,
    ) -> None:
        self.name, self._store, self._worker = name, store, worker
        self._points, self._key, self._propose = list(points), key, propose
        self._keys: list[Hashable] = []
        self._space, self._distributions = space, distributions(space)
        self.count = len(points) if count is None else count
        with store.lock:
            self.study = optuna.create_study(
                study_name=store.study(name),
                storage=store.storage,
                direction="maximize",
                load_if_exists=True,
                sampler=optuna.samplers.RandomSampler(),  # draws nothing: trials are made with their points
                pruner=pruner,
            )
            self._read_points()
            for trial in self.study.get_trials(deepcopy=False):
                check_trial(trial, self.count if planned is None else planned, space, store.place)

    def claim(self, most: int, workers: int | None = None) -> list[optuna.Trial]:
        """Claim up to `most` points that can be trained as one stack, as trials; an empty list if none is left.

        A process claims no more than its share of the remaining points. Claiming is atomic: a trial is written with its
        point and its process in one line.

        Parameters
        ----------
        most : int
            Maximum number of trials.
        workers : int, optional
            Number of processes that share the points. Default: that of all which have opened the search.

        Returns
        -------
        list of optuna.Trial
        """
        with self._store.lock:
            self._read_points()
            claimed = self._claimed()
            left = self.count - sum(point < self.count for point in claimed)
            if not left:
                return []
            share = min(most, math.ceil(left / (workers or self._worker.count())))
            free = self._free(claimed)
            if not free:
                self._draw(min(share, self.count - len(self._points)))
                free = self._free(claimed)
            self._keys += map(self._key, self._points[len(self._keys) :])
            chosen = [i for i in free if self._keys[i] == self._keys[free[0]]][:share]
            return [self._start(i) for i in chosen]

    def finished(self) -> list[FrozenTrial]:
        """Return the finished trials, in the order of their points."""
        trials = self.study.get_trials(deepcopy=False, states=FINISHED)
        return sorted(trials, key=lambda trial: trial.user_attrs["point"])

    @property
    def done(self) -> int:
        """Number of finished trials of the first `count` points."""
        return sum(trial.user_attrs["point"] < self.count for trial in self.finished())

    def is_finished(self) -> bool:
        """Return True if the first `count` points are finished."""
        return self.done == self.count

    def _free(self, claimed: set[int]) -> list[int]:
        return [i for i in range(min(len(self._points), self.count)) if i not in claimed]

    def _claimed(self) -> set[int]:
        """Return the points that are finished or being tried, and end the trials of dead processes."""
        claimed = set()
        for trial in self.study.get_trials(deepcopy=False):
            alive = trial.state != TrialState.WAITING  # in Optuna's queue, which earlier versions used
            if trial.state == TrialState.RUNNING:
                alive = self._worker.alive(trial.user_attrs.get("worker"))
            if not alive:
                number = self._store.storage.get_trial_id_from_study_id_trial_number(self._study_id, trial.number)
                self._store.storage.set_trial_state_values(number, TrialState.FAIL)
            elif trial.state != TrialState.FAIL:
                claimed.add(trial.user_attrs["point"])
        return claimed

    def _read_points(self) -> None:
        """Read the points that were drawn meanwhile, by any process."""
        attributes = self.study.user_attrs
        while (name := f"point {len(self._points)}") in attributes:
            self._points.append(check_point(name, attributes[name], self._distributions, self._store.place))

    def _draw(self, count: int) -> None:
        if self._propose is None:
            raise AssertionError("a stage whose points are all known draws none")
        first = len(self._points)
        for i, point in enumerate(self._propose(self.study.get_trials(deepcopy=False), first, count), start=first):
            self.study.set_user_attr(f"point {i}", point)
            self._points.append(point)

    def _start(self, i: int) -> optuna.Trial:
        template = create_trial(
            state=TrialState.RUNNING,
            params=self._points[i],
            distributions=self._distributions,
            user_attrs={"point": i, "worker": self._worker.name},
        )
        return optuna.Trial(self.study, self._store.storage.create_new_trial(self._study_id, template))

    @property
    def _study_id(self) -> int:
        return self._store.storage.get_study_id_from_name(self.study.study_name)
