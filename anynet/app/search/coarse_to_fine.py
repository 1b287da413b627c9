"""A search in two stages: coarse, then fine."""

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
from tqdm import tqdm

from anynet.app.build_optimizer import check_varied
from anynet.app.config import Config
from anynet.app.experiment import prepare
from anynet.app.grouping import STACK_SIZE, stack_key
from anynet.app.keeping import harmless
from anynet.app.search import search_folder
from anynet.app.search.fine import Fine, narrow
from anynet.app.search.journal import Lock, open_storage
from anynet.app.search.stage import Stage
from anynet.app.search.trial import Trial, rank, read_trial, train_trials
from anynet.app.search.worker import Worker
from anynet.app.space import Grid, Point, Space, convert_space, points
from anynet.backends import backend as choose_backend
from anynet.core.formatting import format_settings
from anynet.core.streams import progress_bar
from anynet.data import Batches
from anynet.data.sources import find

MOST_TRIALS = 10_000
"""Largest number of points of a stage: all are validated before the first is trained."""

POLL_SECONDS = 0.5
"""Interval between checks of what other processes have finished."""


def search(
    base: Config,
    space: Space,
    folder: Path,
    *,
    trials: int | None = None,
    fine: Fine | None = None,
    prune: bool = True,
    seed: int = 42,
    stack_size: int = STACK_SIZE,
) -> list[Trial]:
    """Train once for each point of a space, and rank the trials by validation accuracy.

    Parameters
    ----------
    base : Config
        Settings that are not searched.
    space : mapping from str to Grid or Range
        Values to try, by setting.
    folder : Path
        Folder for the results. Processes that call `search` with equal arguments share the work, and the same call
        continues an interrupted search.
    trials : int, optional
        Number of random points, required if there is a range. Grids are tried completely.
    fine : Fine, optional
        Second stage, around the best points of the first.
    prune : bool
        Stop trials whose validation accuracy, from a quarter of their epochs on, is below the median of the finished
        trials at that epoch. If several processes share the search, this depends on their timing.
    seed : int
        Seed of the random points. The seed of the training is that of `base`.
    stack_size : int
        Number of trials that a process trains as one stack, if `anynet.app.grouping.stack_key` allows. Results are
        those of separate trials, except that trials of one stack do not prune each other.

    Returns
    -------
    list of Trial
        All trials, the best first.

    Raises
    ------
    FileExistsError
        If the folder holds something else than a search.
    TypeError, ValueError
        If a point cannot be trained, a stage has more than `MOST_TRIALS` points, the folder holds a search with other
        settings, or all coarse trials diverged before a fine stage. Points are validated before anything is written.
    BackendError, DataError, DownloadError, OutOfMemoryError
        As `anynet.app.experiment.prepare` and `anynet.fit` do.
    """
    folder, space = Path(folder), convert_space(space)
    if stack_size < 1:
        raise ValueError(f"stack_size: expected 1 or more, got {stack_size}")
    if fine is not None:
        fine.check(space)
    _check_counts(space, trials, fine)
    coarse = points(space, trials, seed, stage=0)
    choose_backend(base.backend, base.precision)  # before images are downloaded
    found = find(base.data)
    finer = fine.base if fine and fine.base else base
    bases = _resolve_data(base, found), _resolve_data(finer, found)
    settings = search_folder.search_settings(bases, space, trials, fine, prune, seed)
    if search_folder.is_new(folder, settings):
        for config in dict.fromkeys(bases):
            for point in progress_bar(iterable=coarse, desc="validating points", leave=False):
                at_point = replace(config, **point)
                check_varied(at_point, point)
                if prepare(at_point, found).data.val is None:
                    raise ValueError(
                        f"val: expected validation images, which rank trials, got {at_point.val}; use auto"
                    )
    folder.mkdir(parents=True, exist_ok=True)
    return _Search(folder, found, prune, stack_size).run(settings, bases, space, coarse, fine, seed)


class _Search:
    def __init__(self, folder: Path, found: tuple[str, Batches], prune: bool, stack_size: int) -> None:
        self._folder, self._found, self._prune, self._stack_size = folder, found, prune, stack_size
        self._lock = Lock(folder / search_folder.JOURNAL)
        self._stages: list[Stage] = []

    def run(
        self,
        settings: dict[str, Any],
        bases: tuple[Config, Config],
        space: Space,
        coarse: list[Point],
        fine: Fine | None,
        seed: int,
    ) -> list[Trial]:
        with self._lock:
            search_folder.write_settings(self._folder, settings)
            self._storage = open_storage(self._folder / search_folder.JOURNAL, self._lock)
        total = len(coarse) + (fine.trials if fine else 0)
        with (
            Worker(self._folder / search_folder.WORKERS) as worker,
            progress_bar(total=total, unit="trial") as bar,
        ):
            self._finish("coarse", bases[0], space, coarse, worker, bar)
            if fine is not None:
                best = [trial.settings for trial in self._trials() if trial.best_val_accuracy is not None]
                if not best:
                    raise ValueError(
                        f"fine: expected a coarse trial that finished an epoch, but all {len(coarse)} diverged; see "
                        f"{self._folder / search_folder.TABLE}, and try lower learning rates"
                    )
                narrowed = narrow(space, best[: fine.best], fine.margin)
                drawn = points(narrowed, fine.trials, seed, stage=1)
                self._finish("fine", bases[1], narrowed, drawn, worker, bar)
        with self._lock, harmless(f"{self._folder / search_folder.PLOT} cannot be drawn"):
            search_folder.write_plot(self._folder, self._trials())
        return self._trials()

    def _finish(
        self, name: str, base: Config, space: Space, drawn: list[Point], worker: Worker, bar: "tqdm[Any]"
    ) -> None:
        """Return when all points of a stage are finished, by this process or by others."""
        keys = [stack_key(replace(base, **point)) for point in drawn]
        stage = Stage(name, self._storage, self._lock, worker, space, drawn, keys, self._pruner(base))
        self._stages.append(stage)
        while not stage.is_finished():
            self._show(bar)
            trials = stage.claim(self._stack_size)
            if not trials:
                time.sleep(POLL_SECONDS)
                continue
            experiments = [prepare(replace(base, **trial.params), self._found) for trial in trials]
            train_trials(stage.study, trials, experiments)
            with self._lock:
                search_folder.write_table(self._folder, self._trials())
        with self._lock:
            # Once more, in case a process was killed between a trial's end and its row.
            search_folder.write_table(self._folder, self._trials())
        self._show(bar)

    def _trials(self) -> list[Trial]:
        return rank([read_trial(stage.name, trial) for stage in self._stages for trial in stage.finished()])

    def _pruner(self, base: Config) -> optuna.pruners.BasePruner:
        if not self._prune:
            return optuna.pruners.NopPruner()
        return optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=base.epochs // 4)

    def _show(self, bar: "tqdm[Any]") -> None:
        trials = self._trials()
        bar.update(len(trials) - bar.n)
        if trials and (accuracy := trials[0].best_val_accuracy) is not None:
            bar.set_postfix_str(f"best in validation {accuracy:.1%}, {format_settings(trials[0].settings)}")


def _check_counts(space: Space, trials: int | None, fine: Fine | None) -> None:
    grids = [len(part.values) for part in space.values() if isinstance(part, Grid)]
    every = math.prod(grids) if len(grids) == len(space) else 0
    for name, count in (("trials", trials or 0), ("fine", fine.trials if fine else 0), ("space", every)):
        if count > MOST_TRIALS:
            raise ValueError(f"{name}: expected at most {MOST_TRIALS:,} points, got {count:,}; try fewer")


def _resolve_data(config: Config, found: tuple[str, Batches]) -> Config:
    """Replace "auto" by the data set it led to, so that a search is never continued on other images."""
    return replace(config, data="synthetic") if found[0] == "synthetic" else config
