"""Control-C while modules are imported for the command line: Python may swallow an exception that is raised there."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

SCRIPT = Path(__file__).parents[2] / "train.py"


def end_quietly() -> None:
    """Make Control-C end this process with one line and code 130, if it is the command line that has just begun."""
    here = threading.current_thread() is threading.main_thread()
    if here and is_command_line() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_as_usual() -> None:
    """Make Control-C raise KeyboardInterrupt again."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def ending_quietly() -> Iterator[None]:
    """Context manager for imports of a command that runs: within it, `end_quietly`; then as usual."""
    end_quietly()
    try:
        yield
    finally:
        raise_as_usual()


def is_command_line() -> bool:
    """Return True if this process was started as ``anynet``, ``python -m anynet`` or this checkout's ``train.py``."""
    if not 0 < len(sys.argv) <= len(sys.orig_argv):
        return False
    program = Path(sys.orig_argv[-len(sys.argv)])  # sys.argv has "-m" in its place while the package is imported
    return program.stem == "anynet" or (program.name == SCRIPT.name and program.resolve() == SCRIPT)


def _end(number: int, frame: FrameType | None) -> None:
    """End without unwinding: modules that are half imported may turn an exception into another one, or drop it."""
    try:
        os.write(2, b"anynet: interrupted before it began\n")
    finally:
        os._exit(130)
