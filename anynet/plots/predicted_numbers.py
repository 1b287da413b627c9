"""Predicted over true numbers."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from anynet.plots.style import BEST, COLORS, QUIET, figure, styled

MOST, ACROSS = 6, 3
"""Number of numbers of a sample that are drawn, and of panels in a row."""


@styled()
def predicted_numbers(
    true: NDArray[np.float64], predicted: NDArray[np.float64], marked: NDArray[np.integer], title: str
) -> Figure:
    """Draw predicted over true numbers, a panel for each of the first six numbers of a sample.

    Parameters
    ----------
    true, predicted : ndarray, shape (N, m)
        Numbers that are right, and those of the net.
    marked : ndarray of int, shape (n,)
        Numbers of the samples with the largest errors.
    title : str
        Text above the picture.

    Returns
    -------
    Figure
    """
    m = min(MOST, true.shape[1])
    rows, across = -(-m // ACROSS), min(ACROSS, m)
    made = figure(max(3.2 * across, 4.2), 3.2 * rows, title, f"circles: the {len(marked)} largest errors")
    for j, axes in enumerate(made.subplots(rows, across, squeeze=False).flat):
        if j >= m:
            axes.axis("off")
            continue
        t, p = true[:, j], predicted[:, j]
        ends = min(t.min(), p.min()), max(t.max(), p.max())
        axes.plot(ends, ends, color=QUIET, linestyle="--", linewidth=1)
        axes.scatter(t, p, s=8, alpha=0.5, color=COLORS[0], linewidths=0)
        axes.scatter(t[marked], p[marked], s=40, facecolors="none", edgecolors=BEST)
        axes.set(xlabel="true", ylabel="predicted", title=f"number {j}" if m > 1 else "")
    return made
