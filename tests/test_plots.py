"""The pictures of a run."""

import numpy as np

from anynet import plots


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
