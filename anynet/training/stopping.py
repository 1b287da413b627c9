"""Stop a training when the process is interrupted or terminated, between two steps rather than anywhere."""

import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import Any

from anynet.core.held_signals import HeldSignals
from anynet.core.interrupts import is_usual

SIGNALS = (signal.SIGINT, signal.SIGTERM)

PATIENCE = 10.0
"""Seconds after the first signal from which on another one raises KeyboardInterrupt where the program is."""


@contextmanager
def stop_on_signals(stop: Event) -> Iterator[list[int]]:
    """Context manager within which Control-C and SIGTERM set an event instead of raising an exception anywhere.

    Afterwards a SIGTERM ends the process as it would have, and handlers of the program are called. Outside of the main
    thread, where Python delivers no signals, this does nothing.

    Parameters
    ----------
    stop : Event
        Set by the first signal.

    Yields
    ------
    list of int
        Numbers of the signals that came, filled until the context ends.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    first = math.inf

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal first
        received.append(number)
        stop.set()
        first = min(first, time.monotonic())
        if time.monotonic() - first > PATIENCE:  # the training does not come to the end of a step
            raise KeyboardInterrupt

    before: dict[int, Any] = {}
    try:
        for number in SIGNALS:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, handle)
        yield received
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        for each in dict.fromkeys(received):
            handler = before[each]
            holder = getattr(handler, "__self__", None)
            if isinstance(holder, HeldSignals):  # of a program that ends when it has kept the net
                holder.note(each)
            elif handler is signal.SIG_DFL:
                os.kill(os.getpid(), each)
            elif callable(handler) and not is_usual(handler):
                handler(each, None)
