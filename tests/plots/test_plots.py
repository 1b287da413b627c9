"""Pictures of runs: curves over the epochs, and first-layer weights."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from laid_out import laid_out

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
    figure = plots.curves_of_members({"": HISTORIES}, "title", "test")
    axes = figure.axes
    assert [each.get_title() for each in axes] == ["cost", "loss", "accuracy (%)"]
    assert [text.get_text() for text in figure.legends[0].texts] == ["training", "test"]
    np.testing.assert_allclose([line.get_ydata() for line in axes[1].lines], [[2.5, 1.5], [3, 1]])
    np.testing.assert_allclose(axes[2].lines[1].get_ydata(), [20, 30])
    band = axes[2].collections[1].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((20 - 200**0.5, 30 + 200**0.5))


def test_one_run_has_no_band_but_a_mark_of_the_best_epoch():
    figure = plots.curves(HISTORIES[1], "title")
    assert all(not axes.collections for axes in figure.axes)
    assert [text.get_text() for text in figure.legends[0].texts] == ["training", "validation", "best epoch, 1"]
    for axes, height in zip(figure.axes, (3, 4, 30), strict=True):
        *_, line, ring = axes.lines
        assert list(line.get_xdata()) == [1, 1]
        np.testing.assert_allclose(ring.get_xydata(), [[1, height]])


def losses(cost, loss, val_loss):
    """A history without accuracies."""
    rows = zip(cost, loss, val_loss, strict=True)
    return History(Epoch(i, 0.1, c, t, None, c, v, None, 1.0) for i, (c, t, v) in enumerate(rows, start=1))


def test_equal_cost_and_loss_share_a_panel():
    (axes,) = plots.curves(losses([2, 1], [2, 1], [2, 1]), "title").axes
    assert axes.get_title() == "loss = cost"
    assert [each.get_title() for each in plots.curves(losses([2, 1], [2, 1], [2, 2]), "title").axes] == ["cost", "loss"]


@pytest.mark.parametrize(("last", "expected"), [(0.1, "log"), (1.0, "linear")])
def test_losses_over_decades_have_logarithmic_axes(last, expected):
    figure = plots.curves(losses([3.0, last], [3.0, last], [3.0, last]), "title")
    assert figure.axes[0].get_yscale() == expected


def test_numbers_that_are_not_finite_are_counted():
    (axes,) = plots.curves(losses(*[[3.0, math.inf, 1.0]] * 3), "title").axes
    assert axes.get_title() == "loss = cost (2 not finite)"
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [3, math.nan, 1])


def long_history(epochs):
    return History(
        Epoch(i, 0.1, 4 / i, 3 / i, 0.5, 5 / i, 3 + 1 / i, 0.5, 1.0) for i in range(1, epochs + 1)
    )  # fmt: skip


LONG = "cifar10: 3072-512-512-512-512-10, BatchNorm, ReLU, " * 5


@pytest.mark.parametrize("epochs", [1, 1000])
def test_texts_of_curves_are_apart(epochs):
    texts = laid_out(plots.curves(long_history(epochs), f"{LONG}\nresults", note=LONG))
    assert {"cost", "training", "validation", f"best epoch, {epochs}", "epoch"} <= set(texts)
    assert any(text.replace("\n", " ").startswith(LONG[:200]) for text in texts)


def test_texts_of_many_groups_are_apart():
    groups = {f"lr {i / 100:g}, hidden {'512,' * (i % 9)}512": [moved(HISTORIES[0], i / 100)] for i in range(30)}
    texts = laid_out(plots.curves_of_members(groups, LONG, note=LONG))
    assert sum(text.startswith("lr ") for text in texts) == 7
    assert any("the best 7 of 30 in validation" in text.replace("\n", " ") for text in texts)


def test_several_groups_have_training_and_validation_apart():
    figure = plots.curves_of_members({"low": HISTORIES, "high": [moved(HISTORIES[0], 0.3)]}, "title")
    assert len(figure.axes) == 6
    assert figure.axes[5].get_title() == "validation accuracy (%)"
    assert [text.get_text() for text in figure.legends[0].texts] == ["high", "low"]
    np.testing.assert_allclose([line.get_ydata() for line in figure.axes[5].lines], [[40, 70], [20, 30]])


def test_of_many_groups_the_best_are_drawn():
    figure = plots.curves_of_members({f"{i}": [moved(HISTORIES[0], i / 100)] for i in range(10)}, "title")
    assert [text.get_text() for text in figure.legends[0].texts] == [f"{i}" for i in range(9, 2, -1)]
    assert figure.get_suptitle() == "title; the best 7 of 10 in validation"


def test_of_histories_of_several_lengths_the_common_epochs_are_drawn():
    (cost, *_) = plots.curves_of_members({"": [HISTORIES[0], HISTORIES[1][:1]]}, "title").axes
    np.testing.assert_allclose(cost.lines[0].get_xydata(), [[1, 3]])


def tiles(axes, across, shape):
    """Images of a figure, by the places of the texts below them."""
    image, found = axes.images[0].get_array(), {}
    down = len(axes.texts) // across
    height, width = (image.shape[0] - shape[0]) // max(down - 1, 1), (image.shape[1] - shape[1]) // (across - 1)
    for i, text in enumerate(axes.texts):
        top, left = i // across * height, i % across * width
        found.setdefault(text.get_text(), []).append(image[top : top + shape[0], left : left + shape[1]])
    return found


def test_templates_of_members_are_rows():
    W = np.zeros((14, 3072, 3))
    W[1, 0, 2] = 1
    names, classes = [f"member {k}" for k in range(14)], ["a", "b", "c"]
    figure = plots.templates_of_members(W, (3, 32, 32), names, "title", classes)
    (axes,) = figure.axes
    beside = [text for text in axes.texts if text.get_text() in names]
    assert [text.get_text() for text in beside] == names[:12]
    assert figure.get_suptitle() == "title, the first 12 of 14"
    for text in beside:
        text.remove()
    lit = [np.max(tile) for tile in tiles(axes, 3, (32, 32))["c"]]
    assert lit == [0, 1, *[0] * 10]


def test_class_templates_show_the_weights():
    weights = np.zeros((3072, 10))
    weights[:1024, 3] = np.linspace(-1, 1, 1024)  # class 3 looks for red, more and more downwards
    (axes,) = plots.weights(weights, (3, 32, 32), "title", [f"class {i}" for i in range(10)]).axes
    assert [text.get_text() for text in axes.texts] == [f"class {i}" for i in range(10)]
    (picture,) = tiles(axes, 5, (32, 32))["class 3"]
    np.testing.assert_allclose(picture[..., 0].ravel(), np.linspace(0, 1, 1024))
    np.testing.assert_allclose(picture[..., 1:], 0.5)


def test_weights_of_hidden_units_are_sorted_by_norm_and_numbered():
    weights = np.outer(np.linspace(-1, 1, 15), np.arange(70) % 41)
    figure = plots.weights(weights, (1, 3, 5), "title")
    (axes,) = figure.axes
    norms = np.linalg.norm(weights, axis=0)
    numbers = [int(text.get_text()) for text in axes.texts]
    assert len(set(numbers)) == 64
    np.testing.assert_allclose(norms[numbers], np.sort(norms)[:-65:-1])
    assert figure.get_suptitle() == "title, the largest 64 of 70"
    gray = axes.images[0].get_array()[:3, :5]
    np.testing.assert_allclose(gray, np.broadcast_to(np.linspace(0, 1, 15).reshape(3, 5, 1), (3, 5, 3)))
    laid_out(figure)


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
