"""The files of a sweep's folder that a report page is made of."""

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anynet.app.config_file import read_settings
from anynet.app.result_file import ADVICE, read_known
from anynet.app.resuming import read_points
from anynet.app.run_report.analysis_file import read_analysis
from anynet.app.run_report.analyzed import ClassAnalysis, NumberAnalysis
from anynet.app.run_report.run_files import RunFiles, read_run
from anynet.app.space import Point
from anynet.app.sweep.statistics import ACCURACIES, group_by_settings
from anynet.core.errors import FileError
from anynet.core.formatting import format_settings


@dataclass(frozen=True)
class Combination:
    """Members that differ in their seeds alone.

    Parameters
    ----------
    settings : dict
        Of the swept settings, without the seed.
    members, diverged : list of int
        Numbers of all members, and of those that diverged.
    accuracies : dict
        "mean" and "deviation" (with n - 1) of each accuracy that was measured, by name.
    """

    settings: Point
    members: list[int]
    diverged: list[int]
    accuracies: dict[str, dict[str, float]]

    @property
    def name(self) -> str:
        """Text of the settings; empty if there are none."""
        return format_settings(self.settings)


@dataclass(frozen=True)
class SweepFiles:
    """Contents of the files of a sweep.

    Parameters
    ----------
    path : Path
    settings : dict
        Shared settings.
    points : list of dict
        Settings of each member.
    members : list of RunFiles
    result : dict
        Content of ``result.json``; empty if the sweep has not ended.
    combinations : list of Combination
        The best first.
    analysis : ClassAnalysis, NumberAnalysis or None
        Of the ensemble.
    """

    path: Path
    settings: dict[str, Any]
    points: list[Point]
    members: list[RunFiles]
    result: dict[str, Any]
    combinations: list[Combination]
    analysis: ClassAnalysis | NumberAnalysis | None

    @property
    def dataset(self) -> str:
        """Name of the data set, or of its source if the sweep has not ended."""
        return str(self.result.get("dataset", self.members[0].dataset))

    @property
    def best(self) -> RunFiles | None:
        """The member that is best in validation, if the sweep has ended."""
        return self.members[self.result["best_member"]] if "best_member" in self.result else None


def read_sweep(folder: Path) -> SweepFiles:
    """Read the files of a sweep.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    SweepFiles

    Raises
    ------
    FileError
        If a file is damaged; the message names it.
    OSError
        If a file cannot be read.
    """
    points, shared = read_points(folder), read_settings(folder / "config.toml")
    members = [read_run(folder / f"member-{k}", f"member {k}", shared | point) for k, point in enumerate(points)]
    path = folder / "result.json"
    result = read_known(path) if path.exists() else {}
    return SweepFiles(
        folder, shared, points, members, result, _combinations(path, result, points), read_analysis(folder)
    )


def _combinations(path: Path, result: dict[str, Any], points: Sequence[Point]) -> list[Combination]:
    if not result:
        return [Combination(settings, members, [], {}) for settings, members in group_by_settings(points)]
    if not (type(result.get("best_member")) is int and 0 <= result["best_member"] < len(points)):
        raise FileError(
            path, "key best_member", f"a number below {len(points)}", f"{result.get('best_member')}", ADVICE
        )
    rows: Any = result.get("over_seeds")
    if not isinstance(rows, list) or not all(_is_combination(row, len(points)) for row in rows) or not rows:
        raise FileError(path, "key over_seeds", "results of combinations of settings", reprlib.repr(rows), ADVICE)
    return [
        Combination(
            row["settings"], row["members"], row["diverged"], {name: row[name] for name in ACCURACIES if name in row}
        )
        for row in rows
    ]


def _is_combination(row: Any, members: int) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("settings"), dict)
        and all(isinstance(value, bool | int | float | str) for value in row["settings"].values())
        and all(isinstance(row.get(key), list) for key in ("members", "diverged"))
        and all(type(k) is int and 0 <= k < members for key in ("members", "diverged") for k in row[key])
        and all(_is_mean(row[name]) for name in ACCURACIES if name in row)
    )


def _is_mean(value: Any) -> bool:
    return isinstance(value, dict) and all(type(value.get(key)) in (int, float) for key in ("mean", "deviation"))
