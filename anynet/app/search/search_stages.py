"""The two stages of a search, from the first trial to the files that are written at the end."""

import time
from collections.abc import Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial

from anynet.app.config import Config
from anynet.app.experiment import prepare
from anynet.app.grouping import stack_key
from anynet.app.keeping import harmless, warn
from anynet.app.search import search_folder
from anynet.app.search.fine import Fine, narrow
from anynet.app.search.ranked import Trials
from anynet.app.search.samplers import known_points, propose
from anynet.app.search.search_progress import SearchProgress
from anynet.app.search.search_settings import Settings, fine_trials
from anynet.app.search.stage import Stage
from anynet.app.search.stores.store import Store
from anynet.app.search.train_trials import train_trials
from anynet.app.search.trial import rank, read_trial
from anynet.app.search_json import IMPORTANCES, TABLE
from anynet.app.space import Point, Space
from anynet.app.trackers import trackers
from anynet.data import Batches

if TYPE_CHECKING:
    from anynet.app.search.dask_pool import DaskPool

COARSE, FINE = 0, 1
"""Numbers of the stages, by which their draws differ."""

NAMES = ("coarse", "fine")

AT_THE_END = {
    IMPORTANCES: search_folder.write_importances,
    search_folder.PLOT: search_folder.write_plot,
}
"""Functions that write files that a search can do without, by file."""

POLL_SECONDS = 0.5
"""Interval between checks of what other processes have finished."""


class SearchStages:
    """A search in a folder.

    Parameters
    ----------
    folder : Path
        Folder of the search; it exists.
    store : Store
        Where the trials are.
    found : tuple of str and Batches
        Images.
    bases : tuple of Config
        Settings of the coarse and of the fine stage that are not searched.
    space : mapping from str to Grid or Range
    settings : dict
        As returned by `anynet.app.search.search_settings.search_settings`.
    stack_size : int
        Largest number of trials that are trained as one stack.
    log : sequence of str
        Names of trackers, as returned by `anynet.app.trackers.tracker_names`.
    pool : DaskPool, optional
        Workers that train the trials; by default this process does.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        found: tuple[str, Batches],
        bases: tuple[Config, Config],
        space: Space,
        settings: Settings,
        stack_size: int,
        log: Sequence[str] = (),
        pool: "DaskPool | None" = None,
    ) -> None:
        self._folder, self._store, self._found, self._bases, self._space = folder, store, found, bases, space
        self._settings, self._stack_size, self._log, self._pool = settings, stack_size, log, pool
        self._stages: dict[int, Stage] = {}

    def run(self, fine: Fine | None) -> Trials:
        """Finish the trials that the settings ask for, by this process or by others, and return all that are there.

        Parameters
        ----------
        fine : Fine, optional
            Second stage.
        """
        wanted = self._settings["trials"], fine_trials(self._settings)
        merged = self._store.agree(self._settings)
        around = merged["fine"]["coarse"] if fine else 0
        with self._store.worker() as self._worker:
            if merged["fine"]:
                self._open(FINE, self._space, 0)  # to be read
            self._open(COARSE, self._space, max(wanted[0], around) if around else wanted[0])
            self._tell_what_is_there(merged, wanted)
            total = self._stages[COARSE].count + wanted[1]
            with SearchProgress(total) as progress:
                self._finish(COARSE, progress)
                if fine is not None:
                    self._open(FINE, narrow(self._space, self._best(around, fine.best), fine.margin), fine.trials)
                    self._finish(FINE, progress)
        trials = self._trials()
        with self._store.folder_lock:
            for name, write in AT_THE_END.items():
                with harmless(f"{self._folder / name} cannot be written"):
                    write(self._folder, trials)
        return trials

    def _open(self, stage: int, space: Space, count: int | None) -> None:
        """Open a stage for a number of trials, 0 if it is only to be read, None for all points of a grid."""
        base, sampler, seed = self._bases[stage], self._settings["sampler"], self._settings["seed"]
        points = [] if count == 0 else known_points(sampler, space, count, seed, stage)

        def key(point: Point) -> Hashable:
            return stack_key(replace(base, **point))

        def draw(trials: Sequence[FrozenTrial], first: int, most: int) -> list[Point]:
            return propose(trials, space, first, most, seed, stage)

        with self._store.lock:
            there = self._store.read_settings() or self._settings  # another process may have added trials
            planned = fine_trials(there) if stage == FINE else there["trials"]
            self._stages[stage] = Stage(
                NAMES[stage],
                self._store,
                self._worker,
                space,
                points,
                key,
                self._pruner(base),
                propose=draw,
                count=count,
                planned=planned,
            )

    def _finish(self, stage: int, progress: SearchProgress) -> None:
        """Return when all points of a stage are finished, by this process or by others."""
        points = self._stages[stage]
        while not points.is_finished():
            self._show(progress)
            if not (self._train_here(stage) if self._pool is None else self._train_there(stage, self._pool)):
                time.sleep(POLL_SECONDS)
        self._write_table()  # once more, in case a process was killed between a trial's end and its row
        self._show(progress)

    def _train_here(self, stage: int) -> bool:
        """Train a stack in this process; return False if there is nothing to do."""
        points = self._stages[stage]
        trials = points.claim(self._stack_size)
        if not trials:
            return False
        experiments = [prepare(config, self._found) for config in self._configs(stage, trials)]
        names = [f"{NAMES[stage]}-{trial.user_attrs['point'] + 1}" for trial in trials]
        callbacks = trackers(self._log, self._folder, names, anew=True)
        try:
            train_trials(points.study, trials, experiments, callbacks)
        except UpdateFinishedTrialError:
            warn(f"{self._store.shown}: {', '.join(names)} taken for lost, as this process was cut off; made again")
        self._write_table()
        return True

    def _train_there(self, stage: int, pool: "DaskPool") -> bool:
        """Give stacks to workers of Dask, and record what they finish; return False if there is nothing to do."""
        points = self._stages[stage]
        while pool.has_room and (trials := points.claim(self._stack_size, pool.size)):
            pool.submit(trials, self._configs(stage, trials), self._found[0])
        if not pool.collect(points.study):
            return False
        self._write_table()
        return True

    def _configs(self, stage: int, trials: Sequence[optuna.Trial]) -> list[Config]:
        return [replace(self._bases[stage], **trial.params) for trial in trials]

    def _best(self, around: int, most: int) -> list[Point]:
        """Return the best points among the first coarse trials."""
        tried = [trial for trial in self._trials() if trial.stage == NAMES[COARSE] and trial.number <= around]
        best = [trial.settings for trial in tried if trial.best_val_accuracy is not None]
        if not best:
            raise ValueError(
                f"fine: expected a coarse trial that finished an epoch, but all {len(tried)} diverged; see "
                f"{self._folder / TABLE}, and try lower learning rates"
            )
        return best[:most]

    def _tell_what_is_there(self, merged: Settings, wanted: tuple[int | None, int]) -> None:
        """Say that there are more trials than were asked for, or that the ranges of the fine stage stay."""
        planned = merged["trials"], fine_trials(merged)
        for stage, there, here in zip((COARSE, FINE), planned, wanted, strict=True):
            if there and here is not None and there > here:
                finished = len(self._stages[stage].finished())
                warn(
                    f"{self._folder}: {there} {NAMES[stage]} trials are there already ({finished} finished), "
                    f"and {here} were asked for; all finished ones are shown"
                )
        if wanted[1] and merged["fine"]["coarse"] < merged["trials"]:
            warn(
                f"{self._folder}: the fine stage stays around the best of the first {merged['fine']['coarse']} trials, "
                "which it was begun with"
            )

    def _trials(self) -> Trials:
        found = [
            read_trial(stage.name, trial) for _, stage in sorted(self._stages.items()) for trial in stage.finished()
        ]
        return Trials(tuple(rank(found)), self._space)

    def _write_table(self) -> None:
        with self._store.folder_lock:
            search_folder.write_table(self._folder, self._trials())

    def _pruner(self, base: Config) -> optuna.pruners.BasePruner:
        if not self._settings["prune"]:
            return optuna.pruners.NopPruner()
        return optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=base.epochs // 4)

    def _show(self, progress: SearchProgress) -> None:
        progress.update(self._trials(), sum(stage.done for stage in self._stages.values()))
