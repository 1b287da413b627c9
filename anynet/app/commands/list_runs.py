"""``anynet runs``."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from anynet.app.listing.choose import keep, sort
from anynet.app.listing.compare_entries import differences_table
from anynet.app.listing.entry import Entry
from anynet.app.listing.find_entries import find_entries
from anynet.app.listing.read_entry import is_entry, read_entry
from anynet.app.listing.show import runs_table, write_csv
from anynet.app.tables import print_table
from anynet.core.errors import FileError
from anynet.core.formatting import format_count

runs = App(name="runs", usage="Usage: anynet runs [DIR] [OPTIONS]\n       anynet runs diff A B")


@runs.default
def list_runs(
    folder: Path = Path("runs"),
    /,
    *,
    sort_by: Annotated[str | None, Parameter(name="--sort")] = None,
    where: Annotated[list[str] | None, Parameter(negative="")] = None,
    csv: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """List the runs, sweeps and searches under a folder.

    A folder that cannot be read is a line on stderr.

    Parameters
    ----------
    folder
        Folder with folders of --out in it, at any depth; of a sweep, its members are listed.
    sort_by
        Column to sort by, e.g. best_val:desc for the highest first: name, when, net, state, best_val, best_test, or any
        setting or result in --csv. Default: when.
    where
        Condition, e.g. "lr>0.01", net=resnet9 or "best_val>=40%"; repeat for more. Comparisons: = != < <= > >=.
    csv
        Print all settings and results as CSV.
    """
    found = find_entries(folder)
    entries = keep(found, where or ())
    if sort_by is not None:
        entries = sort(entries, sort_by)
    if csv:
        write_csv(entries, sys.stdout)
        return
    number = f"{len(entries)} of {len(found)}" if len(entries) < len(found) else f"{len(found)}"
    if entries:
        print_table(runs_table(entries, f"{folder}: {number}"))
    else:
        print(f"{folder}: none of {format_count(len(found), 'run')} fulfils the conditions")


@runs.command
def diff(a: Path, b: Path, /) -> None:
    """Print the settings and results that differ between two runs, versions and machine included.

    Parameters
    ----------
    a
        Folder of a run, a sweep or a search.
    b
        Another one.
    """
    one, other = _read(a), _read(b)
    table = differences_table(one, other)
    if table is None:
        print(f"{a} and {b}: settings and results are the same")
    else:
        print_table(table)


def _read(folder: Path) -> Entry:
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder; python -m anynet runs lists those that there are")
    if not is_entry(folder):
        advice = "python -m anynet runs lists those that there are"
        raise FileError(folder, "", "the folder of a run, a sweep or a search", "another one", advice)
    return read_entry(folder, f"{folder}")
