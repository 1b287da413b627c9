"""Files of a search; the guide lists their content.

`SETTINGS` has the settings, `TABLE` a row for each trial, `IMPORTANCES` a share for each setting, `PLOT` a picture.
"""

import json
from pathlib import Path

from anynet.app.search.ranked import Trials
from anynet.app.search.search_settings import Settings, read_settings
from anynet.app.search.trial import Trial
from anynet.app.search_json import IMPORTANCES, SETTINGS, TABLE
from anynet.core.atomic import PARTIAL, write_text_whole, write_whole
from anynet.core.csv_files import write_rows
from anynet.core.errors import check_is_file
from anynet.core.formatting import printable

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
    own = (f"{JOURNAL}.lock", f"{SETTINGS}.lock", PARTIAL)  # left by a process that was killed, or is just starting
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


def write_settings(folder: Path, settings: Settings, storage: str | None = None) -> None:
    """Write the settings, with the storage that has the trials, if it is not the folder.

    Parameters
    ----------
    folder : Path
    settings : dict
    storage : str, optional
        Its URL, without user and password.
    """
    content = settings if storage is None else settings | {"storage": storage}
    write_text_whole(folder / SETTINGS, json.dumps(content, indent=2) + "\n")


def check_storage(folder: Path, storage: str | None) -> None:
    """Refuse to go on with a search whose trials are elsewhere.

    Parameters
    ----------
    folder : Path
    storage : str or None
        URL of the storage, without user and password; None for the folder itself.

    Raises
    ------
    ValueError
        If the search in the folder has its trials in the folder, and these are to be in a storage, or the reverse.
    FileExistsError, FileError
        As `settings_there` does.
    """
    there = settings_there(folder)
    if there is None or (there.get("storage") is None) == (storage is None):
        return
    if storage is None:
        kept = printable(f"{there['storage']}", 500)
        raise ValueError(f"{folder}: expected --storage, since the trials are in {kept}; give it, or another folder")
    raise ValueError(f"{folder}: expected no --storage, since the trials are in {JOURNAL}; choose another folder")


def write_table(folder: Path, trials: Trials) -> None:
    """Write a CSV file with a row for each trial, in their order. Requires the folder's lock."""
    columns = [name for name in Trial._fields if name != "settings"]
    at = columns.index("best_val_accuracy")
    settings = list(trials[0].settings) if trials else []
    rows = [trial._asdict() | trial.settings for trial in trials]
    write_rows(folder / TABLE, [*columns[:at], *settings, *columns[at:]], rows)


def write_plot(folder: Path, trials: Trials) -> None:
    """Plot the accuracy of the trials over the searched settings. Requires the folder's lock."""
    write_whole(folder / PLOT, trials.plot().savefig)


def write_importances(folder: Path, trials: Trials) -> None:
    """Write the importances of the settings as JSON, if there are enough trials. Requires the folder's lock."""
    if shares := trials.importances():
        write_text_whole(folder / IMPORTANCES, json.dumps(shares, indent=2) + "\n")
