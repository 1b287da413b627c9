"""What a first layer looks for, as pictures."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from anynet.data.dataset import IMAGE_SHAPE

MOST_FILTERS = 64
MOST_MEMBERS = 12


def weights(W: NDArray, title: str, classes: Sequence[str] = ()) -> Figure:
    """Each column of a first layer's weights as a picture: what the class, or the hidden unit, looks for.

    W: shape (3072, n); the first 64 columns are drawn. Each picture is stretched so that its smallest weight is 0 and
        its largest 1 in red, green or blue.
    classes: names to write above the pictures.
    """
    shown = min(W.shape[1], MOST_FILTERS)
    across = 5 if classes else math.ceil(math.sqrt(shown))
    down = math.ceil(shown / across)
    figure = Figure(figsize=(1.3 * across, 1.3 * down + 0.2 * bool(classes) * down + 0.5), layout="constrained")
    figure.suptitle(title if shown == W.shape[1] else f"{title}, the first {shown} of {W.shape[1]}", fontsize="medium")
    for i, axes in enumerate(figure.subplots(down, across, squeeze=False).flat):
        axes.axis("off")
        if i >= shown:
            continue
        _draw(axes, W[:, i])
        if classes:
            axes.set_title(classes[i], fontsize="small")
    return figure


def templates_of_members(W: Sequence[NDArray], names: Sequence[str], title: str, classes: Sequence[str]) -> Figure:
    """The class templates of nets of one layer, a row for each net, drawn as by ``weights``.

    W: shape (3072, classes) for each of the nets; the first 12 are drawn. names: to write ahead of the rows.
    """
    shown = min(len(W), MOST_MEMBERS)
    figure = Figure(figsize=(1.1 * len(classes) + 1.2, 1.1 * shown + 0.6), layout="constrained")
    figure.suptitle(title if shown == len(W) else f"{title}, the first {shown} of {len(W)}", fontsize="medium")
    for k, row in enumerate(figure.subplots(shown, len(classes), squeeze=False)):
        for i, axes in enumerate(row):
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            _draw(axes, W[k][:, i])
            if k == 0:
                axes.set_title(classes[i], fontsize="small")
        row[0].set_ylabel(names[k], rotation=0, ha="right", va="center", fontsize="small")
    return figure


def _draw(axes: Axes, column: NDArray) -> None:
    picture = np.asarray(column).reshape(IMAGE_SHAPE).transpose(1, 2, 0)
    low, high = picture.min(), picture.max()
    axes.imshow((picture - low) / (high - low if high > low else 1))
