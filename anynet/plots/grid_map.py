"""Accuracy over a full grid of settings, with a cell for each combination."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from anynet.plots.letters import drawable
from anynet.plots.style import BEST, TICK_SIZE, figure, inches, styled

Scores = Sequence[tuple[Mapping[str, Any], float | None]]
"""Settings and accuracy of each point; None if training diverged."""
ACCURACY = "validation accuracy (%)"
MAX_CELLS = 12, 20
"""Cells of a panel, across and down, up to which they have numbers."""
CELL, SMALL_CELL = (0.6, 0.42), (0.25, 0.22)
"""Width and height of a cell in inches, with a number and without."""
MOST_TICKS = 12
"""Number of values of an axis up to which each has a tick."""
NARROWEST, LOWEST = 2.4, 1.5
"""Least width of a single panel, and height of one, in inches."""
REMARKS = "pruned", "diverged"
"""States that are said in a cell."""
WIDEST = 11.0
"""Width of a row of panels, in inches, unless a single one is wider."""


def is_grid(points: Sequence[Mapping[str, Any]]) -> bool:
    """Return True if points are all combinations of two or more values of two settings, each once.

    Parameters
    ----------
    points : sequence of mappings
        Values of the same two settings, by name.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_grid([{"lr": lr, "l2": l2} for lr in (0.1, 0.2) for l2 in (0.0, 1.0)])
    True
    """
    x, y = (set(values) for values in zip(*(point.values() for point in points), strict=True))
    return len(x) > 1 and len(y) > 1 and len(points) == len(x) * len(y) == len({tuple(p.values()) for p in points})


@styled()
def grid_map(
    scores: Scores,
    names: Sequence[str],
    title: str,
    format_value: Callable[[Any], str] = str,
    *,
    states: Sequence[str] = (),
) -> Figure:
    """Draw validation accuracy over two settings as a map, with a panel for each value of a third one.

    All cells have the same size, whatever the distance between the values. The best one has a frame. Up to 12 by 20
    cells have their numbers.

    Parameters
    ----------
    scores : sequence of (settings, accuracy)
        Every combination of the values, once. The accuracy is between 0 and 1; None means that training diverged.
    names : sequence of str, length 2 or 3
        Settings on the x axis, on the y axis and, if there are three, of the panels.
    title : str
        Text above the picture.
    format_value : callable
        Converts a value to its label.
    states : sequence of str, optional
        For each point "finished", "pruned" or "diverged", of which the last two are said in the cell.

    Returns
    -------
    Figure
    """
    x, y, *third = names
    panels = sorted({point[third[0]] for point, _ in scores}) if third else [None]
    values = [sorted({point[name] for point, _ in scores}) for name in (x, y)]
    labels = [[drawable(format_value(value)) for value in each] for each in values]
    numbers = all(len(each) <= most for each, most in zip(labels, MAX_CELLS, strict=True))
    cell = CELL if numbers else SMALL_CELL
    below, beside = (max(inches(label, TICK_SIZE) for label in each) for each in labels)
    width = max(cell[0] * len(values[0]), NARROWEST if len(panels) == 1 else 0) + 0.2
    upright = below > width / len(values[0]) - 0.15
    height = max(cell[1] * len(values[1]), LOWEST) + 0.7 + upright * below
    across = max(1, min(len(panels), int((WIDEST - beside) / width)))
    down = math.ceil(len(panels) / across)
    made = figure(beside + across * width + 1.4, down * height, title)
    every = list(made.subplots(down, across, squeeze=False).flat)
    finite = [accuracy for _, accuracy in scores if accuracy is not None]
    limits = min(finite, default=0.0), max(finite, default=1.0)
    known = [*zip(scores, states or [""] * len(scores), strict=True)]
    for i, (axes, panel) in enumerate(zip(every, panels, strict=False)):
        inside = [
            ((values[0].index(point[x]), values[1].index(point[y])), accuracy, state)
            for (point, accuracy), state in known
            if not third or point[third[0]] == panel
        ]
        _cells(axes, inside, (len(values[0]), len(values[1])), limits, numbers=numbers)
        axes.set(xlabel=x, ylabel="" if i % across else y)
        axes.set_title(drawable(f"{third[0]} {format_value(panel)}") if third else "", parse_math=False)
        steps = [1 if numbers else math.ceil(len(each) / MOST_TICKS) for each in labels]
        for axis, each, step in zip((axes.xaxis, axes.yaxis), labels, steps, strict=True):
            axis.set_ticks(range(0, len(each), step), each[::step], parse_math=False)
        axes.tick_params(axis="x", labelrotation=90 if upright else 0)
        axes.tick_params(labelleft=i % across == 0)
    for axes in every[len(panels) :]:
        axes.remove()
    bar = made.colorbar(every[0].images[0], ax=made.axes, label=f"{ACCURACY},\nbest framed")
    bar.ax.grid(visible=False)
    return made


def _cells(
    axes: Axes,
    cells: Sequence[tuple[tuple[int, int], float | None, str]],
    shape: tuple[int, int],
    limits: tuple[float, float],
    *,
    numbers: bool,
) -> None:
    """Draw cells, given as place, accuracy and state; with numbers, or with a cross for those that diverged."""
    low, high = limits
    image = np.full(shape[::-1], np.nan)
    for (i, j), accuracy, state in cells:
        if accuracy is not None:
            image[j, i] = 100 * accuracy
        remark = "diverged" if accuracy is None else state if state in REMARKS else ""
        color = "black" if accuracy is None or accuracy > low + 0.6 * (high - low) else "white"
        number = "" if accuracy is None else f"{100 * accuracy:.1f}"
        words = f"{number}\n{remark}".strip() if numbers else "x" * (remark == "diverged")
        axes.text(i, j, words, ha="center", va="center", fontsize=6.5 if remark else TICK_SIZE, color=color)
        if accuracy == high:
            frame = Rectangle((i - 0.5, j - 0.5), 1, 1, fill=False, edgecolor=BEST, linewidth=2.5, clip_on=False)
            axes.add_patch(frame)
    axes.imshow(image, origin="lower", aspect="auto", vmin=100 * low, vmax=100 * high)
    axes.grid(visible=False)
