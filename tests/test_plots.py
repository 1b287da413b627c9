"""The pictures of a run."""

import numpy as np
import pytest

from anynet import plots
from anynet.training import Epoch

HISTORIES = [
    [Epoch(1, 0.1, 3.0, 2.5, 0.2, 3.0, 2.0, 0.1, 1.0), Epoch(2, 0.1, 2.0, 1.5, 0.6, 2.0, 1.0, 0.4, 2.0)],
    [Epoch(1, 0.1, 3.0, 2.5, 0.2, 3.0, 4.0, 0.3, 1.0), Epoch(2, 0.1, 2.0, 1.5, 0.6, 2.0, 1.0, 0.2, 2.0)],
]


def test_bands_are_means_over_runs():
    loss, accuracy = plots.bands({"one": HISTORIES}, "title", "test").axes
    np.testing.assert_allclose(loss.lines[0].get_xydata(), [[1, 3], [2, 1]])
    np.testing.assert_allclose(accuracy.lines[0].get_xydata(), [[1, 20], [2, 30]])
    band = accuracy.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == pytest.approx((10, 40))


def test_class_templates_show_the_weights():
    weights = np.zeros((3072, 10))
    weights[:1024, 3] = np.linspace(-1, 1, 1024)  # class 3 looks for red, more and more downwards
    figure = plots.weights(weights, "title", [f"class {i}" for i in range(10)])
    axes = figure.axes[3]
    assert axes.get_title() == "class 3"
    picture = axes.images[0].get_array()
    assert picture.shape == (32, 32, 3)
    np.testing.assert_allclose(picture[..., 0].ravel(), np.linspace(0, 1, 1024))
    np.testing.assert_allclose(picture[..., 1:], 0.5)
