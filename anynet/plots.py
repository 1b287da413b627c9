"""Pictures of what a net learnt and how. Each function returns a Matplotlib figure."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from anynet.data.dataset import IMAGE_SHAPE
from anynet.training.history import Epoch

MOST_FILTERS = 64
TITLES = {"cost": "cost", "loss": "loss", "accuracy": "accuracy (%)"}


def curves(history: Sequence[Epoch], title: str, val_name: str = "validation") -> Figure:
    """Cost, loss and accuracy on the training and the validation images, over the epochs.

    val_name: what to call the latter; "test" where they are the test images.
    """
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    figure.suptitle(title)
    epochs = [row.epoch for row in history]
    for axes, what in zip(figure.subplots(1, 3), ("cost", "loss", "accuracy"), strict=True):
        scale = 100 if what == "accuracy" else 1
        for split, label in (("train", "training"), ("val", val_name)):
            values = [scale * getattr(row, f"{split}_{what}") for row in history]
            axes.plot(epochs, values, label=label, marker="." if len(epochs) < 40 else None)
        _over_epochs(axes, TITLES[what])
        axes.legend()
    return figure


def weights(W: NDArray, title: str, classes: Sequence[str] = ()) -> Figure:
    """Each column of a first layer's weights as a picture: what the class, or the hidden unit, looks for.

    W: shape (3072, n); the first 64 columns are drawn. Each picture is stretched so that its smallest weight is 0 and
        its largest 1 in red, green or blue.
    classes: names to write above the pictures.
    """
    shown = min(W.shape[1], MOST_FILTERS)
    across = 5 if classes else math.ceil(math.sqrt(shown))
    down = math.ceil(shown / across)
    figure = Figure(figsize=(1.3 * across, 1.3 * down + 0.2 * bool(classes) * down + 0.5), layout="constrained")
    figure.suptitle(title if shown == W.shape[1] else f"{title}, the first {shown} of {W.shape[1]}", fontsize="medium")
    for i, axes in enumerate(figure.subplots(down, across, squeeze=False).flat):
        axes.axis("off")
        if i >= shown:
            continue
        picture = W[:, i].reshape(IMAGE_SHAPE).transpose(1, 2, 0)
        low, high = picture.min(), picture.max()
        axes.imshow((picture - low) / (high - low if high > low else 1))
        if classes:
            axes.set_title(classes[i], fontsize="small")
    return figure


def step_errors(steps: Sequence[float], errors: Mapping[str, NDArray]) -> Figure:
    """The relative error of differences over their step, a line for each method."""
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for method, values in errors.items():
        axes.loglog(steps, values, marker=".", label=method)
    axes.set(xlabel="step", ylabel="relative error of the gradient", title="Differences: rounding, then truncation")
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def bands(runs: Mapping[str, Sequence[Sequence[Epoch]]], title: str, val_name: str) -> Figure:
    """Loss and accuracy on the validation images over the epochs: means over repeated runs, and one standard deviation.

    runs: by name, each the histories of its repetitions. val_name: what to call the images.
    """
    figure = Figure(figsize=(9, 3.7), layout="constrained")
    figure.suptitle(title)
    for axes, what in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        scale = 100 if what == "accuracy" else 1
        for name, histories in runs.items():
            values = scale * np.asarray([[getattr(row, f"val_{what}") for row in history] for history in histories])
            mean, deviation, epochs = values.mean(axis=0), values.std(axis=0), np.arange(1, values.shape[1] + 1)
            (line,) = axes.plot(epochs, mean, label=name)
            axes.fill_between(
                epochs, mean - deviation, mean + deviation, color=line.get_color(), alpha=0.25, linewidth=0
            )
        _over_epochs(axes, f"{val_name} {TITLES[what]}")
    # Below the axes: bands leave no corner free.
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(runs), fontsize="small")
    return figure


def _over_epochs(axes: Axes, title: str) -> None:
    axes.set(xlabel="epoch", title=title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.3)
