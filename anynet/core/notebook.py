"""The notebook that a program runs in."""

import sys


def in_notebook() -> bool:
    """Return True if the program is a cell of a notebook: if IPython runs in a kernel, which shows HTML."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None
