"""Atomic writes: a reader finds the whole file or none, even after a crash of the machine."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

PARTIAL = ".partial-"
"""Prefix of the name of a file that is being written."""


def write_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file under a temporary name in the same folder, sync it to the disk, then rename it.

    Parameters
    ----------
    path : Path
        File to write or replace.
    write : callable
        ``write(partial)`` writes the file under its temporary name: ``PARTIAL``, the numbers of process and thread, and
        the name. If it raises, the partial file is removed and `path` is left as it was; an OSError then names `path`.

    Raises
    ------
    FileExistsError
        If `path` is a device or a pipe, such as ``/dev/null``, which a new file would take the place of.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_whole(Path(folder, "table.csv"), lambda partial: partial.write_text("x"))
    ...     [path.name for path in Path(folder).iterdir()]
    ['table.csv']
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise FileExistsError(
            f"{path}: expected a file to write or replace, got a device or a pipe; choose another name"
        )
    partial = path.with_name(f"{PARTIAL}{os.getpid()}-{threading.get_ident()}-{path.name}")
    try:
        write(partial)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            error.filename = str(path)  # a full disk has no name, others that of the partial file
            del error.filename2
        raise
    _sync_folder(path.parent)


def write_text_whole(path: Path, text: str) -> None:
    """Write a text file in UTF-8, as `write_whole` does."""
    write_whole(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def _sync_folder(folder: Path) -> None:
    """Sync the names in a folder, where the system can."""
    if os.name == "nt":  # folders cannot be opened there
        return
    with suppress(OSError):  # some file systems cannot sync folders; the file itself is complete
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
