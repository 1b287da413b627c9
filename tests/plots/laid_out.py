"""Positions of the texts of a figure."""

from unittest import mock

import numpy as np
from matplotlib.text import Text

from anynet.plots.style import styled


@styled()
def laid_out(figure):
    """Draw a figure, require that each text is inside it and covers no other, and no legend a panel; return the texts.

    Legends are required to be the figure's own, below all panels.
    """
    boxes, draw = [], Text.draw

    def record(self, renderer):
        if self.get_visible() and self.get_text().strip():
            boxes.append((self.get_text(), self.get_window_extent(renderer).extents))
        draw(self, renderer)

    with mock.patch.object(Text, "draw", record):
        figure.draw_without_rendering()
    words, extents = [text for text, _ in boxes], np.asarray([box for _, box in boxes])
    width, height = figure.bbox.size
    outside = (extents[:, :2] < -1).any(axis=1) | (extents[:, 2:] > [width + 1, height + 1]).any(axis=1)
    assert not outside.any(), [words[i] for i in np.flatnonzero(outside)]
    low, high = (
        np.maximum(extents[:, None, :2], extents[None, :, :2]),
        np.minimum(extents[:, None, 2:], extents[None, :, 2:]),
    )
    covered = np.triu((high - low > 1).all(axis=2), 1)
    assert not covered.any(), [(words[i], words[j]) for i, j in np.argwhere(covered)]
    assert not any(axes.get_legend() for axes in figure.axes)
    for legend in figure.legends:
        assert not any(legend.get_window_extent().overlaps(axes.get_window_extent()) for axes in figure.axes)
    return words
