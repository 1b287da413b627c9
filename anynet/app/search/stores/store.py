"""Base of the places where the trials of a search are kept and its processes meet."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Self

from optuna.storages import BaseStorage

from anynet.app.search.search_settings import Settings, merge
from anynet.app.search.stores.worker import Worker
from anynet.core.errors import Error


class StorageError(Error, OSError):
    """A storage of a search that cannot be reached or used; the message has no password."""


class StepLock:
    """Reentrant lock as a context: makes one step of several operations of a storage.

    Parameters
    ----------
    acquire, release : callable
        Wait for the lock, and release it.
    """

    def __init__(self, acquire: Callable[[], None], release: Callable[[], None]) -> None:
        self._acquire, self._release, self._depth = acquire, release, 0

    def __enter__(self) -> Self:
        if not self._depth:
            self._acquire()
        self._depth += 1
        return self

    def __exit__(self, *error: object) -> None:
        self._depth -= 1
        if not self._depth:
            self._release()


class Store(ABC):
    """Place where the trials of a search are kept and its processes meet.

    Attributes
    ----------
    shown : str
        Name of the search for messages, without user and password.
    place : str or Path
        Name of what has the trials, for messages.
    lock : context manager
        Reentrant lock that a dead process does not hold; it makes one step of several operations.
    folder_lock : context manager
        Reentrant lock of the files of the folder.
    storage : optuna.storages.BaseStorage
        Optuna's storage; it is opened when it is first used.
    """

    shown: str
    place: str | Path
    lock: AbstractContextManager[object]
    folder_lock: AbstractContextManager[object]

    @property
    @abstractmethod
    def storage(self) -> BaseStorage:
        """Optuna's storage."""

    @abstractmethod
    def worker(self) -> Worker:
        """Return this process's part in the search, as a context."""

    @abstractmethod
    def read_settings(self) -> Settings | None:
        """Return the settings that the processes of the search have agreed on, None if there are none."""

    @abstractmethod
    def write_settings(self, settings: Settings) -> None:
        """Replace the settings. Requires the lock."""

    def study(self, stage: str) -> str:
        """Return the name of the study of a stage."""
        return stage

    def agree(self, wanted: Settings) -> Settings:
        """Write the settings, or more trials if they exist, and return them; raises as `merge` does."""
        with self.lock:
            there = self.read_settings()
            merged = wanted if there is None else merge(there, wanted, self.shown)
            if merged != there:
                self.write_settings(merged)
        return merged

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Context manager that turns errors of the storage's library into `StorageError`, and closes connections."""
        yield
