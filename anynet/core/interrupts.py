"""Control-C while modules are imported for the command line: Python may swallow an exception that is raised there."""

import math
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from anynet.core.held_signals import HeldSignals

SCRIPT = Path(__file__).parents[2] / "train.py"

AGAIN = 1.0
"""Seconds after which another Control-C counts."""

_raised = -math.inf
"""Time of the last KeyboardInterrupt."""


def end_quietly() -> None:
    """Make Control-C end this process with one line and code 130, if it is the command line that has just begun."""
    here = threading.current_thread() is threading.main_thread()
    if here and is_command_line() and is_usual(signal.getsignal(signal.SIGINT)):
        signal.signal(signal.SIGINT, _end)


def raise_as_usual() -> None:
    """Make Control-C raise KeyboardInterrupt again, and another one at once do nothing."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, _raise)


def ignore() -> None:
    """Make Control-C do nothing, if this is the command line, which has nothing left to do but to end."""
    if signal.getsignal(signal.SIGINT) in (_end, _raise):
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def ending_quietly() -> Iterator[None]:
    """Context manager for imports of a command that runs: within it, `end_quietly`; then as before."""
    before = signal.getsignal(signal.SIGINT)
    end_quietly()
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is _end:
            signal.signal(signal.SIGINT, before)


def is_usual(handler: Any) -> bool:
    """Return True if a handler of signals raises KeyboardInterrupt and does nothing else."""
    holder = getattr(handler, "__self__", None)
    if isinstance(holder, HeldSignals):
        return not holder.holding
    return handler in (signal.default_int_handler, _raise)


def is_command_line() -> bool:
    """Return True if this process was started as ``anynet``, ``python -m anynet`` or this checkout's ``train.py``."""
    if not 0 < len(sys.argv) <= len(sys.orig_argv):
        return False
    program = Path(sys.orig_argv[-len(sys.argv)])  # sys.argv has "-m" in its place while the package is imported
    return program.stem == "anynet" or (program.name == SCRIPT.name and program.resolve() == SCRIPT)


def _raise(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, but not while files are removed because of another one."""
    global _raised
    if time.monotonic() - _raised > AGAIN:
        _raised = time.monotonic()
        raise KeyboardInterrupt


def _end(number: int, frame: FrameType | None) -> None:
    """End without unwinding: modules that are half imported may turn an exception into another one, or drop it."""
    try:
        os.write(2, b"anynet: interrupted before it began\n")
    finally:
        os._exit(130)
