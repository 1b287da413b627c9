"""The file that the processes of a search share: Optuna's journal, behind a lock that a dead process cannot hold."""

import os
from pathlib import Path
from typing import Self

import optuna
from filelock import FileLock
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend


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
        self._journal = journal
        self._lock = FileLock(f"{journal}.lock")

    def acquire(self) -> bool:
        """Wait for the lock, and repair the journal."""
        self._lock.acquire()
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
        if not self._journal.exists():
            return
        with self._journal.open("rb+") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - 1, 0))
            if file.read() in (b"", b"\n"):
                return
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)


def open_storage(journal: Path, lock: Lock) -> JournalStorage:
    """Return Optuna's storage in a journal.

    Parameters
    ----------
    journal : Path
        The journal, created if it does not exist.
    lock : Lock
        Its lock.

    Returns
    -------
    optuna.storages.JournalStorage
    """
    # Optuna would announce each new study, in the middle of the progress bar.
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # The base class of Optuna's locks has no public name.
    return JournalStorage(JournalFileBackend(str(journal), lock_obj=lock))  # type: ignore[arg-type]
