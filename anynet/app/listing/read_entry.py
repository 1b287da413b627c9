"""Reading the folder of a run, a sweep or a search for a list."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from anynet.app.config import Config
from anynet.app.config_file import ABSENT, read_settings
from anynet.app.listing.entry import Entry, Values
from anynet.app.result_file import read_known
from anynet.app.resuming import POINTS, read_points
from anynet.app.search_json import SETTINGS, TABLE, read_search_json
from anynet.app.sweep.sweep_folder import MEMBERS
from anynet.core.csv_files import read_rows
from anynet.core.formatting import format_value
from anynet.core.history import History
from anynet.data.normalization import AUTO

ADVICE = "mend the file, or remove the folder"


def is_entry(folder: Path) -> bool:
    """Return True if a folder is that of a run, a sweep or a search."""
    return (folder / "config.toml").is_file() or (folder / SETTINGS).is_file()


def read_entry(folder: Path, name: str) -> Entry:
    """Read a run, a sweep or a search.

    Parameters
    ----------
    folder : Path
        A folder of which `is_entry` is True.
    name : str
        Short name in the list.

    Returns
    -------
    Entry

    Raises
    ------
    FileError
        If a file is damaged; the message names it.
    OSError
        If a file cannot be read.
    """
    if (folder / SETTINGS).is_file():
        return _read_search(folder, name)
    if (folder / MEMBERS).exists():
        return _read_sweep(folder, name)
    settings = {**ABSENT, **read_settings(folder / "config.toml")}
    results = _read_result(folder)
    state = _state(results)
    if results is None:
        results = _so_far(folder / "history.csv")
    return Entry(folder, name, "run", state, settings, results)


def _read_result(folder: Path) -> dict[str, Any] | None:
    path = folder / "result.json"
    return read_known(path) if path.exists() else None


def _state(results: Mapping[str, Any] | None) -> str:
    if results is None:
        return "unfinished"
    if "diverged" in results:
        return "diverged"
    if results.get("interrupted"):
        return "interrupted"
    return "stopped early" if results.get("stopped_early") else "finished"


def _so_far(path: Path) -> dict[str, Any]:
    """Return what the history of a run that has not ended says."""
    history = History.read_csv(path) if path.exists() else History()
    if not history:
        return {"epochs": 0}
    best, last = history.best, history[-1]
    results = {
        "epochs": len(history),
        "train_accuracy": last.train_accuracy,
        "val_accuracy": last.val_accuracy,
        "best_epoch": best.epoch,
        "best_val_accuracy": best.val_accuracy,
        "best_val_loss": best.val_loss,
        "seconds": last.seconds,
    }
    return {name: value for name, value in results.items() if value is not None}


def _read_sweep(folder: Path, name: str) -> Entry:
    members = [row.values for row in read_rows(folder / MEMBERS, ("member", "diverged"), ADVICE)]
    shared = {**ABSENT, **read_settings(folder / "config.toml")}
    points = read_points(folder) if (folder / POINTS).exists() else []
    own = {key: Values(dict.fromkeys(point[key] for point in points)) for key in (points[0] if points else ())}
    results = _read_result(folder)
    state = _state(results)
    if results is None:
        results = _best(members, "best_val_accuracy", "best_epoch")
        if members and all(member["diverged"] for member in members):
            state = "diverged"
    return Entry(folder, name, "sweep", state, shared | own, results, len(points) or len(members))


def _read_search(folder: Path, name: str) -> Entry:
    content = read_search_json(folder / SETTINGS)
    base, space, fine = content["base"], content["space"], content.get("fine") or {"trials": 0}
    trials = [row.values for row in read_rows(folder / TABLE, ("state",), ADVICE)] if (folder / TABLE).exists() else []
    results = _best(trials, "best_val_accuracy", "best_epoch", "test_accuracy")
    if "test_accuracy" in results:
        results["best_test_accuracy"] = results.pop("test_accuracy")
    searched = {key: _searched(part) for key, part in space.items()}
    state = "finished" if len(trials) >= _planned(content) + fine["trials"] else "unfinished"
    defaults = asdict(Config())  # of settings in which processes that share a search may differ
    settings = {**defaults, **base, **searched}
    if settings["normalize"] == AUTO and settings["net"] is None:
        settings["normalize"] = "standardize"  # as in runs with such nets
    return Entry(folder, name, "search", state, settings, results, len(trials))


def _searched(part: Mapping[str, Any]) -> Values | str:
    if "values" in part:
        return Values(part["values"])
    return "..".join(format_value(part[end]) for end in ("low", "high"))


def _planned(content: Mapping[str, Any]) -> int:
    """Return the number of trials of a search's first stage."""
    coarse: int | None = content.get("trials")
    return coarse or math.prod(len(part.get("values", ())) for part in content["space"].values())


def _best(rows: Sequence[Mapping[str, str]], first: str, *others: str) -> dict[str, Any]:
    """Return numbers of the row in which the first is highest."""
    there = [row for row in rows if row.get(first)]
    if not there:
        return {}
    try:
        best = max(there, key=lambda row: float(row[first]))
        return {name: _number(best[name]) for name in (first, *others) if best.get(name)}
    except ValueError:
        return {}


def _number(text: str) -> float:
    return int(text) if text.isdecimal() else float(text)
