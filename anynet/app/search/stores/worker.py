"""Processes that work on a search, and whether they are alive."""

import os
import platform
import uuid
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Protocol, Self

from filelock import FileLock, Timeout

from anynet.core.errors import FileError

BEATS = 6
"""Number of times that a lease is renewed in the time that it lasts."""


class Worker(ABC):
    """One call's part in a search, as a context.

    While it lasts, other processes see that it is alive, whatever its host is, and even if its process number has been
    reused. It ends with the process.

    Attributes
    ----------
    name : str
        Host, process number and a random word.
    """

    def __init__(self) -> None:
        self.name = f"{platform.node()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"

    @abstractmethod
    def __enter__(self) -> Self: ...

    @abstractmethod
    def __exit__(self, *error: object) -> None: ...

    @abstractmethod
    def alive(self, name: str | None) -> bool:
        """Return True if the worker of that name is alive. Requires the lock of the storage."""

    @abstractmethod
    def count(self) -> int:
        """Return the number of workers, including those that died recently."""


class FileWorker(Worker):
    """A worker that holds a lock on a file, which the operating system releases when the process dies.

    Parameters
    ----------
    folder : Path
        Folder for the workers' locks.

    Raises
    ------
    FileError
        If something else is in the place of the folder.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        try:
            folder.mkdir(exist_ok=True)
        except FileExistsError:
            raise FileError(folder, "", "a folder", "another file", "remove it, or choose another folder") from None
        self._folder = folder
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


class Leases(Protocol):
    """Names on a server that it forgets after some time, by its own clock."""

    def renew(self, name: str) -> None:
        """Let a name be known for another while."""

    def remove(self, name: str) -> None:
        """Forget a name."""

    def names(self) -> set[str]:
        """Return the names that are known."""


class LeasedWorker(Worker):
    """A worker that renews a lease on a server, in a thread.

    Parameters
    ----------
    leases : Leases
    seconds : float
        Time that a lease lasts.
    """

    def __init__(self, leases: Leases, seconds: float) -> None:
        super().__init__()
        self._leases, self._every, self._ended = leases, seconds / BEATS, Event()

    def __enter__(self) -> Self:
        self._leases.renew(self.name)
        self._thread = Thread(target=self._renew, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()
        with suppress(Exception):  # where the server is gone, the lease ends by itself
            self._leases.remove(self.name)

    def alive(self, name: str | None) -> bool:
        """Return True if the lease of the worker of that name has not ended."""
        return name == self.name or name in self._leases.names()

    def count(self) -> int:
        """Return the number of workers, including those that died recently."""
        return len(self._leases.names() | {self.name})

    def _renew(self) -> None:
        while not self._ended.wait(self._every):
            with suppress(Exception):  # the search itself says what is wrong; a server that is back finds the name
                self._leases.renew(self.name)
