"""Kernels of a convolution as images."""

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from anynet.data.samples import COLORS
from anynet.plots.picture_tiles import by_norm, colors, enlarged, grid, label_tiles
from anynet.plots.style import figure, styled

MAX_KERNELS, MAX_ROWS = 64, 16
"""Output channels that are drawn; input channels, and output channels where each of them has a tile."""
TILE, LINE, SIZE = 0.5, 0.13, 6.5
"""Larger side of a tile and height of a number below it, in inches, and size of its font, in points."""
COLORED, SIGNED = "0 is gray", "red is positive, blue negative"
SCALE = "output channels are numbered from 0 and sorted by norm, and each is scaled by its largest weight"


@styled()
def convolution_kernels(W: NDArray[Any], title: str) -> Figure:
    """Draw the kernels of a convolution, with a tile for each output channel, sorted by norm and numbered.

    Of three input channels a tile has their colors, with 0 in gray. Of one channel weights from red, through white for
    0, to blue are drawn, and of other numbers of channels there is a row of such tiles for each output channel.

    Parameters
    ----------
    W : ndarray, shape (rows, columns, C, n)
        The 64 output channels of the largest norm are drawn, each scaled by its largest magnitude; of other numbers of
        input channels than one and three, 16 and the first 16 input channels.
    title : str
        Text above the picture.

    Returns
    -------
    Figure
    """
    *_, channels, n = W.shape
    apart, colored = channels not in COLORS, channels == 3
    drawn, seen = min(n, MAX_ROWS if apart else MAX_KERNELS), min(channels, MAX_ROWS)
    title += f", the largest {drawn} of {n}" * (drawn < n)
    title += f", the first {seen} of {channels} input channels" * (seen < channels)
    kernels = np.asarray(W).transpose(3, 0, 1, 2)
    order = by_norm(kernels)[:drawn]
    kernels = kernels[order]
    largest = np.abs(kernels).max(axis=(1, 2, 3), keepdims=True)
    kernels = kernels / np.where(largest > 0, largest, 1)
    if colored:
        tiles = enlarged(0.5 + 0.5 * kernels)
    else:
        tiles = enlarged(kernels[..., :seen].transpose(0, 3, 1, 2).reshape(-1, *W.shape[:2]))
    rows, columns = tiles.shape[1:3]
    across, inch = seen if apart else math.ceil(math.sqrt(drawn)), TILE / max(rows, columns)
    gap = (1, 1) if apart else (math.ceil(LINE / inch), 1)
    image = grid(tiles, across, gap, empty=1.0 if colored else math.nan)
    size = max(5, 1 + inch * image.shape[1]), LINE + 0.15 + inch * image.shape[0] + 0.3 * apart
    made = figure(*size, title, f"{COLORED if colored else SIGNED}; {SCALE}")
    axes = made.subplots()
    axes.imshow(image, cmap=colors("RdBu_r"), vmin=-1, vmax=1, interpolation="nearest")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set(xticks=[], yticks=[])
    if apart:
        axes.set_xticks([i * (columns + 1) + (columns - 1) / 2 for i in range(seen)], [f"{i}" for i in range(seen)])
        axes.set_yticks([i * (rows + 1) + (rows - 1) / 2 for i in range(drawn)], [f"{i}" for i in order])
        axes.set(xlabel="input channel", ylabel="output channel")
    else:
        label_tiles(axes, [f"{i}" for i in order], (rows, columns), gap, across, SIZE)
    return made
