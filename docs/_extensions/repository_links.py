"""Links of Markdown pages to files of the repository that are no sources of the site.

Links to ``../benchmarks/README.md`` lead to the page that includes this file, links to examples of the gallery to their
pages, links to modules of anynet to their highlighted source, if the site has it. All others stay downloads.
"""

import posixpath

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

INCLUDED = {
    "benchmarks/README.md": "benchmarks",
    "CHANGELOG.md": "changelog",
    "CONTRIBUTING.md": "contributing",
    "README.md": "index",
}
"""Files outside docs, and the pages that have their text."""


def page_of(path: str) -> str | None:
    """Return the page that has the text of a file, or None."""
    if path.startswith("docs/gallery/plot_"):
        return f"auto_gallery/{posixpath.basename(path).removesuffix('.py')}"
    return INCLUDED.get(path)


def redirect(app: Sphinx, doctree: nodes.document) -> None:
    """Replace links to files by links to pages."""
    page = app.env.docname
    for link in list(doctree.findall(addnodes.download_reference)):
        path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), link["reftarget"]))
        if found := page_of(path):
            attributes = {"refdoc": page, "reftype": "myst", "refexplicit": True, "refdomain": "doc"}
            new = addnodes.pending_xref("", *link.children, **attributes)
            new["reftarget"], new["reftargetid"] = found, link.get("reftargetid")
            link.replace_self(new)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the handler."""
    app.connect("doctree-read", redirect)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
