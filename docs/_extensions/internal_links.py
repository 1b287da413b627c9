"""Warnings about links of the built site that lead nowhere: to a file or an anchor that is not there."""

import posixpath
import re
from collections.abc import Iterable
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

TAG = re.compile(r"<[a-z][^>]*")
ATTRIBUTE = re.compile(r'\s(href|src|id)="([^"]*)"')


def links_and_anchors(page: Path) -> tuple[set[str], set[str]]:
    """Return the links of a page and the anchors that links to it may have."""
    found: dict[str, set[str]] = {"href": set(), "src": set(), "id": set()}
    for tag in TAG.findall(page.read_text(encoding="utf-8")):
        for name, value in ATTRIBUTE.findall(tag):
            found[name].add(unescape(value))
    return found["href"] | found["src"], found["id"]


def dead_links(folder: Path, pages: Iterable[Path]) -> list[tuple[str, str]]:
    """Return the pages in a folder and their links that lead nowhere; links to other sites are not followed."""
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    read = {page.relative_to(folder).as_posix(): links_and_anchors(page) for page in sorted(pages)}
    dead = []
    for name, (links, _anchors) in read.items():
        for link in sorted(links):
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            path = posixpath.join(posixpath.dirname(name), unquote(url.path)) if url.path else name
            target = posixpath.normpath(path)
            anchors = read[target][1] if target in read else {unquote(url.fragment)}
            if target not in files or (url.fragment and unquote(url.fragment) not in anchors):
                dead.append((name, link))
    return dead


def warn(app: Sphinx, error: Exception | None) -> None:
    """Warn about each dead link of a build that has ended."""
    if error is None and app.builder.format == "html":
        folder = Path(app.outdir)
        pages = [folder / f"{name}.html" for name in app.env.found_docs]
        for page, link in dead_links(folder, [*pages, *folder.glob("_modules/**/*.html")]):
            logger.warning("%s: the link %s leads nowhere", page, link)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the handler."""
    app.connect("build-finished", warn, priority=900)  # behind what else is written
    return {"parallel_read_safe": True, "parallel_write_safe": True}
