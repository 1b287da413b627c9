"""The file that the processes of a search share: Optuna's journal, behind a lock that a dead process cannot hold."""

import json
import os
import sys
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any, Self

from filelock import FileLock
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from tqdm import tqdm

from anynet.core.errors import FileError, check_is_file, naming
from anynet.core.formatting import printable

ADVICE = "remove the line, or start the search again in another folder"
EXPECTED = "an entry of a search"
MOST_LINE = 1_000_000
"""Largest size of a line in bytes."""


class Lock:
    """Reentrant lock of a journal, as a context.

    Optuna's own locks are files that a killed process leaves behind, and that others must wait for and break. This one
    is released by the operating system. Being reentrant, it makes one step of several operations of Optuna's.

    Parameters
    ----------
    journal : Path
        The journal; its lock is a file in the same folder.
    """

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self._lock = FileLock(f"{journal}.lock")

    def acquire(self) -> bool:
        """Wait for the lock, and repair the journal."""
        try:
            self._lock.acquire()
        except NotImplementedError:
            expected, got = "a disk with file locks", "one without"
            raise FileError(self.journal, "", expected, got, "choose a folder on another disk, or --storage") from None
        try:
            self._remove_partial_line()
        except BaseException:
            self._lock.release()
            raise
        return True

    def release(self) -> None:
        """Release the lock once."""
        self._lock.release()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *error: object) -> None:
        self.release()

    def _remove_partial_line(self) -> None:
        """Remove the partial line of a process that was killed while writing; nobody has read it."""
        if not self.journal.exists():
            return
        check_is_file(self.journal, "start the search again in another folder")
        with self.journal.open("rb+") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - 1, 0))
            if file.read() in (b"", b"\n"):
                return
            file.seek(0)
            whole = file.read().rfind(b"\n") + 1
            file.truncate(whole)
        told = f"removed its last {size - whole} bytes, a line that a process had no time to finish"
        tqdm.write(f"anynet: {self.journal}: {told}", file=sys.stderr)


class Journal(JournalFileBackend):
    """Optuna's journal, read and written behind the lock; errors name the file, and those of reading the line.

    Without the lock, a reader on a network file system can find a line that another host is writing: half of it, or
    zeros in its place.

    Parameters
    ----------
    lock : Lock
    """

    line = 0

    def __init__(self, lock: Lock) -> None:
        super().__init__(str(lock.journal), lock_obj=lock)  # type: ignore[arg-type]  # their base has no public name
        self._path = lock.journal

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append entries."""
        with naming(self._path):  # a full disk has no name
            super().append_logs(logs)

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """Yield the entries from a number on."""
        self.line = log_number_from
        entries = []
        try:
            with self._lock:  # type: ignore[attr-defined]
                for entry in super().read_logs(log_number_from):
                    entries.append(entry)
        except (ValueError, RecursionError) as error:
            raise _damaged(self._path, log_number_from + len(entries) + 1, error) from None
        for entry in entries:
            self.line += 1
            yield entry


def open_storage(lock: Lock) -> JournalStorage:
    """Return Optuna's storage in a journal, which is created if it does not exist.

    Parameters
    ----------
    lock : Lock
        The journal's lock.

    Returns
    -------
    optuna.storages.JournalStorage

    Raises
    ------
    FileError
        If a line is damaged; the message names it.
    """
    path = lock.journal
    with lock:
        if path.exists():
            _check_lines(path)
        journal = Journal(lock)
    try:
        return JournalStorage(journal)
    except FileError:
        raise
    except Exception as error:  # an entry that does not follow from those before can raise nearly anything
        got = f"one that does not fit ({type(error).__name__}: {printable(str(error))})"
        raise FileError(path, f"line {journal.line}", EXPECTED, got, ADVICE) from error


def _check_lines(path: Path) -> None:
    """Check that each line is an object in JSON; Optuna would ignore the last one, and not say which is damaged."""
    with path.open("rb") as file:
        for number, line in enumerate(iter(partial(file.readline, MOST_LINE), b""), start=1):
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise _damaged(path, number, error) from None
            if not isinstance(entry, dict):
                raise FileError(path, f"line {number}", EXPECTED, f"a {type(entry).__name__}", ADVICE)


def _damaged(path: Path, number: int, error: Exception) -> FileError:
    return FileError(path, f"line {number}", EXPECTED, f"an error: {printable(str(error))}", ADVICE)
