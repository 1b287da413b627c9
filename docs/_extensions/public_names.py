"""Links from the types in docstrings, such as ``Sequential``, to the pages of public names."""

import importlib
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.ext.autosummary.generate import find_autosummary_in_files


def documented(folder: Path) -> list[str]:
    """Return the full names that the tables of the API pages list."""
    files = sorted(str(path) for path in folder.glob("*.rst"))
    return [entry.name for entry in find_autosummary_in_files(files)]


def add_aliases(app: Sphinx, config: Config) -> None:
    """Let numpydoc link each class by its short name; the first page that lists a name has it."""
    for name in documented(app.srcdir / "api"):
        module, _, short = name.rpartition(".")
        if isinstance(getattr(importlib.import_module(module), short), type):
            config.numpydoc_xref_aliases.setdefault(short, name)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the handler."""
    app.connect("config-inited", add_aliases)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
