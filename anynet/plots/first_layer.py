"""Weights of a first layer as images."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from anynet.data.samples import is_picture
from anynet.plots.picture_tiles import fitted

MAX_COLUMNS = 64
MAX_MEMBERS = 12


def weights(W: NDArray[Any], shape: tuple[int, ...], title: str, classes: Sequence[str] = ()) -> Figure:
    """Draw each column of a first layer's weights as an image: the template of a class or of a hidden unit.

    Parameters
    ----------
    W : ndarray, shape (values, n)
        The first 64 columns are drawn, each scaled so that its smallest weight is 0 and its largest weight is 1 in
        red, green or blue.
    shape : tuple of int
        Channels, rows and columns of the net's images. One channel is drawn in gray, three in color.
    title : str
    classes : sequence of str, length n, optional
        Titles of the images.

    Returns
    -------
    Figure
    """
    _check_shape(shape)
    drawn = min(W.shape[1], MAX_COLUMNS)
    across = 5 if classes else math.ceil(math.sqrt(drawn))
    down = math.ceil(drawn / across)
    figure = Figure(figsize=(1.3 * across, 1.3 * down + 0.2 * bool(classes) * down + 0.5), layout="constrained")
    figure.suptitle(title if drawn == W.shape[1] else f"{title}, the first {drawn} of {W.shape[1]}", fontsize="medium")
    for i, axes in enumerate(figure.subplots(down, across, squeeze=False).flat):
        axes.axis("off")
        if i >= drawn:
            continue
        _draw(axes, W[:, i], shape)
        if classes:
            axes.set_title(fitted(classes[i], 18), fontsize="small", parse_math=False)
    return figure


def templates_of_members(
    W: Sequence[NDArray[Any]], shape: tuple[int, ...], names: Sequence[str], title: str, classes: Sequence[str]
) -> Figure:
    """Draw the class templates of one-layer nets, with a row for each net and images as by `weights`.

    Parameters
    ----------
    W : sequence of ndarray, shape (values, C)
        Weights of each net; the first 12 nets are drawn.
    shape : tuple of int
        As for `weights`.
    names : sequence of str
        Label of each row.
    title : str
    classes : sequence of str, length C
        Titles of the columns.

    Returns
    -------
    Figure
    """
    _check_shape(shape)
    drawn = min(len(W), MAX_MEMBERS)
    figure = Figure(figsize=(1.1 * len(classes) + 1.2, 1.1 * drawn + 0.6), layout="constrained")
    figure.suptitle(title if drawn == len(W) else f"{title}, the first {drawn} of {len(W)}", fontsize="medium")
    for k, row in enumerate(figure.subplots(drawn, len(classes), squeeze=False)):
        for i, axes in enumerate(row):
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            _draw(axes, W[k][:, i], shape)
            if k == 0:
                axes.set_title(fitted(classes[i], 15), fontsize="small", parse_math=False)
        row[0].set_ylabel(names[k], rotation=0, ha="right", va="center", fontsize="small")
    return figure


def _check_shape(shape: tuple[int, ...]) -> None:
    if not is_picture(shape):
        raise ValueError(
            f"shape: expected (channels, rows, columns) with 1 or 3 channels, which can be drawn, got {shape}"
        )


def _draw(axes: Axes, column: NDArray[Any], shape: tuple[int, ...]) -> None:
    image = np.asarray(column).reshape(shape).transpose(1, 2, 0)
    low, high = image.min(), image.max()
    axes.imshow((image - low) / (high - low if high > low else 1), cmap="gray")  # for one channel
