"""Readers of the folders of runs, sweeps and searches: reports, lists, comparisons, and the export of a net."""

import json
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from anynet.app.analyze import ANALYSIS
from anynet.app.commands.export import export
from anynet.app.listing.choose import sort
from anynet.app.listing.compare_entries import differences_table
from anynet.app.listing.find_entries import find_entries
from anynet.app.listing.read_entry import read_entry
from anynet.app.listing.show import runs_table, write_csv
from anynet.app.resuming import POINTS
from anynet.app.run_report.folder_kind import read_folders
from anynet.app.run_report.run_page import render
from anynet.app.search_json import IMPORTANCES, SETTINGS, TABLE
from anynet.app.tables import FittingTable, print_table
from anynet.core.errors import FileError
from anynet.training.load import DIVERGENCE
from benchmarks.faults import valid_files
from benchmarks.faults.reader import Reader
from benchmarks.faults.valid_files import Files

OF_NUMBERS = {
    **{"split": "test", "samples": 2, "targets": 2, "r2": [0.5, None], "errors": {"0.5": [0.1, 0.2]}},
    "sample": [[[1.0, 2.0], [1.5, 2.5]], [[0.0, -1.0], [0.5, 3.0]]],
}
"""Analysis of a net that predicts two numbers."""


def _read_report(folder: Path) -> object:
    return read_folders([folder])


def _read_page(folder: Path) -> str:
    return render(read_folders([folder]))


def _read_list(folder: Path) -> str:
    """Return the table that ``anynet runs`` prints, of a folder with one in it."""
    told = StringIO()
    with redirect_stderr(told):
        found = find_entries(folder)
    if not found:
        raise FileError(folder, "", "a folder", told.getvalue().strip(), "mend it")
    write_csv(sort(found, "best_val"), told)
    return _printed(runs_table(found, "runs"))


def _compare(folder: Path) -> str:
    table = differences_table(read_entry(folder / "a", "a"), read_entry(folder / "b", "b"))
    return "" if table is None else _printed(table)


def _printed(table: FittingTable) -> str:
    """Return a table as text, which must leave a terminal as it is."""
    with redirect_stdout(StringIO()) as out:
        print_table(table)
    for line in out.getvalue().split("\n"):
        if not line.isprintable():
            raise AssertionError(f"a line that is not printable: {line!r}")
    return out.getvalue()


def _export(folder: Path) -> None:
    out = folder / "net.safetensors"
    try:
        with redirect_stdout(StringIO()):
            export(folder / "run", out=out)
    except BaseException:
        if out.exists():
            raise AssertionError("a file was written, though not whole") from None
        raise


def _in(name: str, contents: Files) -> Files:
    return {f"{name}/{file}": content for file, content in contents.items()}


def _listed(folders: Callable[[], Sequence[Files]], damaged: Sequence[str]) -> Reader:
    """Return the reader of folders in the folder that it is given."""
    return Reader(_read_list, lambda: [_in("one", each) for each in folders()], [f"one/{name}" for name in damaged])


def _without_net(contents: Files) -> Files:
    return {name: content for name, content in contents.items() if not name.endswith(".safetensors")}


def _compared() -> list[Files]:
    contents = (valid_files.run(), valid_files.sweep(), valid_files.searched())
    return [_in("a", _without_net(each)) | _in("b", _without_net(valid_files.run())) for each in contents]


def _run() -> list[Files]:
    """Return the folders of a run, and of one that predicts numbers."""
    run = _without_net(valid_files.run())
    return [run, run | {ANALYSIS: json.dumps(OF_NUMBERS).encode()}]


def _diverged() -> list[Files]:
    return [valid_files.diverged()]


def _sweep() -> list[Files]:
    return [_without_net(valid_files.sweep())]


def _search() -> list[Files]:
    return [valid_files.searched()]


REPORTED = {
    "run": (_run, (ANALYSIS, "config.toml", "history.csv", "result.json")),
    "diverged run": (_diverged, (DIVERGENCE, "result.json")),
    "sweep": (_sweep, (ANALYSIS, "config.toml", POINTS, "result.json", "member-0/result.json", "member-1/history.csv")),
    "search": (_search, (SETTINGS, TABLE, IMPORTANCES)),
}
"""Folders of which ``anynet report`` makes pages, and their files."""
LISTED = {
    "run": (_run, ("config.toml", "history.csv", "result.json")),
    "sweep": (_sweep, ("members.csv", "config.toml", POINTS, "result.json")),
    "search": (_search, (SETTINGS, TABLE)),
}
"""Folders that ``anynet runs`` lists, and their files."""

FOLDER_READERS = {
    **{f"report of a {kind}": Reader(_read_report, *each) for kind, each in REPORTED.items()},
    **{f"page of a {kind}": Reader(_read_page, *each, slow=True) for kind, each in REPORTED.items()},
    **{f"list of a {kind}": _listed(*each) for kind, each in LISTED.items()},
    "runs diff": Reader(_compare, _compared, ("b/config.toml", "b/result.json")),
    "export": Reader(_export, lambda: [_in("run", valid_files.run())], ("run/config.toml", "run/model.safetensors")),
}
