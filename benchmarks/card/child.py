"""Run a module as ``python -m`` does, in a process that Linux ends with its parent: child.py MODULE ARGUMENTS."""

import ctypes
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1
"""Option of Linux's prctl: the signal that a process gets when the process that started it ends."""

if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    del sys.argv[0]
    sys.path[0] = ""  # as of python -m: the current folder
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
