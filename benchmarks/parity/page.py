"""Table and page of accuracies."""

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table

from benchmarks import tables
from benchmarks.parity.recipes import Recipe
from benchmarks.parity.record import Record, difference

TITLE = "Test accuracy on CIFAR-10, by anynet and by plain PyTorch"


def accuracies(record: Record, recipes: Iterable[Recipe], peers: Sequence[str]) -> Table:
    """Return the accuracies of each seed, their mean and its difference to the last peer's, and seconds, in rows."""
    other, own = peers[-1], peers[:-1]
    table = Table("recipe", "peer", "each seed, %", "mean, %", f"minus {other}", "seconds", title=TITLE)
    for recipe in recipes:
        base = [run.accuracy for run in record.of(other, recipe)]
        for peer in (*own, other):
            if runs := record.of(peer, recipe):
                found = [run.accuracy for run in runs]
                compared = _difference(found, base) if peer != other and base else tables.NONE
                seconds = f"{statistics.median(run.seconds for run in runs):.0f}"
                each = ", ".join(f"{100 * accuracy:.2f}" for accuracy in found)
                table.add_row(str(recipe), peer, each, f"{100 * statistics.fmean(found):.2f}", compared, seconds)
    return table


def page(record: Record, machine: dict[str, Any], recipes: Iterable[Recipe], peers: Sequence[str]) -> str:
    """Return the page in Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    parts = [
        f"# {TITLE}",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, {machine['date']}; {versions}.",
        f"Recipes are anynet's presets, trained on {record.settings['images']:,} images; random numbers differ. "
        "Differences of means have their standard errors; seconds are the median of whole processes.",
        tables.markdown(accuracies(record, recipes, peers)),
    ]
    return "\n\n".join(parts) + "\n"


def _difference(first: Sequence[float], second: Sequence[float]) -> str:
    means, error = difference(first, second)
    return f"{100 * means:+.2f}" + ("" if math.isnan(error) else f" ± {100 * error:.2f}")
