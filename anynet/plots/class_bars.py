"""Precision and recall of classes, as bars."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from anynet.plots.picture_tiles import fitted
from anynet.plots.style import COLORS, figure, styled

MOST = 40
"""Number of classes that are drawn: those with the lowest F1."""
HEIGHT = 0.26
"""Height of a class, in inches."""


@styled()
def class_bars(
    classes: Sequence[str],
    precision: NDArray[np.float64],
    recall: NDArray[np.float64],
    f1: NDArray[np.float64],
    title: str,
) -> Figure:
    """Draw precision and recall of each class, the lowest F1 at the top.

    Parameters
    ----------
    classes : sequence of str, length C
        Names of the classes.
    precision, recall, f1 : ndarray, shape (C,)
        NaN where they are not defined, which is left empty.
    title : str
        Text above the picture.

    Returns
    -------
    Figure
    """
    order = np.argsort(np.nan_to_num(f1), kind="stable")[:MOST]
    left_out = f"the {MOST} of {len(classes)} classes with the lowest F1" if len(classes) > MOST else "sorted by F1"
    made = figure(6.0, 0.9 + HEIGHT * len(order), title, left_out)
    axes = made.subplots()
    places = np.arange(len(order))
    axes.barh(places - 0.2, precision[order], 0.36, color=COLORS[0], label="precision")
    axes.barh(places + 0.2, recall[order], 0.36, color=COLORS[4], label="recall")
    axes.set_yticks(places, [fitted(classes[k], 24) for k in order], parse_math=False)
    axes.set(xlim=(0, 1), ylim=(len(order) - 0.4, -0.6))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(visible=False, axis="y")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    return made
