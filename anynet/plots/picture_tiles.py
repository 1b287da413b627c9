"""Small images side by side as one image, and text that fits beside them."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from numpy.typing import NDArray

from anynet.plots.letters import columns, drawable

LEAST = 8
"""Rows or columns of a tile, at least, so that a gap of one pixel is thin."""


def grid(tiles: NDArray[Any], across: int, gap: tuple[int, int] = (1, 1), empty: float = math.nan) -> NDArray[Any]:
    """Return tiles as one image, row by row.

    Parameters
    ----------
    tiles : ndarray, shape (n, rows, columns, ...)
    across : int
        Number of tiles in a row.
    gap : (int, int)
        Pixels below and to the right of each tile but the last.
    empty : float
        Value between tiles and behind the last.

    Returns
    -------
    ndarray, shape (rows, columns, ...)

    Examples
    --------
    >>> grid(np.asarray([[[1, 2]], [[3, 4]], [[5, 6]]]), 2, empty=0)
    array([[1, 2, 0, 3, 4],
           [0, 0, 0, 0, 0],
           [5, 6, 0, 0, 0]])
    """
    (n, rows, columns, *color), down = tiles.shape, math.ceil(len(tiles) / across)
    cells = np.full((down * across, rows + gap[0], columns + gap[1], *color), empty, tiles.dtype)
    cells[:n, :rows, :columns] = tiles
    cells = cells.reshape(down, across, *cells.shape[1:]).swapaxes(1, 2)
    whole = cells.reshape(down * (rows + gap[0]), across * (columns + gap[1]), *color)
    return whole[: len(whole) - gap[0], : whole.shape[1] - gap[1]]


def enlarged(tiles: NDArray[Any]) -> NDArray[Any]:
    """Return tiles, shape (n, rows, columns, ...), whose pixels are repeated until a tile is large enough for a gap."""
    times = math.ceil(LEAST / max(tiles.shape[1:3]))
    return tiles.repeat(times, axis=1).repeat(times, axis=2)


def colors(name: str) -> Colormap:
    """Return a color map of Matplotlib's with light gray between tiles."""
    return matplotlib.colormaps[name].with_extremes(bad="0.8")


def fitted(text: str, width: int, lines: int = 1) -> str:
    r"""Return a text in so many lines of so many characters at most; what does not fit is left out.

    Parameters
    ----------
    text : str
    width, lines : int

    Returns
    -------
    str

    Examples
    --------
    >>> fitted("golden retriever puppy", 12), fitted("golden retriever puppy", 12, lines=2)
    ('golden retr…', 'golden\nretriever p…')
    """
    text = drawable(text)
    width = max(1, width * len(text) // max(1, columns(text)))
    found = textwrap.wrap(text, width)
    if len(found) > lines:
        found[lines - 1 :] = [" ".join(found[lines - 1 :])[: width - 1] + "…"]
    return "\n".join(found)


def label_tiles(
    axes: Axes, labels: Sequence[str], tile: tuple[int, int], gap: tuple[int, int], across: int, size: float
) -> None:
    """Write a text below each tile of an image that `grid` returned.

    Parameters
    ----------
    axes : Axes
        Where the image is shown.
    labels : sequence of str
    tile, gap : (int, int)
        Rows and columns of a tile and of the gap, in pixels.
    across : int
        Number of tiles in a row.
    size : float
        Size of the font, in points.
    """
    for i, label in enumerate(labels):
        r, c = divmod(i, across)
        x, y = c * (tile[1] + gap[1]) + (tile[1] - 1) / 2, r * (tile[0] + gap[0]) + tile[0] - 0.5
        axes.annotate(
            label, (x, y), (0, -1.5), textcoords="offset points", ha="center", va="top", fontsize=size,
            parse_math=False, annotation_clip=False,
        )  # fmt: skip


def by_norm(rows: NDArray[Any]) -> NDArray[np.intp]:
    """Return the numbers of arrays, shape (n, ...), sorted by norm, the largest first.

    Examples
    --------
    >>> by_norm(np.asarray([[1.0], [-3.0], [2.0]]))
    array([1, 2, 0])
    """
    return np.argsort(-np.linalg.norm(np.reshape(rows, (len(rows), -1)).astype(np.float64), axis=1), kind="stable")
