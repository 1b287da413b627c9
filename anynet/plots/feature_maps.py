"""Outputs of a layer for some images."""

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from anynet.plots.picture_tiles import colors, enlarged, grid, pictures

MAX_IMAGES = 8
MAX_CHANNELS, ACROSS = 64, 8
"""Channels that are drawn, and tiles in a row: twice as many of more than 16 channels."""
MAX_FEATURES, CELLS = 1024, 32
"""Features that are drawn, and cells in a row: twice as many of more than 256 features."""
WIDTH, TILE = 8.0, 1.0
"""Width of the tiles of an image, and of one tile, at most, in inches."""
LOW, HIGH = 0.8, 1.6
"""Height of an image, in inches."""
BEYOND = 0.2
"""Percentage of the values that may be beyond the color scale."""


def feature_maps(x: NDArray[Any], maps: NDArray[Any], title: str) -> Figure:
    """Draw images, each with the outputs of a layer for it: a tile for each channel, or a cell for each feature.

    All have one scale of colors, which begins at 0, or has it in the center if some are negative.

    Parameters
    ----------
    x : ndarray, shape (n, channels, rows, columns)
        Images, as for `anynet.plots.picture_tiles.pictures`; the first 8 are drawn.
    maps : ndarray, shape (n, channels, rows, columns) or (n, features)
        The first 64 channels, or 1,024 features, are drawn.
    title : str

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
    size = max(sum(widths) + 1.0, 6.0), images * (height + 0.1) + 0.5
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(title, fontsize="medium", parse_math=False, wrap=True)
    every = figure.subplots(images, 2, squeeze=False, width_ratios=widths)
    scale, extend = _scale(maps)
    for (left, right), image, shown in zip(every, pictures(x[:images]), tiles, strict=True):
        left.imshow(image, interpolation="nearest")
        right.imshow(shown, interpolation="nearest", **scale)
        for axes in (left, right):
            axes.axis("off")
    figure.colorbar(every[0, 1].images[0], ax=every, aspect=size[1] / 0.15, extend=extend)
    return figure


def _scale(maps: NDArray[np.float64]) -> tuple[dict[str, Any], str]:
    """Return color map and limits, between which all values but few lie, and the sides on which these are."""
    size = np.abs(maps)
    high = float(np.percentile(size, 100 - BEYOND)) or float(size.max()) or 1.0
    signed, few = bool(maps.min() < 0), bool(size.max() > high)
    return {"cmap": colors("RdBu_r" if signed else "viridis"), "vmin": -high * signed, "vmax": high}, (
        "both" if signed else "max"
    ) if few else "neither"
