"""Files of a search."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from anynet import plots
from anynet.app.config import Config
from anynet.app.search.fine import Fine
from anynet.app.search.trial import Trial
from anynet.app.space import Space
from anynet.core.atomic import PARTIAL, write_text_whole, write_whole
from anynet.core.checks import differences
from anynet.core.csv_files import write_rows
from anynet.core.errors import check_is_file
from anynet.core.formatting import format_value
from anynet.core.text_files import read_json

SETTINGS, JOURNAL, TABLE, PLOT, WORKERS = "search.json", "journal.log", "trials.csv", "accuracy.png", "workers"

MOST_SETTINGS = 10_000_000
"""Largest size of the settings in bytes."""

LOCAL_SETTINGS = ("backend", "compile", "memory_budget", "evaluate_train")
"""Settings that do not change results; processes that share a search may differ in them."""


def search_settings(
    bases: tuple[Config, Config], space: Space, trials: int | None, fine: Fine | None, prune: bool, seed: int
) -> dict[str, Any]:
    """Return all settings that processes must agree on to share a search, as JSON gives them back.

    Parameters
    ----------
    bases : tuple of Config
        Settings of the coarse and of the fine stage.
    space, trials, fine, prune, seed
        As for `anynet.app.search.search`.

    Returns
    -------
    dict
    """
    coarse, finer = (_shared_settings(base, space) for base in bases)
    content = {
        "base": coarse,
        "space": {name: asdict(part) for name, part in space.items()},
        "trials": trials,
        "fine": None if fine is None else fine._asdict() | {"base": finer},
        "prune": prune,
        "seed": seed,
    }
    loaded: dict[str, Any] = json.loads(json.dumps(content))
    return loaded


def is_new(folder: Path, wanted: dict[str, Any]) -> bool:
    """Return True if no search has been started in the folder.

    Parameters
    ----------
    folder : Path
        Folder of the search.
    wanted : dict
        As returned by `search_settings`.

    Returns
    -------
    bool

    Raises
    ------
    FileExistsError
        If the folder holds something else.
    FileError
        If a folder or a pipe is where the search has a file.
    ValueError
        If it holds a search with other settings; the message lists the differences.
    """
    own = (f"{JOURNAL}.lock", PARTIAL)  # left by a process that was killed, or is just starting
    others = [path.name for path in folder.iterdir() if not path.name.startswith(own)] if folder.exists() else []
    if not (folder / SETTINGS).exists():
        if others:
            raise FileExistsError(f"{folder}: expected a new folder or that of a search, got {others[0]} in it; choose "
                                  "another folder")  # fmt: skip
        return True
    there = read_json(folder / SETTINGS, MOST_SETTINGS, "choose another folder")
    for path in (folder / TABLE, folder / PLOT):  # to be replaced
        if path.exists():
            check_is_file(path, "remove it, or choose another folder")
    different = differences(_flatten(there), _flatten(wanted))
    if different:
        raise ValueError(f"{folder} holds another search: {different}; give the same settings, or another folder")
    return False


def write_settings(folder: Path, wanted: dict[str, Any]) -> None:
    """Write the settings, unless they exist. Requires the journal's lock; raises as `is_new` does."""
    if is_new(folder, wanted):
        write_text_whole(folder / SETTINGS, json.dumps(wanted, indent=2) + "\n")


def write_table(folder: Path, trials: Sequence[Trial]) -> None:
    """Write a CSV file with a row for each trial, in their order. Requires the journal's lock."""
    columns = [name for name in Trial._fields if name != "settings"]
    at = columns.index("best_val_accuracy")
    settings = list(trials[0].settings) if trials else []
    rows = [trial._asdict() | trial.settings for trial in trials]
    write_rows(folder / TABLE, [*columns[:at], *settings, *columns[at:]], rows)


def write_plot(folder: Path, trials: Sequence[Trial]) -> None:
    """Plot the accuracy of the trials over the searched settings. Requires the journal's lock."""
    title = f"{trials[0].dataset}: best validation accuracy of {len(trials)} trials"
    scores = [(trial.settings, trial.best_val_accuracy) for trial in trials]
    write_whole(folder / PLOT, plots.trials(scores, title, format_value).savefig)


def _shared_settings(config: Config, space: Space) -> dict[str, Any]:
    return {name: value for name, value in asdict(config).items() if name not in LOCAL_SETTINGS and name not in space}


def _flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return {"a.b": 1} for {"a": {"b": 1}}."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        flat |= _flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat
