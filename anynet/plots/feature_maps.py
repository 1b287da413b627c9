"""Outputs of a layer for some images."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from anynet.plots.tiles import enlarged, grid, pictures

MAX_IMAGES = 8
MAX_CHANNELS = 64
MAX_FEATURES = 1024
IN_ONE_ROW = 32
"""Number of features up to which they have one row."""
WIDTH = 6.5
"""Width of the tiles of an image, in inches."""
CLIPPED = 0.2
"""Percentage of the values that may be beyond the ends of the color scale."""


def feature_maps(x: NDArray[Any], maps: NDArray[Any], title: str) -> Figure:
    """Draw images, each with the outputs of a layer for it: a tile for each channel, or a cell for each feature.

    All have the same scale of colors, which begins at 0, or has it in the center if some are negative.

    Parameters
    ----------
    x : ndarray, shape (n, channels, rows, columns)
        Images, as for `anynet.plots.tiles.pictures`; the first eight are drawn.
    maps : ndarray, shape (n, channels, rows, columns) or (n, features)
        The first 64 channels, or 1,024 features, are drawn.
    title : str

    Returns
    -------
    Figure
    """
    of_pixels, (_, found, *_) = maps.ndim > 2, maps.shape
    images, drawn = min(len(x), MAX_IMAGES), min(found, MAX_CHANNELS if of_pixels else MAX_FEATURES)
    title += f", the first {images} of {len(x)} images" * (images < len(x))
    title += f", the first {drawn} of {found} {'channels' if of_pixels else 'features'}" * (drawn < found)
    maps = np.asarray(maps)[:images, :drawn].reshape(images, drawn, *(maps.shape[2:] or (1, 1)))
    across = drawn if not of_pixels and drawn <= IN_ONE_ROW else min(drawn, 2 ** math.ceil(math.log2(2 * drawn) / 2))
    every = [grid(enlarged(each), across, (1, 1) if of_pixels else (0, 0)) for each in maps]
    rows, columns = every[0].shape
    image_rows, image_columns = x.shape[2:]
    height = min(max(WIDTH * rows / columns, 0.7), 3.0)
    ratios = [height * min(image_columns / image_rows, 2.0), WIDTH]
    figure = Figure(figsize=(sum(ratios) + 1.2, images * (height + 0.1) + 0.6), layout="constrained")
    figure.suptitle(title, fontsize="medium", parse_math=False, wrap=True)
    all_axes = figure.subplots(images, 2, squeeze=False, width_ratios=ratios)
    shown, scale = None, _scale(maps)
    for (left, right), image, tiles in zip(all_axes, pictures(x[:images]), every, strict=True):
        left.imshow(image, interpolation="nearest")
        shown = right.imshow(tiles, interpolation="nearest", **scale)
        for axes in (left, right):
            _without_frame(axes)
    assert shown is not None
    figure.colorbar(shown, ax=all_axes, aspect=30, shrink=0.9, extend="neither")
    return figure


def _without_frame(axes: Axes) -> None:
    axes.axis("off")


def _scale(maps: NDArray[Any]) -> dict[str, Any]:
    """Return color map and limits, between which all values but few lie."""
    high = float(np.percentile(np.abs(maps), 100 - CLIPPED)) or float(np.abs(maps).max()) or 1.0
    return {"cmap": "RdBu_r", "vmin": -high, "vmax": high} if maps.min() < 0 else {"vmin": 0, "vmax": high}
