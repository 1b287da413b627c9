"""Cost, loss and accuracy over the epochs."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from anynet.core.history import History, mean_and_deviation

QUANTITIES = ("cost", "loss", "accuracy")
TITLES = {"cost": "cost", "loss": "loss", "accuracy": "accuracy (%)"}
FEW_EPOCHS = 40
"""Up to which number each epoch has a dot."""
MOST_GROUPS = 8
LOG_FROM = 20
"""How many times the smallest value the largest must be for a logarithmic axis."""
LINE = 150
"""How many letters of names a line of the legend has room for."""

Histories = Sequence[History]


def curves(history: History, title: str, val_name: str = "validation") -> Figure:
    """Cost, loss and accuracy on the training and the validation images, over the epochs.

    val_name: what to call the latter; "test" where they are the test images.
    """
    return curves_of_members({"": [history]}, title, val_name)


def curves_of_members(groups: Mapping[str, Histories], title: str, val_name: str = "validation") -> Figure:
    """Cost, loss and accuracy over the epochs: means over each group of runs, with bands of one standard deviation.

    groups: by name, each the histories of its runs, one at least. One group has training and validation in one panel;
        of several, the eight with the highest accuracies in validation have panels for each.
    val_name: what to call the validation images; "test" where they are the test images.

    The square of the deviation is the sum of squares divided by the number of runs less one. Where runs have been
    stopped by hand after different numbers of epochs, the epochs that a whole group has are drawn.
    """
    names = sorted(groups, key=lambda name: -_height(groups[name]))[:MOST_GROUPS]
    if len(names) < len(groups):
        title += f"; the best {len(names)} of {len(groups)} in {val_name}"
    splits = {"train": "training", "val": val_name}
    rows = 1 if len(names) == 1 else len(splits)
    figure = Figure(figsize=(12, 3.6 if rows == 1 else 6.8), layout="constrained")
    figure.suptitle(title)
    grid = figure.subplots(rows, len(QUANTITIES), squeeze=False)
    for j, what in enumerate(QUANTITIES):
        for i, (split, said) in enumerate(splits.items()):
            axes = grid[i if rows > 1 else 0, j]
            for name in names:
                values = _values(groups[name], f"{split}_{what}")
                _band(axes, values, said if rows == 1 else name)
            _over_epochs(axes, TITLES[what] if rows == 1 else f"{said} {TITLES[what]}")
    if rows == 1:
        for axes in grid.flat:
            axes.legend()
    else:
        for axes in grid[:, :2].flat:
            heights = np.concatenate([line.get_ydata() for line in axes.lines])
            axes.set_yscale("log" if heights.max() > LOG_FROM * heights.min() > 0 else "linear")
        across = max(1, min(4, LINE // max(len(name) for name in names)))
        labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(*labels, loc="outside lower center", ncols=across, fontsize="small")
    return figure


def bands(runs: Mapping[str, Histories], title: str, val_name: str) -> Figure:
    """Loss and accuracy on the validation images over the epochs: means over repeated runs, and one standard deviation.

    runs: by name, each the histories of its repetitions. val_name: what to call the images.

    The deviation is that of ``curves_of_members``.
    """
    figure = Figure(figsize=(9, 3.7), layout="constrained")
    figure.suptitle(title)
    for axes, what in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for name, histories in runs.items():
            _band(axes, _values(histories, f"val_{what}"), name)
        _over_epochs(axes, f"{val_name} {TITLES[what]}")
    # Below the axes: bands leave no corner free.
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(runs), fontsize="small")
    return figure


def _height(histories: Histories) -> float:
    """The mean of the highest accuracies in validation."""
    return float(mean_and_deviation([history.best.val_accuracy for history in histories])[0])


def _values(histories: Histories, field: str) -> NDArray[np.float64]:
    """Shape (runs, epochs that all have); accuracies in percent."""
    scale = 100 if field.endswith("accuracy") else 1
    return scale * np.asarray([[getattr(row, field) for row in epoch] for epoch in zip(*histories, strict=False)]).T


def _band(axes: Axes, values: NDArray[np.float64], label: str) -> None:
    (mean, deviation), epochs = mean_and_deviation(values), np.arange(1, values.shape[1] + 1)
    (line,) = axes.plot(epochs, mean, label=label, marker="." if len(epochs) < FEW_EPOCHS else None)
    if len(values) > 1:
        axes.fill_between(epochs, mean - deviation, mean + deviation, color=line.get_color(), alpha=0.2, linewidth=0)


def _over_epochs(axes: Axes, title: str) -> None:
    axes.set(xlabel="epoch", title=title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.3)
