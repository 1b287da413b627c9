"""Accuracy of a search's trials over the settings that were searched."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anynet.plots.grid_map import Scores, grid_map, is_grid
from anynet.plots.scales import scale


def trials(scores: Scores, title: str, format_value: Callable[[Any], str] = str) -> Figure:
    """Draw the accuracy of trials over their settings.

    Two settings make a map: cells if the trials are a full grid, colored points otherwise. One setting, or more than
    two, make a panel for each with the accuracy on the y axis. Diverged trials are crosses.

    Parameters
    ----------
    scores : sequence of (settings, accuracy)
        One for each trial, the best first. Settings map the same names to values; the accuracy is between 0 and 1, or
        None if training diverged in the first epoch.
    title : str
    format_value : callable
        Converts a value that is not a number to text.

    Returns
    -------
    Figure
    """
    names = list(scores[0][0])
    if len(names) == 2 and is_grid([settings for settings, _ in scores]):
        return grid_map(scores, names, title, format_value)
    panels = 1 if len(names) == 2 else len(names)
    figure = Figure(figsize=(1 + 5 * panels, 4.2), layout="constrained")
    figure.suptitle(title)
    every = figure.subplots(1, panels, squeeze=False)[0]
    values = {name: _values([settings for settings, _ in scores], name, format_value) for name in names}
    percent = [None if accuracy is None else 100 * accuracy for _, accuracy in scores]
    if len(names) == 2:
        _map(every[0], values, percent)
    else:
        for axes, name in zip(every, names, strict=True):
            _over(axes, name, values[name], percent)
    for axes in every:
        axes.grid(alpha=0.3)
    every[0].legend()
    return figure


def _map(axes: Axes, values: Mapping[str, list[Any]], percent: Sequence[float | None]) -> None:
    (x_name, xs), (y_name, ys) = values.items()
    axes.set(xlabel=x_name, ylabel=y_name, xscale=_scale(xs), yscale=_scale(ys))
    points = list(zip(xs, ys, percent, strict=True))
    finite = [(x, y, accuracy) for x, y, accuracy in points if accuracy is not None]
    failed = [(x, y) for x, y, accuracy in points if accuracy is None]
    if finite:
        across, up, color = zip(*finite, strict=True)
        axes.figure.colorbar(axes.scatter(across, up, c=color), ax=axes, label="validation accuracy (%)")
        _mark(axes, *finite[0][:2])
    if failed:
        axes.plot(*zip(*failed, strict=True), "x", color="gray", label="diverged")


def _over(axes: Axes, name: str, xs: list[Any], percent: Sequence[float | None]) -> None:
    axes.set(xlabel=name, ylabel="validation accuracy (%)", xscale=_scale(xs))
    finite = [(x, accuracy) for x, accuracy in zip(xs, percent, strict=True) if accuracy is not None]
    failed = [x for x, accuracy in zip(xs, percent, strict=True) if accuracy is None]
    if finite:
        axes.plot(*zip(*finite, strict=True), "o")
        _mark(axes, *finite[0])
    if failed:
        bottom = axes.get_xaxis_transform()
        axes.plot(failed, [0.02] * len(failed), "x", color="gray", transform=bottom, label="diverged")


def _mark(axes: Axes, x: Any, y: Any) -> None:
    axes.plot([x], [y], "o", markersize=14, markerfacecolor="none", color="red", label="best")


def _scale(values: Sequence[Any]) -> str:
    return "linear" if isinstance(values[0], str) else scale(min(values), max(values))


def _values(points: Sequence[Mapping[str, Any]], name: str, format_value: Callable[[Any], str]) -> list[Any]:
    """Return the values of a setting: as they are if all are numbers, otherwise as text."""
    values = [point[name] for point in points]
    return values if all(type(value) in (int, float) for value in values) else [format_value(v) for v in values]
