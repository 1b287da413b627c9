"""Cost, loss and accuracy over the epochs."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from anynet.core.epoch import OF_TRAINING, costs_are_losses, score
from anynet.core.history import History, mean_and_deviation, mean_history
from anynet.plots.scales import scale, set_log
from anynet.plots.style import QUIET, StyledFigure, figure, legend_below, styled

QUANTITIES = {"cost": "cost", "loss": "loss", "accuracy": "accuracy (%)"}
"""Titles of the panels, by quantity."""
EQUAL = "loss = cost"
"""Title of the panel of both."""
MAX_DOTS = 40
"""Number of epochs up to which each has a dot."""
MAX_GROUPS = 7
"""Number of groups that are drawn, each in a color of its own."""
WIDTH, HEIGHT = 4.0, 2.9
"""Size of a panel, in inches."""

Histories = Sequence[History]
"""Histories of one run or more."""


@styled()
def curves(history: History, title: str, val_name: str = "validation", note: str = "") -> Figure:
    """Draw cost, loss and accuracy on the training and the validation images over the epochs, and mark the best epoch.

    Cost and loss share a panel if they are equal. No epoch is marked if nothing was validated.

    Parameters
    ----------
    history : History
        One epoch or more.
    title : str
        Text above the panels.
    val_name : str
        Name of the validation images; "test" if training validates on the test images.
    note : str
        Text below the panels, such as the settings.

    Returns
    -------
    Figure
    """
    made, quantities = _panels({"": [history]}, title, val_name, note)
    if history and history[0].val_loss is not None:
        best = history.best
        for axes, quantity in zip(made.axes, quantities, strict=True):
            height = getattr(best, f"val_{quantity}") * (100 if quantity == "accuracy" else 1)
            axes.axvline(best.epoch, color=QUIET, linestyle=":", linewidth=1, zorder=1)
            axes.plot(best.epoch, height, "ko", markersize=9, fillstyle="none", label=f"best epoch, {best.epoch}")
    legend_below(made)
    return made


@styled()
def curves_of_members(
    groups: Mapping[str, Histories], title: str, val_name: str = "validation", note: str = ""
) -> Figure:
    """Draw cost, loss and accuracy over the epochs: the mean of each group of runs, and a band of one deviation.

    Training and validation share panels if there is one group. Otherwise they have separate panels, in which the seven
    groups with the highest validation accuracy are drawn.

    Parameters
    ----------
    groups : mapping of str to sequence of History
        Histories of the runs of each group; at least one each. Epochs that not every run of a group has are left out.
    title : str
        Text above the panels.
    val_name : str
        Name of the validation images; "test" if training validates on the test images.
    note : str
        Text below the panels, such as the settings.

    Returns
    -------
    Figure

    Notes
    -----
    Deviations are sample standard deviations, with n - 1 in the denominator. A single run has no band.
    """
    made, _ = _panels(groups, title, val_name, note)
    legend_below(made)
    return made


@styled()
def bands(runs: Mapping[str, Histories], title: str, val_name: str) -> Figure:
    """Draw validation loss and accuracy over the epochs: means over repeated runs, and bands of one deviation.

    Parameters
    ----------
    runs : mapping of str to sequence of History
        Histories of the repetitions of each configuration.
    title : str
        Text above the panels.
    val_name : str
        Name of the validation images.

    Returns
    -------
    Figure

    Notes
    -----
    Deviations are sample standard deviations, with n - 1 in the denominator. A single run has no band.
    """
    made = figure(2 * WIDTH, HEIGHT, title)
    for axes, quantity in zip(made.subplots(1, 2), ("loss", "accuracy"), strict=True):
        lines = {name: (histories, f"val_{quantity}") for name, histories in runs.items()}
        _panel(axes, f"{val_name} {QUANTITIES[quantity]}", lines)
    legend_below(made)
    return made


def _panels(
    groups: Mapping[str, Histories], title: str, val_name: str, note: str
) -> tuple[StyledFigure, Mapping[str, str]]:
    """Return the figure of `curves_of_members` without its legend, and the titles of its columns by quantity."""
    names = sorted(groups, key=lambda name: -_best_score(groups[name]))[:MAX_GROUPS]
    if len(names) < len(groups):
        title += f"; the best {len(names)} of {len(groups)} in {val_name}"
    histories = [history for of_group in groups.values() for history in of_group]
    columns = {column for history in histories for column in history.columns}
    texts = {"train": "training", "val": val_name}
    splits = {split: text for split, text in texts.items() if f"{split}_loss" in columns} or {"train": "training"}
    quantities = _quantities(histories, [f"{split}_" for split in splits], columns)
    rows = 1 if len(names) == 1 else len(splits)
    made = figure(WIDTH * max(len(quantities), 2), HEIGHT * rows, title, note)
    grid = made.subplots(rows, len(quantities), squeeze=False)
    for column, (quantity, text) in zip(grid.T, quantities.items(), strict=True):
        if len(names) == 1:
            _panel(
                column[0], text, {label: (groups[names[0]], f"{split}_{quantity}") for split, label in splits.items()}
            )
            continue
        for axes, (split, label) in zip(column, splits.items(), strict=True):
            _panel(axes, f"{label} {text}", {name: (groups[name], f"{split}_{quantity}") for name in names})
    return made, quantities


def _quantities(histories: Histories, splits: Sequence[str], columns: Iterable[str]) -> dict[str, str]:
    """Return the titles of the panels by quantity: those that were measured, and one of cost and loss if equal."""
    found = {name: text for name, text in QUANTITIES.items() if any(f"{split}{name}" in columns for split in splits)}
    if "cost" in found and all(map(costs_are_losses, histories)):
        del found["cost"]
        found["loss"] = EQUAL
    return found or {"loss": QUANTITIES["loss"]}


def _best_score(histories: Histories) -> float:
    """Return the mean over runs of the highest validation accuracy, or of the negative loss."""
    return float(mean_and_deviation([score(history.best) if history else -np.inf for history in histories])[0])


def _panel(axes: Axes, title: str, lines: Mapping[str, tuple[Histories, str]]) -> None:
    """Draw means over histories, with bands of one deviation, for a column of each group; accuracies in percent.

    Epochs in which the column was not measured are left out, and so are numbers that are not finite, which the title
    counts. Losses of which the largest is 20 times the smallest have a logarithmic axis.
    """
    infinite, heights = 0, list[NDArray[np.float64]]()
    for label, (histories, column) in lines.items():
        with np.errstate(invalid="ignore"):  # a loss may be infinite
            both = mean_history(histories)
        there = column in both.mean.columns
        mean, deviation = (history[column] if there else np.empty(0) for history in both)
        if column.endswith("accuracy"):
            mean, deviation = 100 * mean, 100 * deviation
        epochs = np.arange(1, len(mean) + 1)
        if column in OF_TRAINING:
            measured = ~np.isnan(mean)
            mean, deviation, epochs = mean[measured], deviation[measured], epochs[measured]
        finite = np.isfinite(mean)
        mean, infinite = np.where(finite, mean, np.nan), infinite + int((~finite).sum())
        (line,) = axes.plot(epochs, mean, label=label, marker="." if len(epochs) < MAX_DOTS else None)
        if len(histories) > 1:
            band = mean - deviation, mean + deviation
            axes.fill_between(epochs, *band, color=line.get_color(), alpha=0.2, linewidth=0)
        heights += [mean[finite], (mean + deviation)[finite]]
    axes.set(xlabel="epoch", title=title + f" ({infinite} not finite)" * (infinite > 0))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    low, high = min(map(np.min, filter(len, heights)), default=0.0), max(map(np.max, filter(len, heights)), default=0.0)
    if "accuracy" not in title and scale(low, high) == "log":
        set_log(axes, "y")
        axes.set_ylim(low / 1.2, 1.2 * high)  # a band may reach below 0
