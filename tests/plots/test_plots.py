"""Pictures of runs: curves over the epochs, and first-layer weights."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from anynet import plots
from anynet.core.epoch import Epoch
from anynet.core.history import History

HISTORIES = [
    History([Epoch(1, 0.1, 3.0, 2.5, 0.2, 3.0, 2.0, 0.1, 1.0), Epoch(2, 0.1, 2.0, 1.5, 0.6, 2.0, 1.0, 0.4, 2.0)]),
    History([Epoch(1, 0.1, 3.0, 2.5, 0.2, 3.0, 4.0, 0.3, 1.0), Epoch(2, 0.1, 2.0, 1.5, 0.6, 2.0, 1.0, 0.2, 2.0)]),
]


def test_bands_are_means_over_runs():
    loss, accuracy = plots.bands({"one": HISTORIES}, "title", "test").axes
    np.testing.assert_allclose(loss.lines[0].get_xydata(), [[1, 3], [2, 1]])
    np.testing.assert_allclose(accuracy.lines[0].get_xydata(), [[1, 20], [2, 30]])
    band = accuracy.collections[0].get_paths()[0].vertices
    deviation = 200**0.5  # of 10 and 30, and of 40 and 20: the sum of squares divided by n - 1
    assert (band[:, 1].min(), band[:, 1].max()) == pytest.approx((20 - deviation, 30 + deviation))


def moved(history, by):
    """The same with higher accuracies and losses."""
    fields = ("train_cost", "train_loss", "train_accuracy", "val_cost", "val_loss", "val_accuracy")
    return History(row._replace(**{name: getattr(row, name) + by for name in fields}) for row in history)


def test_curves_of_members_are_means_and_deviations():
    axes = plots.curves_of_members({"": HISTORIES}, "title", "test").axes
    assert [each.get_title() for each in axes] == ["cost", "loss", "accuracy (%)"]
    assert [text.get_text() for text in axes[1].get_legend().texts] == ["training", "test"]
    np.testing.assert_allclose([line.get_ydata() for line in axes[1].lines], [[2.5, 1.5], [3, 1]])
    np.testing.assert_allclose(axes[2].lines[1].get_ydata(), [20, 30])
    band = axes[2].collections[1].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((20 - 200**0.5, 30 + 200**0.5))


def test_one_run_has_no_band():
    assert all(not axes.collections for axes in plots.curves(HISTORIES[0], "title").axes)


def test_several_groups_have_training_and_validation_apart():
    figure = plots.curves_of_members({"low": HISTORIES, "high": [moved(HISTORIES[0], 0.3)]}, "title")
    assert len(figure.axes) == 6
    assert figure.axes[5].get_title() == "validation accuracy (%)"
    assert [text.get_text() for text in figure.legends[0].texts] == ["high", "low"]
    np.testing.assert_allclose([line.get_ydata() for line in figure.axes[5].lines], [[40, 70], [20, 30]])


def test_of_many_groups_the_best_are_drawn():
    figure = plots.curves_of_members({f"{i}": [moved(HISTORIES[0], i / 100)] for i in range(10)}, "title")
    assert [text.get_text() for text in figure.legends[0].texts] == [f"{i}" for i in range(9, 1, -1)]
    assert figure.get_suptitle() == "title; the best 8 of 10 in validation"


def test_of_histories_of_several_lengths_the_common_epochs_are_drawn():
    (cost, *_) = plots.curves_of_members({"": [HISTORIES[0], HISTORIES[1][:1]]}, "title").axes
    np.testing.assert_allclose(cost.lines[0].get_xydata(), [[1, 3]])


def test_templates_of_members_are_rows():
    W = np.zeros((14, 3072, 3))
    W[1, 0, 2] = 1
    names, classes = [f"member {k}" for k in range(14)], ["a", "b", "c"]
    figure = plots.templates_of_members(W, (3, 32, 32), names, "title", classes)
    rows = np.reshape(figure.axes, (12, 3))
    assert [axes.get_title() for axes in rows[0]] == classes
    assert [row[0].get_ylabel() for row in rows] == names[:12]
    assert figure.get_suptitle() == "title, the first 12 of 14"
    lit = [[axes.images[0].get_array()[0, 0, 0] for axes in row] for row in rows[:2]]
    np.testing.assert_array_equal(lit, [[0, 0, 0], [0, 0, 1]])


def test_class_templates_show_the_weights():
    weights = np.zeros((3072, 10))
    weights[:1024, 3] = np.linspace(-1, 1, 1024)  # class 3 looks for red, more and more downwards
    figure = plots.weights(weights, (3, 32, 32), "title", [f"class {i}" for i in range(10)])
    axes = figure.axes[3]
    assert axes.get_title() == "class 3"
    picture = axes.images[0].get_array()
    assert picture.shape == (32, 32, 3)
    np.testing.assert_allclose(picture[..., 0].ravel(), np.linspace(0, 1, 1024))
    np.testing.assert_allclose(picture[..., 1:], 0.5)


def test_weights_of_one_channel_are_gray():
    weights = np.linspace(-1, 1, 15)[:, None]
    (axes,) = plots.weights(weights, (1, 3, 5), "title", ["a"]).axes[:1]
    np.testing.assert_allclose(axes.images[0].get_array(), np.linspace(0, 1, 15).reshape(3, 5))
    assert axes.images[0].get_cmap().name == "gray"


@pytest.mark.parametrize("shape", [(16,), (2, 4, 2), (4, 4)])
def test_weights_that_are_no_pictures_are_refused(shape):
    with pytest.raises(ValueError, match=r"shape: expected .* with 1 or 3 channels, which can be drawn, got"):
        plots.weights(np.zeros((16, 2)), shape, "title")


@pytest.mark.parametrize(
    "backend",
    [
        *("module://matplotlib_inline.backend_inline", "tkagg", ""),
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("foo", "pdf")),
    ],
)
def test_pictures_need_no_backend_of_pyplot(tmp_path, backend):
    """Notebooks set MPLBACKEND for the programs that they start, too."""
    code = (
        "import os, sys; from anynet import plots; import numpy as np\n"
        "plots.step_errors([0.1, 0.2], {'central': np.ones(2)}).savefig(sys.argv[1])\n"
        "assert 'matplotlib.pyplot' not in sys.modules; print(os.environ['MPLBACKEND'])"
    )
    environment = os.environ | {"MPLBACKEND": backend, "PYTHONPATH": f"{Path(__file__).parents[2]}"}
    environment.pop("DISPLAY", None)
    command = [sys.executable, "-c", code, f"{tmp_path / 'picture.png'}"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{backend}\n", "")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
