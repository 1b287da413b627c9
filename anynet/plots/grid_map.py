"""Accuracy over a full grid of settings, with a cell for each combination."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

Scores = Sequence[tuple[Mapping[str, Any], float | None]]
"""Settings and accuracy of each point; None if training diverged."""


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


def grid_map(scores: Scores, names: Sequence[str], title: str, format_value: Callable[[Any], str] = str) -> Figure:
    """Draw validation accuracy over two settings as a map, with a panel for each value of a third one.

    All cells have the same size, whatever the distance between the values. The best one has a frame.

    Parameters
    ----------
    scores : sequence of (settings, accuracy)
        Every combination of the values, once. The accuracy is between 0 and 1; None means that training diverged.
    names : sequence of str, length 2 or 3
        Settings on the x axis, on the y axis and, if there are three, of the panels.
    title : str
    format_value : callable
        Converts a value to its label.

    Returns
    -------
    Figure
    """
    x, y, *third = names
    panels = sorted({point[third[0]] for point, _ in scores}) if third else [None]
    across, down = (len({point[name] for point, _ in scores}) for name in (x, y))
    figure = Figure(figsize=(2 + (1 + 0.8 * across) * len(panels), 1.8 + 0.5 * down), layout="constrained")
    figure.suptitle(title)
    finite = [accuracy for _, accuracy in scores if accuracy is not None]
    limits = min(finite, default=0.0), max(finite, default=1.0)
    every = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axes, panel in zip(every, panels, strict=True):
        inside = [(point, accuracy) for point, accuracy in scores if not third or point[third[0]] == panel]
        _cells(axes, inside, (x, y), limits, format_value)
        axes.set_title(f"{third[0]} {format_value(panel)}" if third else "", fontsize="medium")
    every[0].set_ylabel(y)
    figure.colorbar(every[0].images[0], ax=figure.axes, label="validation accuracy (%),\nbest framed")
    return figure


def _cells(
    axes: Axes,
    scores: Scores,
    names: tuple[str, str],
    limits: tuple[float, float],
    format_value: Callable[[Any], str],
) -> None:
    low, high = limits
    xs, ys = (sorted({point[name] for point, _ in scores}) for name in names)
    image = [[math.nan] * len(xs) for _ in ys]
    for point, accuracy in scores:
        i, j = xs.index(point[names[0]]), ys.index(point[names[1]])
        if accuracy is None:
            axes.text(i, j, "diverged", ha="center", va="center", fontsize="small")
            continue
        image[j][i] = 100 * accuracy
        color = "white" if accuracy < (low + high) / 2 else "black"
        axes.text(i, j, f"{100 * accuracy:.1f}", ha="center", va="center", fontsize="small", color=color)
        if accuracy == high:
            frame = Rectangle((i - 0.5, j - 0.5), 1, 1, fill=False, edgecolor="red", linewidth=2, clip_on=False)
            axes.add_patch(frame)
    axes.imshow(image, origin="lower", aspect="auto", vmin=100 * low, vmax=100 * high)
    axes.set_xticks(range(len(xs)), [format_value(value) for value in xs])
    axes.set_yticks(range(len(ys)), [format_value(value) for value in ys])
    axes.set_xlabel(names[0])
