"""Files of a search; the guide lists their content.

`SETTINGS` has the settings, `TABLE` a row for each trial, `IMPORTANCES` a share for each setting, `PLOT` a picture.
"""

import json
from pathlib import Path

from anynet.app.search.ranked import Trials
from anynet.app.search.search_settings import Settings, merge, read_settings
from anynet.app.search.trial import Trial
from anynet.app.search_json import IMPORTANCES, SETTINGS, TABLE
from anynet.core.atomic import PARTIAL, write_text_whole, write_whole
from anynet.core.csv_files import write_rows
from anynet.core.errors import check_is_file

JOURNAL, WORKERS, PLOT = "journal.log", "workers", "accuracy.png"


def settings_there(folder: Path) -> Settings | None:
    """Return the settings of the search in a folder, None if none has been started.

    Parameters
    ----------
    folder : Path
        Folder of the search.

    Returns
    -------
    dict or None
        As returned by `anynet.app.search.search_settings.read_settings`.

    Raises
    ------
    FileExistsError
        If the folder holds something else.
    FileError
        If the settings are damaged, or a folder or a pipe is where the search has a file.
    """
    own = (f"{JOURNAL}.lock", PARTIAL)  # left by a process that was killed, or is just starting
    others = [path.name for path in folder.iterdir() if not path.name.startswith(own)] if folder.exists() else []
    if not (folder / SETTINGS).exists():
        if others:
            raise FileExistsError(f"{folder}: expected a new folder or that of a search, got {others[0]} in it; choose "
                                  "another folder")  # fmt: skip
        return None
    for path in (folder / TABLE, folder / PLOT, folder / IMPORTANCES):  # to be replaced
        if path.exists():
            check_is_file(path, "remove it, or choose another folder")
    return read_settings(folder / SETTINGS)


def write_settings(folder: Path, wanted: Settings) -> Settings:
    """Write the settings, or more trials if they exist, and return them.

    Requires the journal's lock; raises as `settings_there` and `anynet.app.search.search_settings.merge` do.
    """
    there = settings_there(folder)
    merged = wanted if there is None else merge(there, wanted, folder)
    if merged != there:
        write_text_whole(folder / SETTINGS, json.dumps(merged, indent=2) + "\n")
    return merged


def write_table(folder: Path, trials: Trials) -> None:
    """Write a CSV file with a row for each trial, in their order. Requires the journal's lock."""
    columns = [name for name in Trial._fields if name != "settings"]
    at = columns.index("best_val_accuracy")
    settings = list(trials[0].settings) if trials else []
    rows = [trial._asdict() | trial.settings for trial in trials]
    write_rows(folder / TABLE, [*columns[:at], *settings, *columns[at:]], rows)


def write_plot(folder: Path, trials: Trials) -> None:
    """Plot the accuracy of the trials over the searched settings. Requires the journal's lock."""
    write_whole(folder / PLOT, trials.plot().savefig)


def write_importances(folder: Path, trials: Trials) -> None:
    """Write the importances of the settings as JSON, if there are enough trials. Requires the journal's lock."""
    if shares := trials.importances():
        write_text_whole(folder / IMPORTANCES, json.dumps(shares, indent=2) + "\n")
