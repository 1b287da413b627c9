"""Kernels of a convolution as images."""

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from anynet.data.samples import COLORS
from anynet.plots.tiles import enlarged, grid

MAX_KERNELS = 64
MAX_CHANNELS = 16
TILE = 0.45
"""Larger side of a tile, in inches."""
SCALE = "0 is gray; each output channel is scaled by its largest weight"


def convolution_kernels(W: NDArray[Any], title: str) -> Figure:
    """Draw the kernels of a convolution, with a tile for each output channel.

    Kernels of one input channel are drawn in gray, those of three in color. Otherwise there is a row of gray tiles for
    each output channel, with a tile for each input channel. Weights of 0 are gray; the largest of an output channel, in
    magnitude, is black or white, or no color or full color.

    Parameters
    ----------
    W : ndarray, shape (rows, columns, C, n)
        The first 64 output channels are drawn; of input channels that have tiles of their own, the first 16.
    title : str

    Returns
    -------
    Figure
    """
    *_, channels, n = W.shape
    drawn, seen = min(n, MAX_KERNELS), channels if channels in COLORS else min(channels, MAX_CHANNELS)
    title += f", the first {drawn} of {n}" * (drawn < n)
    title += f", the first {seen} of {channels} input channels" * (seen < channels)
    kernels = np.asarray(W)[..., :drawn].transpose(3, 0, 1, 2)
    largest = np.abs(kernels).max(axis=(1, 2, 3), keepdims=True)
    kernels = 0.5 + 0.5 * kernels / np.where(largest > 0, largest, 1)
    apart = channels not in COLORS
    if apart:
        kernels = kernels[..., :seen].transpose(0, 3, 1, 2).reshape(-1, *W.shape[:2], 1)
    tiles = enlarged(kernels)
    rows, columns = tiles.shape[1:3]
    across = seen if apart else math.ceil(math.sqrt(drawn))
    image = grid(tiles, across, empty=1.0)
    inch = TILE / max(rows, columns)
    figure = Figure(figsize=(max(5, 1 + inch * image.shape[1]), 1.1 + inch * image.shape[0]), layout="constrained")
    figure.suptitle(title, fontsize="medium", parse_math=False, wrap=True)
    axes = figure.subplots()
    axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set(xticks=[], yticks=[])
    if apart:
        for set_ticks, size, tiles_along in ((axes.set_xticks, columns, across), (axes.set_yticks, rows, drawn)):
            places = range(0, tiles_along, math.ceil(tiles_along / MAX_CHANNELS))
            set_ticks([i * (size + 1) + (size - 1) / 2 for i in places], [f"{i}" for i in places], fontsize="x-small")
        axes.set(xlabel="input channel", ylabel="output channel")
    figure.supxlabel(SCALE, fontsize="small")
    return figure
