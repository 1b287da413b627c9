"""Which processes are at work on a search, and which of them are dead."""

import os
import platform
import uuid
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout


class Worker:
    """One process's, or one call's, part in a search, as a context.

    While it lasts, it holds a lock on a file of its own, which the system takes away when the process dies. That tells
    the living from the dead on other hosts too, and where a process number is given anew.

    name: host, process number, and a word that makes it the only one.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self.name = f"{platform.node()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._lock = FileLock(self._file(self.name))

    def __enter__(self) -> Self:
        self._lock.acquire()
        return self

    def __exit__(self, *error: object) -> None:
        self._lock.release()
        self._file(self.name).unlink(missing_ok=True)

    def alive(self, name: str | None) -> bool:
        """Whether the worker of that name still holds its lock. To be asked under the journal's lock."""
        if name == self.name:
            return True
        if name is None or not self._file(name).exists():
            return False
        try:
            with FileLock(self._file(name), timeout=0):
                pass
        except Timeout:
            return True
        self._file(name).unlink(missing_ok=True)
        return False

    def count(self) -> int:
        """How many workers there are; some of them may have died lately."""
        return len(list(self._folder.glob("*.lock")))

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.lock"
