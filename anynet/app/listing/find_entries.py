"""Finding the runs, sweeps and searches under a folder."""

import os
import sys
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

from anynet.app.listing.entry import Entry
from anynet.app.listing.read_entry import is_entry, read_entry
from anynet.core.errors import Error, FileError
from anynet.core.formatting import printable


def find_entries(folder: Path) -> list[Entry]:
    """Return what is under a folder, the oldest first; a line on stderr for each that cannot be read.

    Of a sweep, its members if it is the folder itself, otherwise the sweep alone.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Entry

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    FileError
        If it is a file, or there is nothing in it.
    """
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder; train with python train.py, or give that of your runs")
    if not folder.is_dir():
        raise FileError(folder, "", "a folder", "a file", f"give the one that it is in, {folder.parent}")
    entries, damaged = [], 0
    for path in _folders(folder):
        name = path.relative_to(folder).as_posix() if path != folder else path.name or str(path)
        try:
            entry = read_entry(path, name)
            entries.append((entry.when, name, entry))  # the time is read now, since the folder may be removed later
        except (OSError, Error) as error:
            damaged += 1
            print(f"anynet: {printable(str(error), 10_000)}", file=sys.stderr)
    if not entries and not damaged:
        expected = "a folder with runs, sweeps or searches"
        raise FileError(folder, "", expected, "one without any", "give another, such as that of --out")
    return [entry for _, _, entry in sorted(entries, key=itemgetter(0, 1))]


def _folders(folder: Path) -> Iterator[Path]:
    """Return the folders of runs, sweeps and searches; of those that are in them only the members of the first."""
    if is_entry(folder):
        members = sorted(folder.glob("member-*"), key=lambda path: (len(path.name), path.name))
        yield from [path for path in members if is_entry(path)] or [folder]
        return
    for place, folders, _ in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in list(folders):
            if is_entry(path := Path(place, name)):
                folders.remove(name)
                yield path
