"""Processes that work on a search, and whether they are alive."""

import os
import platform
import uuid
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from anynet.core.errors import FileError


class Worker:
    """One call's part in a search, as a context.

    While it lasts, it holds a lock on a file, which the operating system releases when the process dies. So it can be
    told whether a worker on another host is alive, or one whose process number has been reused.

    Parameters
    ----------
    folder : Path
        Folder for the workers' locks.

    Attributes
    ----------
    name : str
        Host, process number and a random word.

    Raises
    ------
    FileError
        If something else is in the place of the folder.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(exist_ok=True)
        except FileExistsError:
            raise FileError(folder, "", "a folder", "another file", "remove it, or choose another folder") from None
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
        """Return True if the worker of that name holds its lock. Requires the journal's lock."""
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
        """Return the number of workers, including those that died recently."""
        return len(list(self._folder.glob("*.lock")))

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.lock"
