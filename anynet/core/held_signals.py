"""A stretch of work that Control-C and SIGTERM do not interrupt."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def held_signals() -> Iterator[list[int]]:
    """Context manager within which Control-C and SIGTERM are only noted, so that all of its work is done.

    Signals that the process ignores stay ignored. Outside of the main thread, where Python delivers no signals, it does
    nothing.

    Yields
    ------
    list of int
        Numbers of the signals that came, for the caller to act on afterwards.

    Examples
    --------
    >>> with held_signals() as received:
    ...     signal.raise_signal(signal.SIGINT)
    >>> [signal.Signals(number).name for number in received]
    ['SIGINT']
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    before: dict[int, Any] = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) not in (signal.SIG_IGN, None):  # None: a handler that Python did not set
                before[number] = signal.signal(number, note)
        yield received
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
