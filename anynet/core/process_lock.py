"""A lock for threads that a forked child finds free."""

import os
from typing import Any


class ProcessLock:
    """Locks, one for each process: ``with lock():`` keeps out the other threads of this process.

    A process that is forked while another thread has a plain lock begins with a copy of it that nobody releases.

    Parameters
    ----------
    kind : callable
        Type of the locks, such as ``threading.RLock``.

    Examples
    --------
    >>> from threading import Lock
    >>> lock = ProcessLock(Lock)
    >>> with lock():
    ...     lock().locked()
    True
    """

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._locks: dict[int, Any] = {}

    def __call__(self) -> Any:
        """Return the lock of this process."""
        return self._locks.setdefault(os.getpid(), self._kind())
