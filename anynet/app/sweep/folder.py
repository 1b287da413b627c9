"""What nets that were trained at once leave on disk."""

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from anynet.app import config as configs
from anynet.app.config import Config
from anynet.app.run_folder import RunFolder, circumstances, refuse_existing, write_result
from anynet.app.sweep.pictures import draw
from anynet.app.sweep.points import Point
from anynet.app.sweep.statistics import over_seeds, progress
from anynet.core.atomic import write_whole
from anynet.data import Dataset
from anynet.training import Epoch, History, Runs

MEMBERS = "members.csv"
COLUMNS = (
    *("epochs", "train_accuracy", "val_accuracy", "test_accuracy"),
    *("best_epoch", "best_val_accuracy", "best_test_accuracy", "diverged", "dataset"),
)


class SweepFolder:
    """A new folder that fills while nets are trained at once.

    config.toml: the settings that they share. members.csv: a line for each, with what it has of its own and what it
    came to, written after every epoch. member-0 and so on: the folder of each one's run, from its first epoch on, as if
    it had been trained alone. At the end, result.json: the best, the ensemble, means and deviations over the seeds; and
    pictures, as ``pictures.draw`` makes them.

    As a context: where training fails before the first epoch is over, the folder is taken away again.

    Raises FileExistsError where the folder is there already.
    """

    def __init__(self, path: Path, points: Sequence[Point], members: Sequence[Config], data: Dataset) -> None:
        refuse_existing(path)
        path.mkdir(parents=True)
        self.path = path
        self._points, self._configs, self._data = points, members, data
        self._histories = [History() for _ in points]
        self._folders: dict[int, RunFolder] = {}
        configs.write(members[0], path / "config.toml", without=points[0])
        self._write_members({})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None and not any(self._histories):
            shutil.rmtree(self.path)

    def add(self, rows: dict[int, Epoch]) -> None:
        """Write down an epoch of some members."""
        for k, row in rows.items():
            self._histories[k] = History([*self._histories[k], row])
            self._member(k).add(row)
        self._write_members({})

    def finish(self, runs: Runs) -> dict[str, Any]:
        """Write everything else; returns what is in result.json.

        Raises ValueError where all members diverged: their histories and the reasons are all there is then.
        """
        # Those that were to be trained later when training was stopped by hand are left out.
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
            **circumstances(runs[best], official=self._data.official),
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
        draw(self.path, self._points, runs, result["over_seeds"], self._configs[0].val_name)
        write_result(self.path, result)
        return result

    def _member(self, k: int) -> RunFolder:
        if k not in self._folders:
            self._folders[k] = RunFolder(self.path / f"member-{k}", self._configs[k], self._data.name)
        return self._folders[k]

    def _write_members(self, results: dict[int, dict[str, Any]]) -> None:
        rows = [
            {"member": k, **point, **progress(history), **results.get(k, {}), "dataset": self._data.name}
            for k, (point, history) in enumerate(zip(self._points, self._histories, strict=True))
        ]

        def write(path: Path) -> None:
            with path.open("w", newline="", encoding="utf-8") as file:
                # Of a member's result.json, what is a column.
                writer = csv.DictWriter(file, ["member", *self._points[0], *COLUMNS], extrasaction="ignore")
                writer.writeheader()
                writer.writerows(rows)

        write_whole(self.path / MEMBERS, write)
