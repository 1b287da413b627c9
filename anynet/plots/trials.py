"""Accuracy of a search's trials over the settings that were searched."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from anynet.plots.grid_map import ACCURACY, Scores, grid_map, is_grid
from anynet.plots.picture_tiles import fitted
from anynet.plots.scales import scale, set_log
from anynet.plots.style import BEST, COLORS, QUIET, figure, legend_below, styled

ACROSS = 3
"""Panels in a row."""
WIDTH, HEIGHT = 3.4, 2.8
"""Size of a panel, in inches."""
WORD, SIDE_BY_SIDE = 24, 28
"""Characters of a word at a tick, and of all words of an axis that stand side by side; more are turned."""
FEW_BARS = 4
"""Number of bars for which there is space at least."""
MARKS: Mapping[str, Mapping[str, Any]] = {
    "finished": {"marker": "o", "linewidths": 0.6},
    "pruned": {"marker": "v", "linewidths": 0.6},
    "diverged": {"marker": "x", "linewidths": 1.4},
}
"""Markers of trials, by state."""
FACES: Mapping[str, Mapping[str, Any]] = {
    "finished": {"color": COLORS[0]},
    "pruned": {"facecolors": "none", "edgecolors": COLORS[0]},
    "diverged": {"color": QUIET},
}
"""Colors of markers that do not show the accuracy."""


class _Setting(NamedTuple):
    """Values of a setting in each trial, as places on an axis, with the words there unless they are numbers."""

    name: str
    places: list[float]
    words: list[str]
    log: bool


@styled()
def trials(
    scores: Scores,
    title: str,
    format_value: Callable[[Any], str] = str,
    *,
    states: Sequence[str] = (),
    log: Mapping[str, bool] | None = None,
    importances: Mapping[str, float] | None = None,
) -> Figure:
    """Draw the accuracy of trials over their settings.

    Two settings make a map: cells if the trials are a full grid, colored points otherwise. One setting, or more than
    two, make a panel for each with the accuracy on the y axis. Markers tell states, and the best trial has a ring.

    Parameters
    ----------
    scores : sequence of (settings, accuracy)
        One for each trial, the best first. Settings map the same names to values; the accuracy is between 0 and 1, or
        None if training diverged in the first epoch.
    title : str
        Text above the picture.
    format_value : callable
        Converts a value that is not a number to text.
    states : sequence of str, optional
        For each trial "finished", "pruned" or "diverged". Default: those without an accuracy diverged.
    log : mapping from str to bool, optional
        True for settings with a logarithmic axis, False for a linear one. Default: logarithmic if the largest value is
        20 times the smallest.
    importances : mapping from str to float, optional
        Share of each setting, the largest first, for a panel of their own beside panels or colored points.

    Returns
    -------
    Figure
    """
    names, points = list(scores[0][0]), [settings for settings, _ in scores]
    states = states or ["diverged" if accuracy is None else "finished" for _, accuracy in scores]
    if len(names) == 2 and is_grid(points):
        return grid_map(scores, names, title, format_value, states=states)
    settings = [_setting(points, name, format_value, log or {}) for name in names]
    percent = np.asarray([math.nan if accuracy is None else 100 * accuracy for _, accuracy in scores])
    number = (1 if len(names) == 2 else len(names)) + bool(importances)
    across = 2 if number == 4 else min(number, ACROSS)
    down = math.ceil(number / across)
    made = figure(max(WIDTH * across, 5.0), HEIGHT * down, title)
    every = list(made.subplots(down, across, squeeze=False).flat)
    for axes in every[number:]:
        axes.remove()
    if len(names) == 2:
        _map(every[0], settings, percent, states)
    else:
        for i, setting in enumerate(settings):
            _over(every[i], setting, percent, states)
            every[i].set_ylabel("" if i % across else ACCURACY)
    if importances:
        _bars(every[number - 1], importances)
    legend_below(made)
    return made


def _map(axes: Axes, settings: Sequence[_Setting], percent: NDArray[np.float64], states: Sequence[str]) -> None:
    """Draw points of two settings, with a color for the accuracy; those without one are crosses."""
    _name(axes, "x", settings[0])
    _name(axes, "y", settings[1])
    xs, ys = (np.asarray(setting.places) for setting in settings)
    measured = np.isfinite(percent)
    if measured.any():
        norm = Normalize(percent[measured].min(), percent[measured].max())
        for state, chosen in _of_states(states, measured):
            edge: dict[str, Any] = {} if state == "diverged" else {"edgecolors": "0.3"}
            shown = {"label": state, **edge, **MARKS[state]}
            points = axes.scatter(xs[chosen], ys[chosen], s=36, c=percent[chosen], norm=norm, **shown)
        axes.figure.colorbar(points, ax=axes, label=ACCURACY).ax.grid(visible=False)
        _mark_best(axes, xs[0], ys[0], percent[0])
    if not measured.all():
        axes.scatter(xs[~measured], ys[~measured], s=36, color=QUIET, label="diverged", **MARKS["diverged"])


def _over(axes: Axes, setting: _Setting, percent: NDArray[np.float64], states: Sequence[str]) -> None:
    """Draw accuracies over a setting; trials without one are crosses at the bottom."""
    _name(axes, "x", setting)
    xs, measured = np.asarray(setting.places), np.isfinite(percent)
    for state, chosen in _of_states(states, measured):
        axes.scatter(xs[chosen], percent[chosen], s=26, label=state, **FACES[state], **MARKS[state])
    if measured.any():
        _mark_best(axes, xs[0], percent[0], percent[0])
    else:
        axes.set_yticks([])
    if not measured.all():
        axes.margins(y=0.12)
        failed, bottom = xs[~measured], axes.get_xaxis_transform()
        shown = {"label": "diverged", **FACES["diverged"], **MARKS["diverged"]}
        axes.scatter(failed, np.full(len(failed), 0.04), s=26, transform=bottom, **shown)


def _of_states(states: Sequence[str], measured: NDArray[np.bool]) -> list[tuple[str, NDArray[np.bool]]]:
    """Return the states that trials with an accuracy have, each with these trials."""
    chosen = [(state, measured & (np.asarray(states) == state)) for state in MARKS]
    return [(state, trials) for state, trials in chosen if trials.any()]


def _mark_best(axes: Axes, x: float, y: float, percent: float) -> None:
    label = f"best, {percent:.2f}%"
    axes.scatter([x], [y], s=150, facecolors="none", edgecolors=BEST, linewidths=1.8, label=label)


def _bars(axes: Axes, importances: Mapping[str, float]) -> None:
    """Draw the share of each setting as a bar."""
    bars = axes.barh(list(importances), list(importances.values()), color=COLORS[0], height=0.6)
    axes.bar_label(bars, [f"{share:.0%}" for share in importances.values()], padding=3, fontsize="small")
    axes.set_ylim(max(len(importances), FEW_BARS) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.set(xlabel="importance", xticks=[])
    axes.margins(x=0.2)


def _name(axes: Axes, which: Literal["x", "y"], setting: _Setting) -> None:
    """Give an axis its name and its scale, or words at its ticks."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_label_text(setting.name)
    if setting.log:
        set_log(axes, which)
    if setting.words:
        upright = which == "x" and sum(map(len, setting.words)) > SIDE_BY_SIDE
        axis.set_ticks(range(len(setting.words)), setting.words, rotation=90 if upright else 0, parse_math=False)


def _setting(
    points: Sequence[Mapping[str, Any]], name: str, format_value: Callable[[Any], str], log: Mapping[str, bool]
) -> _Setting:
    """Return the values of a setting as places: as they are if all are numbers, otherwise in the order of words."""
    values = [point[name] for point in points]
    if all(type(value) in (int, float) for value in values):
        return _Setting(name, values, [], log.get(name, scale(min(values), max(values)) == "log"))
    texts = [format_value(value) for value in values]
    words = sorted(set(texts))
    return _Setting(name, [float(words.index(text)) for text in texts], [fitted(word, WORD) for word in words], False)
