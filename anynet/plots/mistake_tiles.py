"""Images that are classified wrongly, with what was predicted and what is right."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from anynet.core.picture_bytes import pictures
from anynet.plots.picture_tiles import fitted, grid
from anynet.plots.style import BEST, COLORS, figure, styled

ACROSS, MOST = 5, 60
"""Images in a row, and in all."""
TILE, LINE = 1.5, 0.125
"""Width of an image, and height of a line of text below it, in inches."""
FITTING = 16
"""Number of characters of the name of a class."""


@styled()
def mistake_tiles(
    x: NDArray[Any],
    index: NDArray[np.integer],
    predicted: Sequence[str],
    true: Sequence[str],
    probability: NDArray[np.float64],
    true_probability: NDArray[np.float64],
    title: str,
) -> Figure:
    """Draw images with the class that was predicted and the right one, and the probabilities of both.

    Parameters
    ----------
    x : ndarray, shape (n, channels, rows, columns)
        Images, as for ``anynet.plots.picture_tiles.pictures``; the first 60 are drawn.
    index : ndarray of int, shape (n,)
        Numbers of the samples.
    predicted, true : sequence of str, length n
        Names of the classes.
    probability, true_probability : ndarray, shape (n,)
        Of the predicted class, and of the right one.
    title : str
        Text above the picture.

    Returns
    -------
    Figure
    """
    shown = pictures(x[:MOST])
    n, height, width, _ = shown.shape
    inch, across = TILE / width, min(ACROSS, n)
    gap = math.ceil(3.6 * LINE / inch), math.ceil(width / 10)
    image = grid(shown, across, gap, 255)
    size = max(inch * image.shape[1] + 0.2, 4.0), inch * (image.shape[0] + gap[0]) + 0.3
    made = figure(*size, title, f"{n} with the highest probabilities of a wrong class")
    axes = made.subplots()
    axes.imshow(np.concatenate([image, np.full((gap[0], *image.shape[1:]), 255, np.uint8)]), interpolation="nearest")
    axes.axis("off")
    for k in range(n):
        top, left = (k // across) * (height + gap[0]) + height, (k % across) * (width + gap[1]) - 0.5
        lines = (
            (f"said {fitted(predicted[k], FITTING)} {probability[k]:.1%}", BEST),
            (f"is {fitted(true[k], FITTING)} {true_probability[k]:.1%}", COLORS[2]),
            (f"sample {index[k]}", "0.45"),
        )
        for i, (text, color) in enumerate(lines):
            axes.text(left, top + (0.04 + i * LINE) / inch, text, color=color, va="top", fontsize=7, parse_math=False)
    return made
