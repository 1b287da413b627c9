"""Accuracy over a full grid of settings: a cell for every point, with its figure."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from anynet.app.wording import shown

Found = Sequence[tuple[Mapping[str, Any], float | None]]
"""Settings and accuracy of every point; None where it diverged."""


def is_grid(points: Sequence[Mapping[str, Any]]) -> bool:
    """Whether points of two settings are all combinations of two values or more of each, once each."""
    x, y = (set(values) for values in zip(*(point.values() for point in points), strict=True))
    return len(x) > 1 and len(y) > 1 and len(points) == len(x) * len(y) == len({tuple(p.values()) for p in points})


def grid_map(found: Found, names: Sequence[str], title: str) -> Figure:
    """A map of validation accuracy over two settings, for each value of a third a panel of its own.

    All cells are of one size, whatever lies between the values. The best of all is framed.

    found: every combination of the values once. names: of two settings or three.
    """
    x, y, *third = names
    panels = sorted({point[third[0]] for point, _ in found}) if third else [None]
    across, down = (len({point[name] for point, _ in found}) for name in (x, y))
    figure = Figure(figsize=(2 + (1 + 0.8 * across) * len(panels), 1.8 + 0.5 * down), layout="constrained")
    figure.suptitle(title)
    finite = [accuracy for _, accuracy in found if accuracy is not None]
    limits = min(finite, default=0.0), max(finite, default=1.0)
    every = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axes, panel in zip(every, panels, strict=True):
        own = [(point, accuracy) for point, accuracy in found if not third or point[third[0]] == panel]
        _cells(axes, own, (x, y), limits)
        axes.set_title(f"{third[0]} {shown(panel)}" if third else "", fontsize="medium")
    every[0].set_ylabel(y)
    figure.colorbar(every[0].images[0], ax=figure.axes, label="validation accuracy (%),\nbest framed")
    return figure


def _cells(axes: Axes, found: Found, names: tuple[str, str], limits: tuple[float, float]) -> None:
    low, high = limits
    xs, ys = (sorted({point[name] for point, _ in found}) for name in names)
    image = [[math.nan] * len(xs) for _ in ys]
    for point, accuracy in found:
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
    axes.set_xticks(range(len(xs)), [shown(value) for value in xs])
    axes.set_yticks(range(len(ys)), [shown(value) for value in ys])
    axes.set_xlabel(names[0])
