"""Table, page and figure of times to accuracies."""

import math
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from anynet.plots import Figure
from anynet.plots.scales import set_log
from anynet.plots.style import CYCLE, figure, legend_below, styled
from benchmarks import tables
from benchmarks.time_to_accuracy.child import ANYNET
from benchmarks.time_to_accuracy.recipes import LACKING, WORDS
from benchmarks.time_to_accuracy.record import FINAL, SEARCH, Record

TITLE = "Seconds to test accuracy on CIFAR-10, fully connected nets"


def times(record: Record, peers: Sequence[str], levels: Sequence[float]) -> Table:
    """Return median seconds: rows are peers, columns levels."""
    table = Table("seconds to", *(f"{level:.0%}" for level in levels), title=TITLE)
    for peer in peers:
        table.add_row(peer, *(_cell(record.median(peer, level)) for level in levels))
    return table


def recipes(record: Record, peers: Sequence[str], levels: Sequence[float]) -> Table:
    """Return the chosen recipes with seconds of each seed: rows are peers and levels."""
    table = Table("peer", "to", "recipe", "seconds of each seed", "epochs")
    for peer in peers:
        for level in levels:
            if (chosen := record.choose(peer, level)) is not None:
                runs = [run for run in record.of(peer, FINAL) if run.recipe == chosen]
                epochs = [min((e for _, e, a in run.curve if a >= level), default=math.inf) for run in runs]
                seconds = ", ".join(map(_cell, record.seconds(peer, level)))
                table.add_row(peer, f"{level:.0%}", str(chosen), seconds, ", ".join(map(_cell, epochs)))
    return table


def search(record: Record, peers: Sequence[str], levels: Sequence[float]) -> Table:
    """Return all runs of the search: best accuracy on held-out images, and seconds to each level."""
    table = Table("peer", "recipe", "held-out", *(f"{level:.0%}" for level in levels), "seconds", "end")
    for peer in peers:
        for run in record.of(peer, SEARCH):
            best = max((accuracy for _, _, accuracy in run.curve), default=0.0)
            last = run.curve[-1][0] if run.curve else math.inf
            reached = (_cell(run.seconds(level)) for level in levels)
            table.add_row(peer, str(run.recipe), f"{best:.1%}", *reached, _cell(last), run.outcome)
    return table


def page(record: Record, machine: dict[str, Any], peers: Sequence[str], figure: str) -> str:
    """Return the page in Markdown."""
    levels, cap = record.settings["levels"], record.settings["cap"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    lacking = "; ".join(
        f"{peer} has no {', '.join(WORDS[name] for name in names)}" for peer, names in LACKING.items() if peer in peers
    )
    parts = [
        f"# {TITLE}",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, {machine['date']}; {versions}.",
        "Median over seeds, from the start of the process on: imports, reading of the files, compilation and all "
        f'evaluations count. "{tables.NONE}": not reached within {cap:g} seconds. Recipes were chosen on held-out '
        "training images." + (f" Left out of recipes: {lacking}." if lacking else ""),
        tables.markdown(times(record, peers, levels)),
        f"![{TITLE}]({figure})",
        "## Chosen recipes",
        tables.markdown(recipes(record, peers, levels)),
        "## Search",
        f"One run of each recipe; seconds to accuracies on held-out images, at most {cap:g}.",
        tables.markdown(search(record, peers, levels)),
    ]
    return "\n\n".join(parts) + "\n"


@styled()
def curves(record: Record, peers: Sequence[str]) -> Figure:
    """Return test accuracies over seconds: for each peer the recipe of the highest level, and the times of all levels.

    Parameters
    ----------
    record : Record
    peers : sequence of str

    Returns
    -------
    Figure
    """
    levels = record.settings["levels"]
    made = figure(8, 4, TITLE)
    axes, styles = made.subplots(), list(CYCLE)
    for level in levels:
        axes.axhline(100 * level, color="silver", linewidth=0.8)
    for i, peer in enumerate(peers):
        chosen = next(filter(None, (record.choose(peer, level) for level in sorted(levels, reverse=True))), None)
        runs = [run for run in record.of(peer, FINAL) if run.recipe == chosen and run.curve]
        style: dict[str, Any] = styles[i % len(styles)]
        width = 2 if peer.startswith(ANYNET) else 1
        for k, run in enumerate(runs):
            seconds, _, accuracies = zip(*run.curve, strict=True)
            label = f"{peer}: {chosen}" if k == 0 else None
            axes.plot(seconds, [100 * a for a in accuracies], linewidth=width, label=label, **style)
        reached = [(record.median(peer, level), 100 * level) for level in levels]
        points = [point for point in reached if point[0] < math.inf]
        if points:
            axes.plot(*zip(*points, strict=True), "o", color=style["color"])
    set_log(axes, "x")
    axes.set(xlabel="seconds since the start of the process", ylabel="test accuracy (%)")
    legend_below(made)
    return made


def _cell(value: float) -> str:
    return tables.NONE if value == math.inf else f"{value:.3g}"
