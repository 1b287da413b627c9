"""Links to public names by their short names, such as ``Sequential`` in docstrings of all modules."""

import re
from pathlib import Path
from pkgutil import resolve_name

from docutils import nodes
from numpydoc.xref import DEFAULT_LINKS
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.ext.autosummary.generate import find_autosummary_in_files
from sphinx.util.nodes import make_refnode

DEFAULT_LINKS.clear()  # to Python and NumPy, whose lists of names would be downloaded
SHORT: dict[str, str] = {}
"""Full names by short ones, which begin with a capital letter; the first page that lists a name has it."""


def documented(folder: Path) -> list[str]:
    """Return the full names that the tables of the API pages list."""
    files = sorted(str(path) for path in folder.glob("*.rst"))
    return [entry.name for entry in find_autosummary_in_files(files)]


def add_aliases(app: Sphinx, config: Config) -> None:
    """Note the short names, and let numpydoc link those of classes where it finds types."""
    for name in documented(app.srcdir / "api"):
        short = name.rpartition(".")[2]
        if short[0].isupper() and SHORT.setdefault(short, name) == name and isinstance(resolve_name(name), type):
            config.numpydoc_xref_aliases[short] = name


def link(app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.Element) -> nodes.Element | None:
    """Link ``Sequential``, or ``Sequential.init``, to the class that has this name, wherever it is mentioned."""
    if node.get("refdomain") != "py":
        return None
    parts = node["reftarget"].split(".")
    objects = env.domains.python_domain.objects
    for i, part in enumerate(parts):
        full = ".".join([SHORT.get(part, part), *parts[i + 1 :]])
        if part in SHORT and full in objects:
            found = objects[full]
            return make_refnode(app.builder, node["refdoc"], found.docname, found.node_id, [text], full)
    return None


def skip(_app: Sphinx, _kind: str, name: str, member: object, _skip: bool, _options: object) -> bool | None:
    """Leave out fields of named tuples, which the table of parameters has, and what scikit-learn adds to classes."""
    added = re.search(r"_request$|^get_metadata_routing$", name)
    return True if added or str(getattr(member, "__doc__", "")).startswith("Alias for field number") else None


def escape_stars(_app: Sphinx, _kind: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Let the star of a shape such as (N, *shape) be a star, not the start of an emphasis."""
    for i, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            parts = line.split("``")
            parts[::2] = [re.sub(r"(?<=[(\s])\*(?=[\w(])", r"\\*", part) for part in parts[::2]]
            lines[i] = "``".join(parts)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the handlers."""
    app.connect("config-inited", add_aliases)
    app.connect("missing-reference", link)
    app.connect("autodoc-skip-member", skip)
    app.connect("autodoc-process-docstring", escape_stars, priority=400)  # ahead of numpydoc
    return {"parallel_read_safe": True, "parallel_write_safe": True}
