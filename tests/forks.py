"""Functions in a forked child."""

import os
import signal

import pytest

SECONDS = 10


def needs_fork(test):
    """Mark a test that forks while other threads run."""
    for library in ("DeprecationWarning", "RuntimeWarning"):  # Python's, and JAX's if it is loaded
        test = pytest.mark.filterwarnings(f"ignore:.*fork:{library}")(test)
    return pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")(test)


def status_in_child(function):
    """Return 0 if a forked child calls a function within some seconds, and otherwise how it ended."""
    if not (child := os.fork()):
        signal.alarm(SECONDS)
        try:
            function()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1]
