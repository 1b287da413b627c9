"""Kinds and contents of the folders given to ``report``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Union

from anynet.app.resuming import POINTS
from anynet.app.run_report.run_files import RunFiles, read_run
from anynet.app.run_report.sweep_files import SweepFiles, read_sweep
from anynet.app.search_json import SETTINGS
from anynet.app.sweep.sweep_folder import MEMBERS
from anynet.core.errors import FileError

if TYPE_CHECKING:
    from anynet.app.run_report.search_files import SearchFiles

EXPECTED = "the folder of a run, a sweep or a search"

Content = Union[list[RunFiles], SweepFiles, "SearchFiles"]
"""Subject of a page."""


def read_folders(folders: Sequence[Path]) -> Content:
    """Read the files of the folders that a page is about.

    Parameters
    ----------
    folders : sequence of Path
        Of one run or several, of one sweep or of one search.

    Returns
    -------
    list of RunFiles, SweepFiles or SearchFiles

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    FileError
        If a folder is another one, or a file in it is damaged.
    ValueError
        If there are several folders that are not all of runs on the same data set.
    """
    kinds = {folder: _kind(folder) for folder in folders}
    if len(folders) == 1:
        ((folder, kind),) = kinds.items()
        if kind == "search":
            from anynet.app.run_report.search_files import read_search  # here, because Optuna is slow to import

            return read_search(folder)
        if kind == "sweep":
            return read_sweep(folder)
    for folder, kind in kinds.items():
        if kind != "run":
            advice = "give its member-N folders, or it alone" if kind == "sweep" else "give it alone"
            raise ValueError(
                f"report: expected one folder, or several of runs, got {folder}, that of a {kind}; {advice}"
            )
    runs = [read_run(folder, name) for folder, name in zip(kinds, _names(list(kinds)), strict=True)]
    for run in runs:
        if run.dataset != runs[0].dataset:
            raise ValueError(
                f"report: expected runs on one data set, got {runs[0].path} on {runs[0].dataset} and {run.path} on "
                f"{run.dataset}; make a report of each"
            )
    return runs


def _kind(folder: Path) -> str:
    if not folder.exists():
        raise FileNotFoundError(
            f"{folder}: no such folder; expected {EXPECTED}, which the command that made it printed"
        )
    if not folder.is_dir():
        raise FileError(folder, "", EXPECTED, "a file", f"give the folder that it is in, {folder.parent}")
    if (folder / SETTINGS).exists():
        return "search"
    if (folder / POINTS).exists():
        return "sweep"
    if (folder / MEMBERS).exists():
        got = f"that of a sweep of an earlier version, without {POINTS}"
        raise FileError(folder, "", EXPECTED, got, "give its member-N folders")
    if (folder / "config.toml").exists():
        return "run"
    inside = sorted(path.parent for path in folder.glob("*/config.toml"))
    if inside:
        raise FileError(folder, "", EXPECTED, f"one that has {len(inside)} of them", f"give them, such as {inside[0]}")
    raise FileError(folder, "", EXPECTED, "another folder, without config.toml", "choose that of a run")


def _names(folders: Sequence[Path]) -> list[str]:
    """Return the last parts of the paths, as many as tell them apart."""
    whole = [folder.resolve().parts for folder in folders]
    for n in range(1, max(map(len, whole)) + 1):
        names = ["/".join(parts[-n:]) for parts in whole]
        if len({*names}) == len(names):
            return names
    return ["/".join(parts) for parts in whole]
