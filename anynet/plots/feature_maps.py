"""Outputs of a layer for some images."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from anynet.core.picture_bytes import pictures
from anynet.plots.picture_tiles import colors, enlarged, grid
from anynet.plots.style import figure, styled

MAX_IMAGES = 8
MAX_CHANNELS, ACROSS = 64, 8
"""Channels that are drawn, and tiles in a row: twice as many of more than 16 channels."""
MAX_FEATURES, CELLS = 1024, 32
"""Features that are drawn, and cells in a row: twice as many of more than 256 features."""
WIDTH, TILE = 8.0, 1.0
"""Width of the tiles of an image, and of one tile, at most, in inches."""
LOW, HIGH = 0.8, 1.6
"""Height of an image, in inches."""
LABEL = 0.3, 0.14
"""Width and height of a number, in inches."""
BEYOND = 0.2
"""Percentage of the values that may be beyond the color scale."""


@styled()
def feature_maps(x: NDArray[Any], maps: NDArray[Any], title: str) -> Figure:
    """Draw images, each with the outputs of a layer for it: a tile for each channel, or a cell for each feature.

    All have one scale of colors, which begins at 0, or has it in the center if some are negative. The number of a
    channel or a feature is the sum of those at its row and its column.

    Parameters
    ----------
    x : ndarray, shape (n, channels, rows, columns)
        Images, as for ``anynet.plots.picture_tiles.pictures``; the first 8 are drawn.
    maps : ndarray, shape (n, channels, rows, columns) or (n, features)
        The first 64 channels, or 1,024 features, are drawn.
    title : str
        Text above the picture.

    Returns
    -------
    Figure
    """
    of_pixels, found = maps.ndim > 2, maps.shape[1]
    images, drawn = min(len(x), MAX_IMAGES), min(found, MAX_CHANNELS if of_pixels else MAX_FEATURES)
    title += f", the first {images} of {len(x)} images" * (images < len(x))
    title += f", the first {drawn:,} of {found:,} {'channels' if of_pixels else 'features'}" * (drawn < found)
    maps = np.asarray(maps, np.float64)[:images, :drawn].reshape(images, drawn, *(maps.shape[2:] or (1, 1)))
    across, rows = (ACROSS, 2) if of_pixels else (CELLS, 8)
    across = min(drawn, across if drawn <= rows * across else 2 * across)
    tiles = [grid(enlarged(each), across, (1, 1) if of_pixels else (0, 0)) for each in maps]
    tile = min(WIDTH / across, TILE)
    height = tile * math.ceil(drawn / across) * maps.shape[2] / maps.shape[3]
    side = min(max(height, LOW), HIGH)
    widths, height = (side * min(x.shape[3] / x.shape[2], 2), tile * across), max(height, side)
    size = max(sum(widths) + 1.3, 6.0), images * (height + 0.1) + 0.3
    kind = "channel" if of_pixels else "feature"
    made = figure(*size, title, f"number of a {kind}: that of its row plus that of its column")
    every = made.subplots(images, 2, squeeze=False, width_ratios=widths)
    scale, extend = _scale(maps)
    for (left, right), image, shown in zip(every, pictures(x[:images]), tiles, strict=True):
        left.imshow(image, interpolation="nearest")
        left.axis("off")
        right.imshow(shown, interpolation="nearest", **scale)
        right.grid(visible=False)
        right.spines[:].set_visible(False)
        _number(right, drawn, across, shown.shape, tile)
    for axes in every[:-1, 1]:
        axes.tick_params(labelbottom=False)
    made.colorbar(every[0, 1].images[0], ax=every, aspect=size[1] / 0.15, extend=extend).ax.grid(visible=False)
    return made


def _number(axes: Axes, drawn: int, across: int, shape: tuple[int, int], tile: float) -> None:
    """Write the number of the first channel of each row beside it, and what to add for a column below it."""
    down, (height, width) = math.ceil(drawn / across), shape
    tall = tile * (height / down) / (width / across)
    rows, columns = range(0, down, math.ceil(LABEL[1] / tall)), range(0, across, math.ceil(LABEL[0] / tile))
    axes.set_xticks([(c + 0.5) * width / across - 0.5 for c in columns], [f"+{c}" for c in columns])
    axes.set_yticks([(r + 0.5) * height / down - 0.5 for r in rows], [f"{across * r}" for r in rows])
    axes.tick_params(length=0)


def _scale(maps: NDArray[np.float64]) -> tuple[dict[str, Any], str]:
    """Return color map and limits, between which all values but few lie, and the sides on which these are."""
    size = np.abs(maps)
    high = float(np.percentile(size, 100 - BEYOND)) or float(size.max()) or 1.0
    signed, few = bool(maps.min() < 0), bool(size.max() > high)
    return {"cmap": colors("RdBu_r" if signed else "viridis"), "vmin": -high * signed, "vmax": high}, (
        "both" if signed else "max"
    ) if few else "neither"
