"""Stop a training when the process is interrupted or terminated, between two steps rather than anywhere."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)

PATIENCE = 3
"""Number of signals from which on one raises KeyboardInterrupt where the program is."""


@contextmanager
def stop_on_signals(stop: Event) -> Iterator[None]:
    """Context manager within which Control-C and SIGTERM set an event instead of raising an exception anywhere.

    Afterwards a SIGTERM ends the process as it would have, unless the program handles it. Outside of the main thread,
    where Python delivers no signals, this does nothing.

    Parameters
    ----------
    stop : Event
        Set by the first signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        received.append(number)
        stop.set()
        if len(received) >= PATIENCE:  # the training does not come to the end of a step
            raise KeyboardInterrupt

    before: dict[int, Any] = {}
    try:
        for number in SIGNALS:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, handle)
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        if signal.SIGTERM in received and before[signal.SIGTERM] is signal.SIG_DFL:
            os.kill(os.getpid(), signal.SIGTERM)
