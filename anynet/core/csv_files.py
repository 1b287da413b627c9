"""Tables as CSV files."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from anynet.core.atomic import write_whole
from anynet.core.errors import FileError
from anynet.core.formatting import printable
from anynet.core.text_files import read_text

MOST = 100_000_000
"""Largest size of a table in bytes."""


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a CSV file with a header, replacing it in one step.

    Parameters
    ----------
    path : Path
        File to write.
    columns : sequence of str
        Header.
    rows : iterable of mapping
        Values by column; missing ones are left empty, others ignored.
    """

    def write(partial: Path) -> None:
        with partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)

    write_whole(path, write)


class Row(NamedTuple):
    """A row that has a value in every column.

    Attributes
    ----------
    line : int
        Number of its last line in the file, from 1.
    values : dict of str
        By column.
    """

    line: int
    values: dict[str, str]


def read_rows(path: Path, columns: Iterable[str] | Callable[[Sequence[str]], Iterable[str]], advice: str) -> list[Row]:
    """Read the rows of a CSV file with a header.

    Parameters
    ----------
    path : Path
        File to read.
    columns : iterable of str, or callable
        Columns that it must have, in any order; it may have others. A function is given the header.
    advice : str
        What to do if it is damaged.

    Returns
    -------
    list of Row

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileError
        If it is no CSV file in UTF-8, a column is missing or there twice, or a row has other columns than the header.
    """
    reader = csv.DictReader(StringIO(read_text(path, MOST, advice), newline=""))
    rows = []
    try:
        header = reader.fieldnames or ()
        for name in columns(header) if callable(columns) else columns:
            if name not in header:
                got = printable(", ".join(header)) or "none"
                raise FileError(path, "line 1", f'a column "{name}"', got, advice)
            if header.count(name) > 1:
                raise FileError(path, "line 1", f'one column "{name}"', f"{header.count(name)}", advice)
        for row in reader:
            place = f"line {reader.line_num}"
            if None in row:
                raise FileError(path, place, f"{len(header)} fields", "more", advice)
            for name, value in row.items():
                if value is None:  # half a line
                    raise FileError(path, f"{place}, column {name}", "a value", "nothing", advice)
            rows.append(Row(reader.line_num, row))
    except csv.Error as error:
        raise FileError(path, f"line {reader.line_num}", "CSV", f"an error: {error}", advice) from None
    return rows
