"""Files of a sweep."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from anynet.app.analyze import ANALYSIS, write_analysis
from anynet.app.config import Config
from anynet.app.config_file import write_config
from anynet.app.config_text import main_settings
from anynet.app.keeping import Page, Picture, Tolerant, write_or_rescue
from anynet.app.new_folder import begin_anywhere
from anynet.app.resuming import CHECKPOINTS, tell_what_is_kept, with_other_epochs, write_points
from anynet.app.run_folder import run_pages, run_pictures, write_run
from anynet.app.run_result import experiment_environment, run_result, write_failure, write_result
from anynet.app.space import Point
from anynet.app.sweep.pictures import sweep_pictures
from anynet.app.sweep.statistics import history_result, over_seeds
from anynet.core.csv_files import write_rows
from anynet.data import Dataset
from anynet.training import Epoch, History, Runs
from anynet.training.checkpoint_files import read_histories
from anynet.training.load import DIVERGENCE

MEMBERS = "members.csv"
COLUMNS = (
    *("epochs", "train_accuracy", "val_accuracy", "test_accuracy"),
    *("best_epoch", "best_val_accuracy", "best_test_accuracy", "diverged", "dataset"),
)


BEST = ("best_epoch", "best_val_accuracy", "best_test_accuracy")
"""Results of the best member that a sweep's ``result.json`` repeats."""


class SweepFolder:
    """Writer of a sweep's folder.

    ``config.toml`` holds the shared settings, ``members.csv`` a row for each member with its own settings and its
    results, written after every epoch. ``member-0`` and so on are the run folders of the members, as if each had been
    trained alone. At the end, ``result.json`` holds the best member, the ensemble, and means and deviations over the
    seeds; ``analysis.json`` is that of the ensemble; for the plots see `anynet.app.sweep.pictures`.

    As a context: if training fails before the first epoch ends, the folder is removed, unless members have a result or
    the reason why they diverged.

    Parameters
    ----------
    path : Path, optional
        New folder. Default: see `anynet.app.new_folder.make_folder`; if the disk is full, `path` is made elsewhere.
    points : sequence of dict
        Settings in which the members differ.
    members : sequence of Config
        All settings of each member.
    data : Dataset
        Images.
    resume : bool
        If True, `path` is the folder of a sweep that goes on from its checkpoints.

    Raises
    ------
    FileExistsError
        If the folder exists, unless `resume`.
    """

    def __init__(
        self,
        path: Path | None,
        points: Sequence[Point],
        members: Sequence[Config],
        data: Dataset,
        *,
        resume: bool = False,
    ) -> None:
        self._points, self._configs, self._data = points, members, data
        self._histories = [History() for _ in points]

        def write(path: Path) -> None:
            write_points(list(points), path)  # before the settings, which alone would be those of one net
            write_config(members[0], path / "config.toml", without=points[0])
            self._write_members(path, {})

        known = path if resume else None
        self._planned = {} if known is None else with_other_epochs(known, members[0].epochs)
        if known is None:
            self.path = begin_anywhere(path, write)
        else:
            self.path = known
            self._histories = read_histories(known / CHECKPOINTS) or self._histories
        self._tolerant, self._new = Tolerant(self.path), known is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        if (
            kind is not None
            and self._new
            and not any(self._histories)
            and not any(self.path.glob("member-*/result.json"))
        ):
            shutil.rmtree(self.path, ignore_errors=True)
        tell_what_is_kept(error, self.path)

    def add(self, rows: dict[int, Epoch]) -> None:
        """Append an epoch of some members, by number. If it cannot be written, a line on stderr says so once."""
        for k, row in rows.items():
            self._histories[k] = History([*self._histories[k], row])
        with self._tolerant:
            for k in rows:
                self._prepare_member(self.path, k)
                self._histories[k].write_csv(self.path / f"member-{k}" / "history.csv", self._data.name)
            self._write_members(self.path, {})

    def finish(self, runs: Runs) -> dict[str, Any]:
        """Write nets and results: here or, if that fails, in a new folder, which `path` then is.

        Parameters
        ----------
        runs : Runs
            The trained members; those whose turn had not come when training was interrupted are left out.

        Returns
        -------
        dict
            Content of ``result.json``.

        Raises
        ------
        OSError
            If they cannot be written elsewhere either.
        ValueError
            If all members diverged. The folder then holds their histories and the reasons.
        """
        self._points, self._histories = self._points[: len(runs)], [run.history for run in runs]
        official = self._data.official
        results = {
            k: run_result(run, official=official) | self._planned for k, run in enumerate(runs) if run.diverged is None
        }
        result: dict[str, Any] = {}

        def write(path: Path) -> None:
            if path != self.path or not self._new:  # it may have more epochs now
                write_config(self._configs[0], path / "config.toml", without=self._points[0])
            for k, run in enumerate(runs):
                self._prepare_member(path, k)
                if run.diverged is None:
                    write_run(path / f"member-{k}", run, results[k])
                else:
                    write_failure(path / f"member-{k}", run.dataset, run.diverged)
            self._write_members(path, results | {k: {"diverged": error} for k, error in runs.diverged.items()})
            if not results:
                reasons = f"reports of all members are in {path / 'member-N' / DIVERGENCE}"
                raise ValueError(f"all {len(runs)} members diverged, the first because {runs[0].diverged}; {reasons}")
            result.update(self._result(runs, results))
            write_result(path, result)

        self.path = write_or_rescue(self.path, write)
        return result

    def pages(self, runs: Runs) -> Iterator[Page]:
        """Return the files about the predictions of the ensemble, and then of its members, to be written."""
        ensemble = runs.ensemble
        if any(run.best_test is None for run in ensemble.runs):  # the test was interrupted
            return
        yield Page(self.path / ANALYSIS, lambda partial: write_analysis(partial, ensemble))
        for k, run in zip((k for k, run in enumerate(runs) if run.diverged is None), ensemble.each(), strict=True):
            yield from run_pages(self.path / f"member-{k}", run)

    def pictures(self, runs: Runs, result: dict[str, Any]) -> list[Picture]:
        """Return the pictures of the sweep, then those of its members, to be drawn."""
        val_name = self._configs[0].val_name
        shared = main_settings(self._configs[0], without=self._points[0])
        pictures = sweep_pictures(self.path, self._points, runs, result["over_seeds"], val_name, shared)
        for k, run in enumerate(runs):
            if run.diverged is None:
                settings = main_settings(self._configs[k])
                pictures += run_pictures(self.path / f"member-{k}", run, val_name, settings)
        return pictures

    def _result(self, runs: Runs, results: dict[int, dict[str, Any]]) -> dict[str, Any]:
        best = next(k for k, run in enumerate(runs) if run is runs.best)
        tested = all("test_accuracy" in each for each in results.values())  # not if the test was interrupted
        return {
            **experiment_environment(runs[best], official=self._data.official),
            "order_seed": self._configs[0].order_seed,
            "epochs": max(len(run.history) for run in runs),
            "interrupted": runs.interrupted,
            **self._planned,
            "members": len(runs),
            "diverged_members": list(runs.diverged),
            "best_member": best,
            **{name: results[best][name] for name in BEST if name in results[best]},
            **({"ensemble_test_accuracy": runs.ensemble.test_accuracy} if tested else {}),
            "over_seeds": over_seeds(self._points, runs, results),
            "seconds": round(max(run.seconds for run in runs), 3),
        }

    def _prepare_member(self, path: Path, k: int) -> None:
        """Make the folder of a member, with its settings, unless it is there."""
        folder = path / f"member-{k}"
        folder.mkdir(exist_ok=True)
        if not self._new or not (folder / "config.toml").exists():
            write_config(self._configs[k], folder / "config.toml")

    def _write_members(self, path: Path, results: dict[int, dict[str, Any]]) -> None:
        rows = [
            {"member": k, **point, **history_result(history), **results.get(k, {}), "dataset": self._data.name}
            for k, (point, history) in enumerate(zip(self._points, self._histories, strict=True))
        ]
        write_rows(path / MEMBERS, ["member", *self._points[0], *COLUMNS], rows)
