"""Weights of a first layer as images."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from anynet.data.samples import is_picture
from anynet.plots.letters import drawable
from anynet.plots.picture_tiles import by_norm, fitted, grid, label_tiles
from anynet.plots.style import NOTE_SIZE, figure, inches, styled

MAX_COLUMNS = 64
MAX_MEMBERS, MAX_CLASSES = 12, 20
TILE, NUMBERED = 1.1, 0.75
"""Larger side of an image, in inches, with a name or with a number."""
LINE = 0.17
"""Height of a line of text below an image, in inches."""
NAME = 15
"""Number of characters of a name that fit there."""
SCALE = "each image is scaled from its smallest weight, black, to its largest"


@styled()
def weights(W: NDArray[Any], shape: tuple[int, ...], title: str, classes: Sequence[str] = ()) -> Figure:
    """Draw each column of a first layer's weights as an image: the template of a class or of a hidden unit.

    Those of hidden units are sorted by norm, the largest first, and have the number of their column.

    Parameters
    ----------
    W : ndarray, shape (values, n)
        64 columns are drawn, each scaled so that its smallest weight is 0 and its largest weight is 1 in red, green or
        blue.
    shape : tuple of int
        Channels, rows and columns of the net's images. One channel is drawn in gray, three in color.
    title : str
        Text above the images.
    classes : sequence of str, length n, optional
        Names below the images, which are then in this order.

    Returns
    -------
    Figure
    """
    _check_shape(shape)
    n = W.shape[1]
    order = np.arange(n) if classes else by_norm(W.T)
    order = order[:MAX_COLUMNS]
    if len(order) < n:
        title += f", the {'first' if classes else 'largest'} {len(order)} of {n}"
    across = min(len(order), 5) if classes else math.ceil(math.sqrt(len(order)))
    names = [fitted(classes[i], NAME) if classes else f"{i}" for i in order]
    note = SCALE if classes else f"columns of the weights, numbered from 0 and sorted by norm; {SCALE}"
    return _drawn(_images(W[:, order], shape), across, names, title, note, TILE if classes else NUMBERED)


@styled()
def templates_of_members(
    W: Sequence[NDArray[Any]], shape: tuple[int, ...], names: Sequence[str], title: str, classes: Sequence[str]
) -> Figure:
    """Draw the class templates of one-layer nets, with a row for each net and images as by `weights`.

    Parameters
    ----------
    W : sequence of ndarray, shape (values, C)
        Weights of each net; the first 12 nets and 20 classes are drawn.
    shape : tuple of int
        As for `weights`.
    names : sequence of str
        Label of each row.
    title : str
        Text above the images.
    classes : sequence of str, length C
        Names below the images.

    Returns
    -------
    Figure
    """
    _check_shape(shape)
    nets, across = min(len(W), MAX_MEMBERS), min(len(classes), MAX_CLASSES)
    title += f", the first {nets} of {len(W)}" * (nets < len(W))
    title += f", the first {across} of {len(classes)} classes" * (across < len(classes))
    tiles = np.concatenate([_images(each[:, :across], shape) for each in W[:nets]])
    below = [fitted(name, NAME) for name in classes[:across]] * nets
    return _drawn(tiles, across, below, title, SCALE, TILE, names[:nets])


def _check_shape(shape: tuple[int, ...]) -> None:
    if not is_picture(shape):
        raise ValueError(
            f"shape: expected (channels, rows, columns) with 1 or 3 channels, which can be drawn, got {shape}"
        )


def _images(W: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return columns as images, shape (n, rows, columns, 1 or 3), each from 0 to 1."""
    columns = np.asarray(W.T, np.float64)
    low, high = columns.min(axis=1, keepdims=True), columns.max(axis=1, keepdims=True)
    scaled = (columns - low) / np.where(high > low, high - low, 1)
    images: NDArray[np.float64] = scaled.reshape(-1, *shape).transpose(0, 2, 3, 1)
    return images


def _drawn(
    tiles: NDArray[np.float64],
    across: int,
    below: Sequence[str],
    title: str,
    note: str,
    tile: float,
    beside: Sequence[str] = (),
) -> Figure:
    """Draw images with texts below them and beside rows."""
    rows, columns = tiles.shape[1:3]
    beside = [drawable(text) for text in beside]
    inch = tile / max(rows, columns)
    gap = math.ceil(LINE / inch), math.ceil(0.06 / inch)
    image = grid(np.broadcast_to(tiles, (*tiles.shape[:3], 3)), across, gap, 1.0)
    margin = max((inches(line, NOTE_SIZE) for text in beside for line in text.split("\n")), default=0.0)
    made = figure(max(inch * image.shape[1] + margin + 0.4, 4.0), inch * image.shape[0] + LINE + 0.15, title, note)
    axes = made.subplots()
    axes.imshow(image, interpolation="nearest" if inch > 0.02 else None)
    axes.axis("off")
    label_tiles(axes, below, (rows, columns), gap, across, NOTE_SIZE)
    for r, text in enumerate(beside):
        middle = r * (rows + gap[0]) + (rows - 1) / 2
        axes.text(-0.1 / inch, middle, text, ha="right", va="center", fontsize=NOTE_SIZE, parse_math=False)
    return made
