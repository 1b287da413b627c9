"""Files of a sweep."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from anynet.app.config import Config, write_config
from anynet.app.run_folder import RunFolder, environment, make_folder, write_result
from anynet.app.space import Point
from anynet.app.sweep.pictures import save_plots
from anynet.app.sweep.statistics import history_result, over_seeds
from anynet.core.csv_files import write_rows
from anynet.data import Dataset
from anynet.training import Epoch, History, Runs

MEMBERS = "members.csv"
COLUMNS = (
    *("epochs", "train_accuracy", "val_accuracy", "test_accuracy"),
    *("best_epoch", "best_val_accuracy", "best_test_accuracy", "diverged", "dataset"),
)


class SweepFolder:
    """Writer of a sweep's folder.

    ``config.toml`` holds the shared settings, ``members.csv`` a row for each member with its own settings and its
    results, written after every epoch. ``member-0`` and so on are the run folders of the members, as if each had been
    trained alone. At the end, ``result.json`` holds the best member, the ensemble, and means and deviations over the
    seeds; for the plots see `anynet.app.sweep.pictures.save_plots`.

    As a context: if training fails before the first epoch ends, the folder is removed.

    Parameters
    ----------
    path : Path, optional
        New folder. Default: see `anynet.app.run_folder.make_folder`.
    points : sequence of dict
        Settings in which the members differ.
    members : sequence of Config
        All settings of each member.
    data : Dataset
        Images.

    Raises
    ------
    FileExistsError
        If the folder exists.
    """

    def __init__(self, path: Path | None, points: Sequence[Point], members: Sequence[Config], data: Dataset) -> None:
        self.path = make_folder(path)
        self._points, self._configs, self._data = points, members, data
        self._histories = [History() for _ in points]
        self._folders: dict[int, RunFolder] = {}
        write_config(members[0], self.path / "config.toml", without=points[0])
        self._write_members({})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None and not any(self._histories):
            shutil.rmtree(self.path)

    def add(self, rows: dict[int, Epoch]) -> None:
        """Append an epoch of some members, by number, to their histories."""
        for k, row in rows.items():
            self._histories[k] = History([*self._histories[k], row])
            self._member(k).add(row)
        self._write_members({})

    def finish(self, runs: Runs) -> dict[str, Any]:
        """Write results, nets and plots, and return the content of ``result.json``.

        Parameters
        ----------
        runs : Runs
            The trained members; those whose turn had not come when training was interrupted are left out.

        Returns
        -------
        dict

        Raises
        ------
        ValueError
            If all members diverged. The folder then holds their histories and the reasons.
        """
        self._points, self._histories = self._points[: len(runs)], [run.history for run in runs]
        results = {}
        for k, run in enumerate(runs):
            if run.diverged is None:
                results[k] = self._member(k).finish(run, official=self._data.official)
            else:
                self._member(k).fail(run.dataset, str(run.diverged))
        self._write_members(
            {k: results[k] if run.diverged is None else {"diverged": run.diverged} for k, run in enumerate(runs)}
        )
        best = next(k for k, run in enumerate(runs) if run is runs.best)
        result = {
            **environment(runs[best], official=self._data.official),
            "order_seed": self._configs[0].order_seed,
            "interrupted": runs.interrupted,
            "members": len(runs),
            "diverged_members": list(runs.diverged),
            "best_member": best,
            **{name: results[best][name] for name in ("best_epoch", "best_val_accuracy", "best_test_accuracy")},
            "ensemble_test_accuracy": runs.ensemble.test_accuracy,
            "over_seeds": over_seeds(self._points, runs, results),
            "seconds": round(max(run.seconds for run in runs), 3),
        }
        save_plots(self.path, self._points, runs, result["over_seeds"], self._configs[0].val_name)
        write_result(self.path, result)
        return result

    def _member(self, k: int) -> RunFolder:
        if k not in self._folders:
            self._folders[k] = RunFolder(self.path / f"member-{k}", self._configs[k], self._data.name)
        return self._folders[k]

    def _write_members(self, results: dict[int, dict[str, Any]]) -> None:
        rows = [
            {"member": k, **point, **history_result(history), **results.get(k, {}), "dataset": self._data.name}
            for k, (point, history) in enumerate(zip(self._points, self._histories, strict=True))
        ]
        write_rows(self.path / MEMBERS, ["member", *self._points[0], *COLUMNS], rows)
