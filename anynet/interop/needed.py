"""Packages that only some of anynet's need."""

import importlib.util

from anynet.core.extras import install_command


def need(library: str) -> None:
    """Raise ModuleNotFoundError, with what to install, unless a library of the extra of its name is there.

    Parameters
    ----------
    library : str
        Name of its module.
    """
    if importlib.util.find_spec(library) is None:
        raise ModuleNotFoundError(
            f"anynet.{library} needs {library}; install it with: {install_command(library)}", name=library
        )
