"""Cost, loss and accuracy over the epochs."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from anynet.core.epoch import OF_TRAINING, score
from anynet.core.history import History, mean_and_deviation, mean_history
from anynet.plots.scales import scale

QUANTITIES = {"cost": "cost", "loss": "loss", "accuracy": "accuracy (%)"}
"""Titles of the panels, by quantity."""
MAX_DOTS = 40
"""Number of epochs up to which each has a dot."""
MAX_GROUPS = 8
"""Number of groups that are drawn."""
LEGEND_WIDTH = 150
"""Number of characters that fit into a row of the legend."""

Histories = Sequence[History]
"""Histories of one run or more."""


def curves(history: History, title: str, val_name: str = "validation") -> Figure:
    """Draw cost, loss and accuracy on the training and the validation images over the epochs.

    Parameters
    ----------
    history : History
    title : str
    val_name : str
        Name of the validation images; "test" if training validates on the test images.

    Returns
    -------
    Figure
    """
    return curves_of_members({"": [history]}, title, val_name)


def curves_of_members(groups: Mapping[str, Histories], title: str, val_name: str = "validation") -> Figure:
    """Draw cost, loss and accuracy over the epochs: the mean of each group of runs, and a band of one deviation.

    Training and validation share panels if there is one group. Otherwise they have separate panels, in which the eight
    groups with the highest validation accuracy are drawn.

    Parameters
    ----------
    groups : mapping of str to sequence of History
        Histories of the runs of each group; at least one each. Epochs that not every run of a group has are left out.
    title : str
    val_name : str
        Name of the validation images; "test" if training validates on the test images.

    Returns
    -------
    Figure

    Notes
    -----
    Deviations are sample standard deviations, with n - 1 in the denominator. A single run has no band.
    """
    names = sorted(groups, key=lambda name: -_best_score(groups[name]))[:MAX_GROUPS]
    if len(names) < len(groups):
        title += f"; the best {len(names)} of {len(groups)} in {val_name}"
    columns = {column for histories in groups.values() for history in histories for column in history.columns}
    texts = {"train": "training", "val": val_name}
    splits = {split: text for split, text in texts.items() if f"{split}_loss" in columns} or {"train": "training"}
    quantities = {
        name: text for name, text in QUANTITIES.items() if any(f"{split}_{name}" in columns for split in splits)
    } or {"loss": QUANTITIES["loss"]}
    rows = 1 if len(names) == 1 else len(splits)
    figure = Figure(figsize=(4 * len(quantities), 3.6 if rows == 1 else 0.4 + 3.2 * rows), layout="constrained")
    figure.suptitle(title)
    grid = figure.subplots(rows, len(quantities), squeeze=False)
    for j, (quantity, text) in enumerate(quantities.items()):
        if len(names) == 1:
            (histories,) = (groups[name] for name in names)
            _panel(grid[0, j], text, {label: (histories, f"{split}_{quantity}") for split, label in splits.items()})
            grid[0, j].legend()
            continue
        for axes, (split, label) in zip(grid[:, j], splits.items(), strict=True):
            _panel(axes, f"{label} {text}", {name: (groups[name], f"{split}_{quantity}") for name in names})
            if quantity != "accuracy":
                heights = np.concatenate([line.get_ydata() for line in axes.lines])
                if heights.size:
                    axes.set_yscale(scale(heights.min(), heights.max()))
    if len(names) > 1:
        _legend(figure, max(1, min(4, LEGEND_WIDTH // max(len(name) for name in names))))
    return figure


def bands(runs: Mapping[str, Histories], title: str, val_name: str) -> Figure:
    """Draw validation loss and accuracy over the epochs: means over repeated runs, and bands of one deviation.

    Parameters
    ----------
    runs : mapping of str to sequence of History
        Histories of the repetitions of each configuration.
    title : str
    val_name : str
        Name of the validation images.

    Returns
    -------
    Figure

    Notes
    -----
    Deviations are sample standard deviations, with n - 1 in the denominator. A single run has no band.
    """
    figure = Figure(figsize=(9, 3.7), layout="constrained")
    figure.suptitle(title)
    for axes, quantity in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        lines = {name: (histories, f"val_{quantity}") for name, histories in runs.items()}
        _panel(axes, f"{val_name} {QUANTITIES[quantity]}", lines)
    _legend(figure, len(runs))
    return figure


def _best_score(histories: Histories) -> float:
    """Return the mean over runs of the highest validation accuracy, or of the negative loss."""
    return float(mean_and_deviation([score(history.best) for history in histories])[0])


def _panel(axes: Axes, title: str, lines: Mapping[str, tuple[Histories, str]]) -> None:
    """Draw means over histories, with bands of one deviation, for a column of each group; accuracies in percent.

    Epochs in which the column was not measured are left out.
    """
    for label, (histories, column) in lines.items():
        both = mean_history(histories)
        there = column in both.mean.columns
        mean, deviation = (history[column] if there else np.empty(0) for history in both)
        if column.endswith("accuracy"):
            mean, deviation = 100 * mean, 100 * deviation
        epochs = np.arange(1, len(mean) + 1)
        if column in OF_TRAINING:
            measured = ~np.isnan(mean)
            mean, deviation, epochs = mean[measured], deviation[measured], epochs[measured]
        (line,) = axes.plot(epochs, mean, label=label, marker="." if len(epochs) < MAX_DOTS else None)
        if len(histories) > 1:
            band = mean - deviation, mean + deviation
            axes.fill_between(epochs, *band, color=line.get_color(), alpha=0.2, linewidth=0)
    axes.set(xlabel="epoch", title=title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.3)


def _legend(figure: Figure, columns: int) -> None:
    """Add one legend below all panels, where no band covers it."""
    labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(*labels, loc="outside lower center", ncols=columns, fontsize="small")
