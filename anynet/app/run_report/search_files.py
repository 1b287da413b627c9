"""The files of a search's folder that a report page is made of."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anynet.app.search.trial import STATES, Trial
from anynet.app.search_json import IMPORTANCES, SETTINGS, TABLE, read_search_json
from anynet.core.csv_files import read_rows
from anynet.core.errors import FileError
from anynet.core.formatting import printable
from anynet.core.text_files import read_json

ADVICE = "run the same search again, which writes it anew"
MOST = 10_000_000
"""Largest size of the importances in bytes."""
MOST_NUMBER = 1e12
"""Largest number of seconds or epochs."""
TEXTS = ("stage", "dataset", "state", "reason")
COUNTS = ("number", "best_epoch")
NUMBERS = ("best_val_accuracy", "train_accuracy", "val_accuracy", "test_accuracy", "seconds")


@dataclass(frozen=True)
class SearchFiles:
    """Contents of the files of a search.

    Parameters
    ----------
    path : Path
    search : dict
        Content of ``search.json``.
    trials : list of Trial
        The best first.
    importances : dict of float
        Share of each setting, the largest first; empty if there are too few trials.
    """

    path: Path
    search: dict[str, Any]
    trials: list[Trial]
    importances: dict[str, float]

    @property
    def has_stages(self) -> bool:
        """True if trials of a second stage are there, too."""
        return len({trial.stage for trial in self.trials}) > 1


def read_search(folder: Path) -> SearchFiles:
    """Read the files of a search.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    SearchFiles

    Raises
    ------
    FileError
        If a file is damaged; the message names it.
    OSError
        If a file cannot be read.
    """
    search, path = read_search_json(folder / SETTINGS), folder / TABLE
    names = list(search["space"])
    if not path.exists():
        return SearchFiles(folder, search, [], {})
    trials = []
    for line, values in read_rows(path, (*TEXTS, *COUNTS, *NUMBERS, *names), ADVICE):
        found: dict[str, Any] = {name: values[name] for name in TEXTS}
        if found["state"] not in STATES:
            got = f'"{printable(found["state"], 50)}"'
            raise FileError(path, f"line {line}, column state", " or ".join(STATES), got, ADVICE)
        for name in (*COUNTS, *NUMBERS):
            found[name] = _number(values[name], path, f"line {line}, column {name}", whole=name in COUNTS)
        trials.append(Trial(settings={name: _typed(values[name], search["space"][name]) for name in names}, **found))
    return SearchFiles(folder, search, trials, _importances(folder / IMPORTANCES))


def _importances(path: Path) -> dict[str, float]:
    if not path.exists():
        return {}
    shares = read_json(path, MOST, ADVICE)
    for name, share in shares.items():
        if not (type(share) in (int, float) and 0 <= share <= 1):
            raise FileError(
                path, f"key {printable(name, 50)}", "a share from 0 to 1", printable(repr(share), 50), ADVICE
            )
    return shares


def _number(text: str, path: Path, place: str, *, whole: bool) -> float | None:
    if not text:
        return None
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = math.nan
    fraction = place.endswith("accuracy")
    if not 0 <= value <= (1 if fraction else MOST_NUMBER):
        expected = "a fraction from 0 to 1" if fraction else "a number of 0 or more"
        raise FileError(path, place, f"{expected}, or nothing", f'"{printable(text, 50)}"', ADVICE)
    return value


def _typed(text: str, part: Mapping[str, Any]) -> Any:
    """Return the value of a setting that a text is of: of a grid one of its values, of a range a number."""
    if "values" in part:
        return next((value for value in part["values"] if str(value) == text), text)
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text
