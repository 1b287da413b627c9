"""Confusion matrix as a picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from anynet.plots.letters import columns
from anynet.plots.picture_tiles import fitted
from anynet.plots.style import figure, styled

CELL, LARGEST = 0.5, 14.0
"""Largest width of a cell and of the matrix, in inches."""
LEAST = 0.1
"""Width of a cell from which on it has a number, and its class a name, in inches."""
NAME = 20
"""Largest number of characters of a class."""
WIDE = 0.62
"""Width of a digit as a part of the size of its font."""
DARK = 0.35
"""Share from which on a cell is dark, so that its number is white."""


@styled()
def confusion_matrix(counts: NDArray[np.integer], classes: Sequence[str], title: str) -> Figure:
    """Draw a confusion matrix: the shares of the samples of each class as colors, with counts where there is room.

    Parameters
    ----------
    counts : ndarray of int, shape (C, C)
        Samples by true class (rows) and predicted class (columns).
    classes : sequence of str, length C
        Names of the classes.
    title : str
        Text above the picture.

    Returns
    -------
    Figure
    """
    n = len(classes)
    cell = min(CELL, LARGEST / n)
    named = cell >= LEAST
    names = [fitted(name, NAME) for name in classes]
    beside = 0.08 * max(map(columns, names)) if named else 0.2
    note = "color: share of the samples of the true class"
    size = max(cell * n + beside + 0.6, 4.0), max(cell * n, 1.0) + beside + 0.5
    made = figure(*size, title, note if named else f"{note}; axes: class numbers")
    axes = made.subplots()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", norm=PowerNorm(0.5, 0, 1), interpolation="nearest")
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.grid(visible=False)
    if named:
        font = min(9.0, 0.75 * 72 * cell)
        axes.set_xticks(range(n), names, rotation=90, fontsize=font, parse_math=False)
        axes.set_yticks(range(n), names, fontsize=font, parse_math=False)
        axes.tick_params(length=2)
        _write_counts(axes, counts, share, cell)
    return made


def _write_counts(axes: Any, counts: NDArray[np.integer], share: NDArray[np.float64], cell: float) -> None:
    digits = len(str(counts.max()))
    font = min(9.0, 0.6 * 72 * cell, 0.9 * 72 * cell / (WIDE * digits))
    for i, j in np.argwhere(counts).tolist():
        color = "white" if share[i, j] > DARK else "0.1"
        axes.text(j, i, str(counts[i, j]), ha="center", va="center", fontsize=font, color=color)
