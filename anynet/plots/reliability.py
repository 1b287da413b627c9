"""Reliability diagram: accuracy over confidence."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from anynet.plots.style import COLORS, QUIET, figure, styled


@styled()
def reliability(
    edges: NDArray[np.float64],
    count: NDArray[np.integer],
    confidence: NDArray[np.float64],
    accuracy: NDArray[np.float64],
    title: str,
) -> Figure:
    """Draw the accuracy of predictions over their probability and, below, how many have it.

    Parameters
    ----------
    edges : ndarray, shape (B + 1,)
        Of the bins of probability.
    count : ndarray of int, shape (B,)
        Samples in each bin.
    confidence, accuracy : ndarray, shape (B,)
        Mean probability of the predicted class, and fraction that is right; NaN in empty bins.
    title : str
        Text above the picture.

    Returns
    -------
    Figure
    """
    made = figure(5.2, 5.2, title, "below the line a net is too sure, above it not sure enough")
    above, below = made.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    there, widths = count > 0, np.diff(edges)
    above.bar(
        edges[:-1][there],
        accuracy[there],
        widths[there],
        align="edge",
        color=COLORS[5],
        edgecolor="white",
        label="right",
    )
    above.plot(confidence[there], accuracy[there], color=COLORS[0], marker="o", markersize=4, label="mean of a bin")
    above.plot([0, 1], [0, 1], color=QUIET, linestyle="--", linewidth=1, label="calibrated")
    above.set(ylim=(0, 1), xlim=(0, 1), ylabel="predictions that are right")
    above.legend(loc="upper left")
    below.bar(edges[:-1], count / count.sum(), widths, align="edge", color=COLORS[0], edgecolor="white")
    below.set(xlabel="probability of the predicted class", ylabel="samples")
    for axis in (above.yaxis, below.yaxis, below.xaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    return made
