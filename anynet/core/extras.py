"""Instructions for installing the packages of an extra."""

from pathlib import Path

DISTRIBUTION = "anynet-array"
"""Name of anynet on PyPI, as in pyproject.toml."""

_ROOT = Path(__file__).parents[2]


def install_command(extra: str) -> str:
    """Return the command that installs an extra: from the checkout, where anynet runs in one, otherwise from PyPI.

    Parameters
    ----------
    extra : str
        Name of the extra.

    Examples
    --------
    >>> install_command("app").startswith("pip install ")
    True
    """
    source = "." if (_ROOT / "pyproject.toml").is_file() and (_ROOT / "train.py").is_file() else DISTRIBUTION
    return f"pip install '{source}[{extra}]'"
