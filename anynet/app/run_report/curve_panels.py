"""Curves over the epochs: a panel for each quantity, with a line for each run, group of runs, or part of the data."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from anynet.app.run_report.inline_svg import InlinePictures
from anynet.core.epoch import costs_are_losses, score
from anynet.core.history import History, mean_and_deviation, mean_history
from anynet.plots.scales import scale
from anynet.plots.style import COLORS, figure, styled

WIDTH, HEIGHT = 3.6, 2.3
"""Size of a panel in inches: on a narrow screen its text is not smaller than that of the page."""
MOST_LINES = 6
"""Lines of a panel, one color each."""
MOST_DOTS = 40
"""Number of epochs up to which each has a dot."""
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))
"""Styles of lines, so that they differ without colors too."""
QUANTITIES = {"accuracy": "accuracy (%)", "loss": "loss", "cost": "cost, the loss plus the penalty"}


class Panel(NamedTuple):
    """A picture of the page with its caption."""

    caption: str
    picture: Markup


class Legend(NamedTuple):
    """Names of the lines, in the order of their colors, and how many have none."""

    names: list[str]
    left_out: int


def run_curves(pictures: InlinePictures, run: History, val_name: str) -> tuple[Legend, list[Panel]]:
    """Draw training and validation of one run in each panel, and the learning rate.

    Parameters
    ----------
    pictures : InlinePictures
    run : History
    val_name : str
        Name of the validation images.

    Returns
    -------
    tuple of Legend and list of Panel
    """
    splits = {"train": "training", "val": val_name}
    there = {split: name for split, name in splits.items() if f"{split}_loss" in run.columns}
    panels = []
    for quantity, text in QUANTITIES.items():
        columns = {name: f"{split}_{quantity}" for split, name in there.items()}
        if not any(column in run.columns for column in columns.values()):
            continue
        if quantity == "cost" and costs_are_losses(run):
            continue
        lines = {name: ([run], column) for name, column in columns.items()}
        best = run.best.epoch if "val" in there else None
        panels.append(_panel(pictures, text, lines, best))
    panels.append(_panel(pictures, "learning rate of the last step", {"rate": ([run], "lr")}))
    return Legend(list(there.values()), 0), panels


def overlaid_curves(
    pictures: InlinePictures, groups: Mapping[str, Sequence[History]], val_name: str
) -> tuple[Legend, list[Panel]]:
    """Draw runs, or the means of groups of runs and bands of one deviation (with n - 1), over each other.

    Parameters
    ----------
    pictures : InlinePictures
    groups : mapping of str to sequence of History
        Histories of the runs of each group, none of them empty; those with the best validation are drawn.
    val_name : str
        Name of the validation images.

    Returns
    -------
    tuple of Legend and list of Panel
    """
    best = sorted(groups, key=lambda name: -_score(groups[name]))[:MOST_LINES]
    names = [name for name in groups if name in best]
    columns = {column for name in names for history in groups[name] for column in history.columns}
    panels = []
    for split, of in (("val", val_name), ("train", "training")):
        for quantity in ("accuracy", "loss"):
            column = f"{split}_{quantity}"
            if column in columns:
                lines = {name: (groups[name], column) for name in names}
                panels.append(_panel(pictures, f"{of} {QUANTITIES[quantity]}", lines))
    return Legend(names, len(groups) - len(names)), panels


def seconds_panel(pictures: InlinePictures, groups: Mapping[str, History]) -> Panel:
    """Draw the seconds of each epoch, of one run or several."""

    @styled()
    def draw() -> Figure:
        made = figure(WIDTH, HEIGHT)
        axes = made.subplots()
        for i, history in enumerate(groups.values()):
            seconds = np.diff(history["seconds"], prepend=0)
            _line(axes, np.arange(1, len(seconds) + 1), seconds, i)
        axes.set(xlabel="epoch", ylim=(0, None))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        return made

    return Panel("seconds of each epoch", pictures.add(draw(), "seconds of each epoch over the epochs"))


def _score(histories: Sequence[History]) -> float:
    return float(mean_and_deviation([score(history.best) for history in histories])[0])


@styled()
def _panel(
    pictures: InlinePictures, caption: str, lines: Mapping[str, tuple[Sequence[History], str]], best: int | None = None
) -> Panel:
    made = figure(WIDTH, HEIGHT)
    axes = made.subplots()
    for i, (histories, column) in enumerate(lines.values()):
        mean, deviation = (_column(history, column) for history in mean_history(histories))
        there = np.isfinite(mean)
        epochs = np.arange(1, len(mean) + 1)[there]
        mean, deviation = mean[there], deviation[there]
        _line(axes, epochs, mean, i)
        if len(histories) > 1:
            axes.fill_between(epochs, mean - deviation, mean + deviation, color=COLORS[i], alpha=0.2, linewidth=0)
    if best is not None:
        axes.axvline(best, color="0.45", linewidth=1, linestyle=":")
    heights = np.concatenate([np.asarray(line.get_ydata(), float) for line in axes.lines[: len(lines)]])
    if heights.size and not caption.endswith("(%)"):
        axes.set_yscale(scale(heights.min(), heights.max()))
    axes.set(xlabel="epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    marked = "" if best is None else f"; the dotted line is the best epoch, {best}"
    last = [f"{name}: {_end(line.get_ydata())}" for name, line in zip(lines, axes.lines, strict=False)]
    return Panel(caption, pictures.add(made, f"{caption} over the epochs; at the end {', '.join(last)}{marked}"))


def _line(axes: Axes, x: np.ndarray, y: np.ndarray, i: int) -> None:
    """Draw the line number `i`."""
    marker = "." if len(x) < MOST_DOTS else None
    axes.plot(x, y, color=COLORS[i], linestyle=DASHES[i], marker=marker)


def _column(history: History, column: str) -> np.ndarray:
    """Return a column, accuracies in percent; NaN if it was not measured."""
    if column not in history.columns:
        return np.full(len(history), np.nan)
    return history[column] * (100 if column.endswith("accuracy") else 1)


def _end(values: object) -> str:
    heights = np.asarray(values, float)
    return f"{heights[-1]:.4g}" if heights.size else "not measured"
