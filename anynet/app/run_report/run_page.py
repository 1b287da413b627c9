"""The page about one run, several runs, a sweep or a search: from the files of folders to one HTML file."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anynet.app.run_report.analyzed import ClassAnalysis
from anynet.app.run_report.calibration_panel import scatter_panels
from anynet.app.run_report.curve_panels import MOST_LINES, Legend, Panel, seconds_panel
from anynet.app.run_report.folder_kind import Content, read_folders
from anynet.app.run_report.inline_svg import InlinePictures
from anynet.app.run_report.make_again import is_product, sweep_command
from anynet.app.run_report.page_parts import RunPart, calibration, curves, environment, predictions, run_part
from anynet.app.run_report.page_sections import sections
from anynet.app.run_report.page_template import rendered
from anynet.app.run_report.run_files import RunFiles
from anynet.app.run_report.run_summary import (
    data_notices,
    run_facts,
    run_notices,
    run_sentence,
    runs_sentence,
    sweep_facts,
    sweep_notices,
    sweep_sentence,
)
from anynet.app.run_report.setting_tables import setting_tables
from anynet.app.run_report.sweep_files import SweepFiles
from anynet.app.run_report.sweep_parts import sweep_parts
from anynet.core.atomic import write_text_whole


def write_page(folders: Sequence[Path], out: Path) -> None:
    """Write the page about folders, whole or not at all.

    Parameters
    ----------
    folders : sequence of Path
        Of one run or several, of one sweep or of one search.
    out : Path
        File to write or replace.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    FileError
        If a folder is another one, or a file in it is damaged.
    ValueError
        If there are several folders that are not all of runs on the same data set.
    OSError
        If a file cannot be read, or the page cannot be written.
    """
    page = render(read_folders(folders))
    write_text_whole(out, page.encode("utf-8", "replace").decode())  # names of folders may be no UTF-8


def render(content: Content) -> str:
    """Return the page about the files of folders as HTML.

    Parameters
    ----------
    content : list of RunFiles, SweepFiles or SearchFiles

    Returns
    -------
    str
    """
    pictures = InlinePictures()
    if isinstance(content, list):
        kind, values = "run" if len(content) == 1 else "runs", _runs(pictures, content)
    elif isinstance(content, SweepFiles):
        kind, values = "sweep", _sweep(pictures, content)
    else:
        from anynet.app.run_report.search_page import search_values  # here, because Optuna is slow to import

        kind, values = "search", search_values(pictures, content)
    return rendered(values | {"kind": kind, "contents": sections(kind, values), "environment": environment})


def _runs(pictures: InlinePictures, runs: Sequence[RunFiles]) -> dict[str, Any]:
    parts = [run_part(pictures, run) for run in runs]
    alone = len(runs) == 1
    notices = [notice for run in runs for notice in run_notices(run, "" if alone else f"{run.name}: ")]
    official = next((False for run in runs if run.result.get("official") is False), True)
    return {
        "title": run_sentence(runs[0]) if alone else runs_sentence(runs),
        "notices": [*data_notices(runs[0].dataset, official), *notices],
        "facts": run_facts(runs[0], parts[0].net.parameters) if alone else [],
        "settings": setting_tables([run.settings for run in runs]),
        "curves": curves(pictures, runs),
        **_analyses(pictures, parts, [part.predictions for part in parts if part.predictions]),
        "analyze": _analyze(run.path for run in runs if run.analysis is None),
    }


def _sweep(pictures: InlinePictures, sweep: SweepFiles) -> dict[str, Any]:
    parts = [] if sweep.best is None else [run_part(pictures, sweep.best)]
    shown = [part.predictions for part in parts if part.predictions]
    if isinstance(sweep.analysis, ClassAnalysis):
        shown.insert(0, predictions(pictures, "ensemble", sweep.analysis))
    return {
        "title": sweep_sentence(sweep),
        "notices": [*data_notices(sweep.dataset, sweep.result.get("official")), *sweep_notices(sweep)],
        "facts": sweep_facts(sweep),
        "sweep": sweep,
        **sweep_parts(pictures, sweep),
        "settings": setting_tables([sweep.settings]),
        **_analyses(pictures, parts, shown),
        "analyze": _analyze([] if sweep.best is None else [sweep.best.path]),
        "command": sweep_command(sweep.settings, sweep.points) if is_product(sweep.points) else "",
    }


def _analyses(pictures: InlinePictures, parts: Sequence[RunPart], shown: list[Any]) -> dict[str, Any]:
    """Return what is shown of runs and of the predictions of their nets."""
    histories = {part.files.name: part.files.history for part in parts if len(part.files.history) > 1}
    histories = dict(list(histories.items())[:MOST_LINES])
    scatters: list[Panel] = [
        panel
        for part in parts
        if part.numbers is not None
        for panel in scatter_panels(pictures, part.numbers, part.files.name if len(parts) > 1 else "")
    ]
    return {
        "parts": parts,
        "predictions": shown,
        "calibration": calibration(pictures, shown),
        "scatters": scatters,
        "seconds": seconds_panel(pictures, histories) if histories else None,
        "seconds_legend": Legend(list(histories), 0),
    }


def _analyze(folders: Any) -> str:
    return shlex.join(["python", "-m", "anynet", "report", *map(str, folders), "--analyze"])
