"""Atomic writes: a reader finds the whole file or none."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

PARTIAL = ".partial-"
"""Prefix of the name of a file that is being written."""


def write_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file under a temporary name in the same folder, then rename it.

    Parameters
    ----------
    path : Path
        File to write or replace.
    write : callable
        ``write(partial)`` writes the file under its temporary name, ``PARTIAL`` + the name. If it raises, `path` is
        left as it was.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_whole(Path(folder, "table.csv"), lambda partial: partial.write_text("x"))
    ...     [path.name for path in Path(folder).iterdir()]
    ['table.csv']
    """
    partial = path.with_name(PARTIAL + path.name)
    write(partial)
    os.replace(partial, path)
