"""The file that processes share: Optuna's journal, behind a lock that dies with its process."""

import os
from pathlib import Path
from typing import Self

import optuna
from filelock import FileLock
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend


class Lock:
    """Held by one process at a time, and by none that is dead.

    Optuna's own locks are files that a killed process leaves behind, to be waited for and then broken; this one the
    system takes away. It may be taken again by who has it, so several of Optuna's operations can be made one.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._lock = FileLock(f"{journal}.lock")

    def acquire(self) -> bool:
        self._lock.acquire()
        try:
            self._mend()
        except BaseException:
            self._lock.release()
            raise
        return True

    def release(self) -> None:
        self._lock.release()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *error: object) -> None:
        self.release()

    def _mend(self) -> None:
        """Take away the half line that a process killed while writing has left: nobody has acted on it."""
        if not self._journal.exists():
            return
        with self._journal.open("rb+") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - 1, 0))
            if file.read() in (b"", b"\n"):
                return
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)


def storage(journal: Path, lock: Lock) -> JournalStorage:
    """What Optuna keeps its studies in."""
    # Optuna would say of each study that it was made, in the midst of the progress bar.
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # The class that Optuna's locks are made from has no public name.
    return JournalStorage(JournalFileBackend(str(journal), lock_obj=lock))  # type: ignore[arg-type]
