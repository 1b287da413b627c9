"""The pages that runs, sweeps and searches write at their end."""

from functools import partial
from pathlib import Path

from anynet.app.keeping import Page

REPORT = "report.html"
"""Name of the page in the folder that it is about."""
MOST_PAGES = 20
"""Number of members up to which each has a page, which takes about as long as the training of a small net."""


def own_pages(folder: Path) -> list[Page]:
    """Return the page of a run, a sweep or a search, and those of a sweep's members, to be written.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Page
    """
    members = sorted(path.parent for path in folder.glob("member-*/result.json"))
    members = members if len(members) <= MOST_PAGES else []
    return [Page(each / REPORT, partial(write_own_page, each)) for each in (folder, *members)]


def write_own_page(folder: Path, file: Path) -> None:
    """Write the page about a folder into a file."""
    from anynet.app.run_report.run_page import write_page  # here, because Jinja is needed at the end alone

    write_page([folder], file)
