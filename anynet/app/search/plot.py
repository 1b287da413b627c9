"""A picture of a search: how well every trial did, over what was searched."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anynet.app import wording
from anynet.app.search.trial import Trial
from anynet.plots.grid_map import grid_map, is_grid

LOG_FROM = 20
"""How many times the smallest value the largest must be for a logarithmic axis."""


def picture(trials: Sequence[Trial]) -> Figure:
    """Two fields as a map, of cells where all of a grid was tried and of coloured points where it was not; one, or more
    than two, as accuracy over each.

    trials: the best first. Points that diverged before an epoch was over are crosses.
    """
    names = list(trials[0].settings)
    title = f"{trials[0].dataset}: best validation accuracy of {len(trials)} trials"
    if len(names) == 2 and is_grid([trial.settings for trial in trials]):
        return grid_map([(trial.settings, trial.best_val_accuracy) for trial in trials], names, title)
    shown = [trial for trial in trials if trial.best_val_accuracy is not None]
    failed = [trial for trial in trials if trial.best_val_accuracy is None]
    panels = 1 if len(names) == 2 else len(names)
    figure = Figure(figsize=(1 + 5 * panels, 4.2), layout="constrained")
    figure.suptitle(title)
    every = figure.subplots(1, panels, squeeze=False)[0]
    if len(names) == 2:
        _map(every[0], names, shown, failed)
    else:
        for axes, name in zip(every, names, strict=True):
            _over(axes, name, shown, failed)
    for axes in every:
        axes.grid(alpha=0.3)
    every[0].legend()
    return figure


def _map(axes: Axes, names: Sequence[str], shown: Sequence[Trial], failed: Sequence[Trial]) -> None:
    x, y = names
    for name, axis in ((x, "x"), (y, "y")):
        _scale(axes, axis, name, [*shown, *failed])
    if shown:
        dots = axes.scatter(_values(shown, x), _values(shown, y), c=_percent(shown))
        axes.figure.colorbar(dots, ax=axes, label="validation accuracy (%)")
        _mark(axes, _values(shown[:1], x), _values(shown[:1], y))
    if failed:
        axes.plot(_values(failed, x), _values(failed, y), "x", color="grey", label="diverged")


def _over(axes: Axes, name: str, shown: Sequence[Trial], failed: Sequence[Trial]) -> None:
    _scale(axes, "x", name, [*shown, *failed])
    axes.set_ylabel("validation accuracy (%)")
    if shown:
        axes.plot(_values(shown, name), _percent(shown), "o")
        _mark(axes, _values(shown[:1], name), _percent(shown[:1]))
    if failed:
        at_the_foot = axes.get_xaxis_transform()
        axes.plot(
            _values(failed, name), [0.02] * len(failed), "x", color="grey", transform=at_the_foot, label="diverged"
        )


def _mark(axes: Axes, x: list, y: list) -> None:
    axes.plot(x, y, "o", markersize=14, markerfacecolor="none", color="red", label="best")


def _scale(axes: Axes, axis: str, name: str, trials: Sequence[Trial]) -> None:
    values = _values(trials, name)
    logarithmic = not isinstance(values[0], str) and 0 < LOG_FROM * min(values) <= max(values)
    axes.set(**{f"{axis}label": name, f"{axis}scale": "log" if logarithmic else "linear"})


def _values(trials: Sequence[Trial], name: str) -> list[Any]:
    """Numbers, or texts where they are of another kind."""
    values = [trial.settings[name] for trial in trials]
    return values if all(type(value) in (int, float) for value in values) else [wording.shown(v) for v in values]


def _percent(trials: Sequence[Trial]) -> list[float]:
    return [100 * trial.best_val_accuracy for trial in trials if trial.best_val_accuracy is not None]
