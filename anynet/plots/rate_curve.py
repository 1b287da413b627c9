"""Loss over a growing learning rate."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from anynet.plots.style import BEST, COLORS, figure, legend_below, styled


@styled()
def rate_curve(
    rates: NDArray[np.float64],
    losses: NDArray[np.float64],
    smoothed: NDArray[np.float64],
    suggestion: float,
    title: str,
) -> Figure:
    """Draw losses over learning rates, and mark a suggested rate.

    Parameters
    ----------
    rates, losses : ndarray, shape (S,)
        Learning rate of each step, and the loss of its batch.
    smoothed : ndarray, shape (S or less,)
        Smoothed losses of the first rates.
    suggestion : float
        Learning rate.
    title : str
        Text above the picture.

    Returns
    -------
    Figure
    """
    made = figure(6.4, 3.4, title)
    axes = made.subplots()
    axes.semilogx(rates, losses, ".", color="0.6", label="losses of batches")
    axes.semilogx(rates[: len(smoothed)], smoothed, color=COLORS[0], label="smoothed")
    axes.axvline(suggestion, color=BEST, linestyle="--", label=f"suggestion, {suggestion:.2g}")
    low, high = min(smoothed.min(), losses[: len(smoothed)].min()), smoothed.max()
    axes.set_ylim(low - 0.1 * (high - low), high + 0.3 * (high - low))  # the last loss may be of any size
    axes.set(xlabel="learning rate", ylabel="loss")
    legend_below(made)
    return made
