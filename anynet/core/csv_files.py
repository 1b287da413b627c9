"""Tables as CSV files."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from anynet.core.atomic import write_whole


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


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read the rows of a CSV file with a header, as texts by column. Raises ValueError that names a damaged file."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        try:
            return list(csv.DictReader(file))
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: expected a CSV file in UTF-8 ({error})") from None
