"""A search from its space to its table: coarse, then fine."""

import time
from dataclasses import replace
from pathlib import Path

import optuna
from tqdm import tqdm

from anynet.app.config import Config
from anynet.app.experiment import prepare
from anynet.app.grouping import TOGETHER, key
from anynet.app.search import folder as folders
from anynet.app.search.fine import Fine, narrow
from anynet.app.search.journal import Lock, storage
from anynet.app.search.space import Point, Space, checked, points
from anynet.app.search.stage import Stage
from anynet.app.search.trial import Trial, ranked, read, train
from anynet.app.search.worker import Worker
from anynet.app.wording import described
from anynet.data import Batches
from anynet.data.sources import find

LOOK = 0.5
"""Seconds between looks at what other processes have finished."""


def search(
    base: Config,
    space: Space,
    folder: Path,
    *,
    trials: int | None = None,
    fine: Fine | None = None,
    prune: bool = True,
    seed: int = 42,
    together: int = TOGETHER,
) -> list[Trial]:
    """Train once for each point of a space, and rank what comes out by validation accuracy.

    base: the settings of everything that is not searched. space: for each field to search a ``Grid`` or a ``Range``.
    folder: where the results go. Any number of processes that call this with the same arguments share the work; after
        whatever end, the same call goes on where it was.
    trials: how many points to draw, where there is a range; grids are tried whole.
    fine: a second stage, around the best of the first.
    prune: whether to give up a trial whose validation accuracy, from a quarter of its epochs on, has stayed below the
        median of the finished ones at that epoch. With several processes, who is pruned depends on who was first.
    seed: of the points; the base's own seed is that of the training.
    together: how many trials a process trains at once, where their settings let it; see ``anynet.app.grouping``. They
        come out the same, but that those at once cannot be pruned by each other's median.

    Returns all trials, the best first. Raises TypeError or ValueError for what cannot be searched, and what ``prepare``
    raises for any point, before anything is written; FileExistsError and ValueError for a folder that holds
    something else; ValueError for a fine stage where no coarse trial got through an epoch.
    """
    folder, space = Path(folder), checked(space)
    if together < 1:
        raise ValueError(f"together: expected 1 or more, got {together}")
    if fine is not None:
        fine.check(space)
    coarse = points(space, trials, seed, stage=0)
    found = find(base.data)
    later = fine.base if fine and fine.base else base
    bases = _resolved(base, found), _resolved(later, found)
    settings = folders.settings(bases, space, trials, fine, prune, seed)
    if folders.is_new(folder, settings):
        for config in dict.fromkeys(bases):
            for point in tqdm(coarse, "looking at points", leave=False, disable=None):
                prepare(replace(config, **point), found)
    folder.mkdir(parents=True, exist_ok=True)
    return _Search(folder, found, prune, together).run(settings, bases, space, coarse, fine, seed)


class _Search:
    def __init__(self, folder: Path, found: tuple[str, Batches], prune: bool, together: int) -> None:
        self._folder, self._found, self._prune, self._together = folder, found, prune, together
        self._lock = Lock(folder / folders.JOURNAL)
        self._stages: list[Stage] = []

    def run(
        self,
        settings: dict,
        bases: tuple[Config, Config],
        space: Space,
        coarse: list[Point],
        fine: Fine | None,
        seed: int,
    ) -> list[Trial]:
        with self._lock:
            folders.begin(self._folder, settings)
            self._storage = storage(self._folder / folders.JOURNAL, self._lock)
        total = len(coarse) + (fine.trials if fine else 0)
        with Worker(self._folder / folders.WORKERS) as worker, tqdm(total=total, unit="trial", disable=None) as bar:
            self._finish("coarse", bases[0], space, coarse, worker, bar)
            if fine is not None:
                best = [trial.settings for trial in self._trials() if trial.best_val_accuracy is not None]
                if not best:
                    raise ValueError(
                        f"no coarse trial got through an epoch, so there is nothing to look around; "
                        f"{self._folder / folders.TABLE} says why"
                    )
                narrowed = narrow(space, best[: fine.best], fine.margin)
                drawn = points(narrowed, fine.trials, seed, stage=1)
                self._finish("fine", bases[1], narrowed, drawn, worker, bar)
        with self._lock:
            folders.draw(self._folder, self._trials())
        return self._trials()

    def _finish(self, name: str, base: Config, space: Space, drawn: list[Point], worker: Worker, bar: tqdm) -> None:
        """Return when all points of a stage are done, by this process or by others."""
        keys = [key(replace(base, **point)) for point in drawn]
        stage = Stage(name, self._storage, self._lock, worker, space, drawn, keys, self._pruner(base))
        self._stages.append(stage)
        while not stage.is_done():
            self._show(bar)
            trials = stage.take(self._together)
            if not trials:
                time.sleep(LOOK)
                continue
            train(stage.study, trials, [prepare(replace(base, **trial.params), self._found) for trial in trials])
            with self._lock:
                folders.write_table(self._folder, self._trials())
        with self._lock:
            # Once more, for one who was killed between a trial's end and its line.
            folders.write_table(self._folder, self._trials())
        self._show(bar)

    def _trials(self) -> list[Trial]:
        return ranked([read(stage.name, trial) for stage in self._stages for trial in stage.done()])

    def _pruner(self, base: Config) -> optuna.pruners.BasePruner:
        if not self._prune:
            return optuna.pruners.NopPruner()
        return optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=base.epochs // 4)

    def _show(self, bar: tqdm) -> None:
        trials = self._trials()
        bar.update(len(trials) - bar.n)
        if trials and (accuracy := trials[0].best_val_accuracy) is not None:
            bar.set_postfix_str(f"best in validation {accuracy:.1%}, {described(trials[0].settings)}")


def _resolved(config: Config, found: tuple[str, Batches]) -> Config:
    """With what "auto" has come to, so that a search is not taken up again on other images."""
    return replace(config, data="synthetic") if found[0] == "synthetic" else config
