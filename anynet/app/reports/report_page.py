"""Pages of reproduced reports: tables of claimed and measured results, and figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from anynet import plots
from anynet.app.config_text import main_settings
from anynet.app.reports.compare import HEADER, MARGIN, Row
from anynet.app.reports.page import Page, table
from anynet.app.reports.report_contents import SEARCH_CLAIMS, GridSearch, Report
from anynet.app.reports.tasks import Outcome
from anynet.core.formatting import format_settings, format_value
from anynet.training.run_text import results_in_short

SHOWN = 5
"""Number of best points of a search that a page lists."""


def report_page(
    report: Report,
    folder: Path,
    outcomes: Mapping[str, Sequence[Outcome]],
    rows: Sequence[Row],
    *,
    heading: str,
    note: str,
) -> None:
    """Write the page of a report.

    Parameters
    ----------
    report : Report
        The report.
    folder : Path
        Folder for the page.
    outcomes : mapping from str to sequence of Outcome
        Runs of each configuration and of each point of a search, by name.
    rows : sequence of Row
        As returned by `anynet.app.reports.compare.compare_all`.
    heading : str
        Text to put first.
    note : str
        Description of the images.
    """
    page = Page(folder, f"{report.title} ({report.author})")
    page.add(_images(outcomes, heading, note), report.about.strip(), "## Configurations")
    page.add(_recipes(report), table(HEADER, [row.cells() for row in rows]), _remark(outcomes))
    for name, search in report.searches.items():
        _add_search(page, name, search, outcomes)
    for name, band in report.figures.items():
        runs = {each: [o.history for o in outcomes[each] if "diverged" not in o.result] for each in band.of}
        val_name = " or ".join(sorted({report.configurations[each].config.val_name for each in band.of}))
        page.add(f"## {band.title}")
        page.add(
            f"Mean over the repeated runs, on the {val_name} images, and a band of one standard deviation (n - 1)."
        )
        there = {each: some for each, some in runs.items() if some}
        page.picture(name, band.title, plots.bands(there, band.title, val_name))
    for name, configuration in report.configurations.items():
        config, first = configuration.config, outcomes[name][0]
        if len(outcomes[name]) == 1 and "diverged" not in first.result:
            page.add(f"## Configuration {name}")
            note = f"hidden {config.hidden or 'none'}, {main_settings(config)}"
            curves = plots.curves(first.history, _title(name, first), config.val_name, note)
            page.picture(f"{name}-curves", f"cost, loss and accuracy of {name}", curves)
            weights = first.folder / "weights.png"
            if config.hidden == "" and weights.exists():  # it may have failed to be drawn
                page.picture(f"{name}-weights", f"class templates of {name}", weights)
    page.write()


def summary_page(out: Path, rows: Mapping[str, Sequence[Row]], *, heading: str, note: str) -> None:
    """Write the page that links to the others, with all claimed results.

    Parameters
    ----------
    out : Path
        Folder of the reproduction.
    rows : mapping from str to sequence of Row
        Rows of each report.
    heading, note : str
        As for `report_page`.
    """
    page = Page(out, "The reports, reproduced")
    page.add(
        f"{heading}All results are in percent, on {note}. A result agrees if it is within {100 * MARGIN:g} points."
    )
    if (out / "gradient-checks").exists():
        page.add("Each report starts with [gradient checks](gradient-checks/README.md).")
    for name, of_report in rows.items():
        claimed = [row for row in of_report if row.claimed is not None]
        page.add(f"## [{name}]({name}/README.md)", table(HEADER, [row.cells() for row in claimed]))
    page.write()


def _images(outcomes: Mapping[str, Sequence[Outcome]], heading: str, note: str) -> str:
    results = [o.result for some in outcomes.values() for o in some if "diverged" not in o.result]
    if not results:
        return f"{heading}Every run diverged, on {note}."
    first = results[0]
    where = f"{first['backend']} on {first['device']}, {first['dtype']}"
    versions = ", ".join(f"{name} {version}" for name, version in first["versions"].items())
    seconds = sum(result["seconds"] for result in results)
    which = "" if first["official"] else "**These are not the official files of CIFAR-10, byte for byte.** "
    if first["dataset"] == "synthetic":
        which = "**These are generated images, not CIFAR-10.** "
    return (
        f"{heading}{which}Measured on {note}: {len(results)} runs with {where}, {seconds:,.0f} s of training and "
        f"evaluation in total; {versions}."
    )


def _recipes(report: Report) -> str:
    """Return a table of the settings in which the configurations differ, and a line of those they share."""
    shared, configurations = report.shared, report.configurations
    own = list(dict.fromkeys(name for c in configurations.values() for name in c.settings if name not in shared))
    rows = [[key, *(format_value(getattr(c.config, name)) for name in own)] for key, c in configurations.items()]
    seeds = max(c.seeds for c in report.configurations.values())
    repeated = f" Each was run {seeds} times, with seeds 42 to {41 + seeds}." if seeds > 1 else ""
    return f"All with {format_settings(shared)}.{repeated}\n\n{table(['configuration', *own], rows)}"


def _title(name: str, outcome: Outcome) -> str:
    """Return the title of a configuration's curves, with its results."""
    result, history = outcome.result, outcome.history
    tests = [(result.get("best_test_accuracy"), None), (result.get("test_accuracy"), result.get("test_loss"))]
    known = [None if test == (None, None) else test for test in tests]
    best = history.best.epoch if history and history[0].val_loss is not None else None
    return f"{result['dataset']}: configuration {name}\n{results_in_short(len(history), best, known)}"


def _remark(outcomes: Mapping[str, Sequence[Outcome]]) -> str:
    words = "All accuracies are those after the last epoch."
    reasons = {name: o.result["diverged"] for name, some in outcomes.items() for o in some if "diverged" in o.result}
    return "\n\n".join([words, *(f"{name} diverged: {reason}." for name, reason in reasons.items())])


def _add_search(page: Page, name: str, search: GridSearch, outcomes: Mapping[str, Sequence[Outcome]]) -> None:
    found = []
    for key, (first,) in ((key, some) for key, some in outcomes.items() if key.startswith(f"{name}/")):
        point = {k: float(v) for k, v in (part.split("=") for part in key.removeprefix(f"{name}/").split(","))}
        found.append((point, first.result))
    found.sort(key=lambda pair: -pair[1].get("val_accuracy", 0))
    words = format_settings({key: value for key, value in search.settings.items() if key not in search.over})
    page.add(f"## {search.title}", f"The best in validation of {len(found)} combinations. All with {words}.")
    rows = [_search_row(point, result) for point, result in found[:SHOWN]]
    page.add(table([*search.over, "validation, %", "training, %", "test, %"], rows))
    if search.claims:
        page.add(f"The best points of the report, and their results here. {search.why.strip()}".strip())
        by_point = {tuple(sorted(point.items())): result for point, result in found}
        lines = [_claim_row(claim, search, by_point) for claim in search.claims]
        header = [*search.over, "validation, report", "here", "training, report", "here"]
        page.add(table(header, [line for line in lines if line]))
    accuracies = [(point, result.get("val_accuracy")) for point, result in found]
    page.picture(name, search.title, plots.grid_map(accuracies, list(search.over), search.title, format_value))


def _search_row(point: Mapping[str, float], result: Mapping[str, Any]) -> list[str]:
    figures = [result.get(f"{which}_accuracy", np.nan) for which in ("val", "train", "test")]
    return [*(f"{value:g}" for value in point.values()), *(f"{100 * figure:.2f}" for figure in figures)]


def _claim_row(claim: Mapping[str, float], search: GridSearch, found: Mapping[Any, Mapping[str, Any]]) -> list[str]:
    point = {name: float(claim[name]) for name in search.over}
    result = found.get(tuple(sorted(point.items())))
    if result is None:  # a quick search leaves values out
        return []
    cells = [f"{value:g}" for value in point.values()]
    for which in SEARCH_CLAIMS:
        cells += [f"{100 * claim[which]:.2f}" if which in claim else "", f"{100 * result.get(which, np.nan):.2f}"]
    return cells
