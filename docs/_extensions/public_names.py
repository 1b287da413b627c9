"""Links to public names by their short names, such as ``Sequential`` in docstrings of all modules."""

from pathlib import Path
from pkgutil import resolve_name

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.ext.autosummary.generate import find_autosummary_in_files
from sphinx.util.nodes import make_refnode


def documented(folder: Path) -> list[str]:
    """Return the full names that the tables of the API pages list."""
    files = sorted(str(path) for path in folder.glob("*.rst"))
    return [entry.name for entry in find_autosummary_in_files(files)]


def add_aliases(app: Sphinx, config: Config) -> None:
    """Let numpydoc link each class by its short name; the first page that lists a name has it."""
    for name in documented(app.srcdir / "api"):
        if isinstance(resolve_name(name), type):
            config.numpydoc_xref_aliases.setdefault(name.rpartition(".")[2], name)


def link(app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.Element) -> nodes.Element | None:
    """Link ``Sequential``, or ``Sequential.init``, to the class that has this name, wherever it is mentioned."""
    if node.get("refdomain") != "py":
        return None
    parts = node["reftarget"].split(".")
    objects = env.domains.python_domain.objects
    for i, part in enumerate(parts):
        full = ".".join([app.config.numpydoc_xref_aliases.get(part, part), *parts[i + 1 :]])
        if part in app.config.numpydoc_xref_aliases and full in objects:
            found = objects[full]
            return make_refnode(app.builder, node["refdoc"], found.docname, found.node_id, [text], full)
    return None


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the handlers."""
    app.connect("config-inited", add_aliases)
    app.connect("missing-reference", link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
