"""Links between the repository's Markdown files, which are written for readers of the files, made links of the site.

Links to ``../benchmarks/README.md`` lead to the page that includes this file. Links of a file that is included are
relative to it, and become relative to the page. Links to modules lead to their highlighted source, if the site has it.
"""

import posixpath
import re
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

INCLUDED = {
    "benchmarks/README.md": "docs/benchmarks.md",
    "CHANGELOG.md": "docs/changelog.md",
    "CONTRIBUTING.md": "docs/contributing.md",
    "README.md": "docs/index.md",
}
"""Files outside docs, and the pages that have their text. Pages of results have the same name in docs/benchmarks."""
RESULTS = re.compile(r"benchmarks/results/(?=[^/]+\.md$)")
EXAMPLE = re.compile(r"docs/gallery/(plot_\w+)\.py$")
LINK = re.compile(r"(?<=\]\()([^)#\s]+)(?=[)#])")


def rewrite(text: str, source: str, page: str) -> str:
    """Return the text with the links of a source file as links of a page; both are paths in the repository."""

    def target(found: re.Match[str]) -> str:
        if "://" in found[0]:
            return found[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), found[0]))
        path = RESULTS.sub("docs/benchmarks/", INCLUDED.get(path, path))
        path = EXAMPLE.sub(r"docs/auto_gallery/\1.rst", path)
        return posixpath.relpath(path, posixpath.dirname(page))

    return LINK.sub(target, text)


def read_page(app: Sphinx, name: str, content: list[str]) -> None:
    """Rewrite the links of a page."""
    path = Path(app.env.doc2path(name))
    if path.suffix == ".md":
        page = f"docs/{path.relative_to(app.srcdir).as_posix()}"
        content[0] = rewrite(content[0], page, page)


def read_included(app: Sphinx, path: Path, _parent: str, content: list[str]) -> None:
    """Rewrite the links of a file that a page includes."""
    source = posixpath.normpath(posixpath.join("docs", path.as_posix()))
    content[0] = rewrite(content[0], source, f"docs/{app.env.docname}.md")


def link_sources(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Let links to modules lead to the pages of ``sphinx.ext.viewcode``."""
    for link in list(doctree.findall(addnodes.download_reference)):
        path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), link["reftarget"]))
        module = path.removesuffix(".py").replace("/", ".")
        if getattr(app.env, "_viewcode_modules", {}).get(module):
            uri = app.builder.get_relative_uri(page, f"_modules/{module.replace('.', '/')}")
            link.replace_self(nodes.reference("", "", *link.children, refuri=uri, internal=True))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the handlers."""
    app.connect("source-read", read_page)
    app.connect("include-read", read_included)
    app.connect("doctree-resolved", link_sources)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
