"""A notebook that runs in the browser: a JupyterLite site within the site, and a wheel of anynet that it installs.

Links to the notebook's file open it there.
"""

import posixpath
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.osutil import relative_uri

ROOT = Path(__file__).parents[2]
NOTEBOOK = "docs/examples/in_the_browser.ipynb"
FOLDER = "lite"
"""The JupyterLite site in the site."""


def run(folder: str, *arguments: str) -> None:
    """Run a module of this Python in a folder; ExtensionError with what it said if it fails."""
    command = [sys.executable, "-m", *arguments]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ended.returncode:
        said = (ended.stdout + ended.stderr)[-3000:]
        raise ExtensionError(f"{' '.join(command)}\nended with code {ended.returncode}:\n{said}")


def write_lite(folder: Path) -> None:
    """Replace a folder by a JupyterLite site that has the notebook, and a wheel of this checkout in its index."""
    shutil.rmtree(folder, ignore_errors=True)
    with TemporaryDirectory() as scratch:
        run(str(ROOT), "hatchling", "build", "--target", "wheel", "--directory", f"{scratch}/pypi")
        small = ["--apps", "notebooks", "--no-sourcemaps", "--no-unused-shared-packages"]
        contents = ["--contents", str(ROOT / NOTEBOOK)]
        run(scratch, "jupyterlite_core", "build", "--lite-dir", scratch, *contents, *small, "--output-dir", str(folder))


def write_after_pages(app: Sphinx, error: Exception | None) -> None:
    """Write the JupyterLite site once all pages are written."""
    if error is None and app.builder.name == "html":
        write_lite(Path(app.outdir) / FOLDER)


def link_notebook(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Let links to the notebook's file open the notebook."""
    for link in list(doctree.findall(addnodes.download_reference)):
        if posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), link["reftarget"])) == NOTEBOOK:
            uri = relative_uri(app.builder.get_target_uri(page), f"{FOLDER}/notebooks/index.html")
            opened = f"{uri}?path={posixpath.basename(NOTEBOOK)}"
            link.replace_self(nodes.reference("", "", *link.children, refuri=opened, internal=True))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the handlers."""
    app.connect("doctree-resolved", link_notebook)
    app.connect("build-finished", write_after_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
