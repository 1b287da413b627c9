"""Images that a net most probably takes for one of another class."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from anynet.core.picture_bytes import pictures
from anynet.plots.picture_tiles import fitted, grid
from anynet.plots.style import figure, styled

MAX_CLASSES = 20
"""Number of classes up to which each has a row."""
ACROSS, OF_ONE_CLASS = 8, 40
"""Images in a row, and of a single class."""
TILE, LINE, MARGIN = 1.05, 0.11, 1.2
"""Width of an image, height of a line of text below it, and width of the text beside a row, in inches."""
FITTING = 18
"""Number of characters of such a line."""
MISTAKE, RIGHT = "#c00000", "0.35"
"""Colors of texts."""
LEGEND = "below an image: the highest probability of a wrong class, bold and red if that class is predicted"


@styled()
def confused_images(
    x: NDArray[Any],
    probabilities: NDArray[Any],
    y: NDArray[np.integer],
    classes: Sequence[str],
    dataset: str,
    only: int | None = None,
) -> Figure:
    """Draw those images of each class for which a wrong class has the highest probabilities.

    Parameters
    ----------
    x : ndarray, shape (N, channels, rows, columns)
        Images, as for ``anynet.plots.picture_tiles.pictures``.
    probabilities : ndarray, shape (N, C)
        Predicted for them.
    y : ndarray of int, shape (N,)
        Their class numbers.
    classes : sequence of str, length C
        Names of the classes.
    dataset : str
        Beginning of the title.
    only : int, optional
        Draw 40 images of this class. Default: 8 of each class in a row, and of more than 20 classes those with the
        lowest accuracy.

    Returns
    -------
    Figure
    """
    right = probabilities.argmax(axis=1) == y
    accuracy = {k: float(right[y == k].mean()) for k in range(len(classes)) if (y == k).any()}
    drawn = sorted(sorted(accuracy, key=accuracy.__getitem__)[:MAX_CLASSES]) if only is None else [only]
    title = "images that are confused most"
    if only is not None:
        title = f"{fitted(classes[only], 40)}, {accuracy[only]:.0%} right: {title}"
    elif len(drawn) < len(accuracy):
        title += f", of the {len(drawn)} of {len(accuracy)} classes with the lowest accuracy"
    wrong = probabilities.copy()
    wrong[np.arange(len(y)), y] = -1
    most = wrong.max(axis=1)
    order = np.argsort(-most, kind="stable")
    rows, beside = list[NDArray[np.intp]](), list[str]()
    for k in drawn:
        own = order[y[order] == k][: ACROSS if only is None else OF_ONE_CLASS]
        rows += [own[i : i + ACROSS] for i in range(0, len(own), ACROSS)]
        beside += [f"{fitted(classes[k], 14, lines=2)}\n{accuracy[k]:.0%} right"] if only is None else []
    below = {
        i: (fitted(f"{most[i]:.0%}: {classes[wrong[i].argmax()]}", FITTING, lines=2), RIGHT if right[i] else MISTAKE)
        for row in rows
        for i in row
    }
    return _drawn(x, rows, beside, below, f"{dataset}: {title}")


def _drawn(
    x: NDArray[Any],
    rows: Sequence[NDArray[np.intp]],
    beside: Sequence[str],
    below: dict[int, tuple[str, str]],
    title: str,
) -> Figure:
    """Draw rows of images, by their numbers, with texts beside rows and texts and their colors below images."""
    shown = pictures(x[np.concatenate(rows)])
    _, height, width, _ = shown.shape
    inch = TILE / width
    text = LINE * (2 + max(words.count("\n") for words, _ in below.values()))
    gap = math.ceil(text / inch), math.ceil(width / 12)
    cells = np.full((len(rows) * ACROSS, *shown.shape[1:]), 255, np.uint8)
    cells[[ACROSS * r + i for r, row in enumerate(rows) for i in range(len(row))]] = shown
    image = grid(cells, ACROSS, gap, 255)
    margin = MARGIN if beside else 0.0
    made = figure(inch * image.shape[1] + margin + 0.2, inch * image.shape[0] + text + 0.1, title, LEGEND)
    axes = made.subplots()
    axes.imshow(image, interpolation="nearest")
    axes.axis("off")
    for r, row in enumerate(rows):
        top = r * (height + gap[0])
        if beside:
            middle = top + (height - 1) / 2
            axes.text(-0.1 / inch, middle, beside[r], ha="right", va="center", fontsize=8, parse_math=False)
        for c, i in enumerate(row):
            (words, color), center = below[i], c * (width + gap[1]) + (width - 1) / 2
            axes.text(
                center, top + height + 0.03 / inch, words, color=color, ha="center", va="top", fontsize=6.5,
                weight="bold" if color == MISTAKE else "normal", parse_math=False,
            )  # fmt: skip
    return made
