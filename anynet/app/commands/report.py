"""``anynet report``."""

import webbrowser
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from anynet.app.new_folder import check_new_file
from anynet.app.run_report.own_pages import REPORT
from anynet.app.run_report.run_page import write_page


def report(
    run: Path,
    /,
    *others: Path,
    out: Path | None = None,
    analyze: Annotated[bool, Parameter(negative="")] = False,
    open_page: Annotated[bool, Parameter(name="--open", negative="")] = False,
) -> None:
    """Write a page about a run, a sweep or a search, or about several runs: one HTML file that needs nothing else.

    Parameters
    ----------
    run
        Folder of a run, a sweep or a search.
    others
        Folders of other runs on the same data set, to be compared.
    out
        New file for the page. Default: report.html in the folder, which is replaced; of several runs, a new
        report.html here.
    analyze
        First write analysis.json, which has confusions and mistakes, into folders of an earlier version that have none.
        The test images must be on this machine; nothing is downloaded.
    open_page
        Show the page in a browser.
    """
    page = out or (Path(REPORT) if others else run / REPORT)
    if out is not None or others:
        check_new_file(page)
    if analyze:
        from anynet.app.run_report.analyze_again import analyze_again  # here, because only this needs nets and images

        for folder in (run, *others):
            analyze_again(folder)
    write_page([run, *others], page)
    if open_page and not _opened(page):
        print(f"no browser was found; open {page.resolve().as_uri()}")
    else:
        print(f"the page is in {page}")


def _opened(page: Path) -> bool:
    try:
        return webbrowser.open(page.resolve().as_uri())
    except webbrowser.Error:
        return False
