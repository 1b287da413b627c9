"""Pictures of accuracy over settings: grid maps, and the trials of a search."""

import itertools

import numpy as np
import pytest
from laid_out import laid_out

from anynet.plots import grid_map, trials
from anynet.plots.grid_map import is_grid

LRS, L2S = (0.1, 0.001, 0.01), (1.0, 0.0)
POINTS = [{"l2": l2, "lr": lr} for lr, l2 in itertools.product(LRS, L2S)]


def texts(axes):
    return {text.get_position(): text.get_text() for text in axes.texts}


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


@pytest.mark.parametrize(
    ("points", "full"),
    [
        (POINTS, True),
        (POINTS[:-1], False),
        ([*POINTS[:-1], POINTS[0]], False),
        ([{"l2": 0.0, "lr": lr} for lr in LRS], False),
        ([{"l2": i, "lr": i} for i in range(9)], False),
    ],
)
def test_a_grid_is_all_combinations(points, full):
    assert is_grid(points) == full


def test_a_grid_of_two_fields_is_cells():
    accuracies = {(0, 0): 0.3, (1, 0): 0.2, (0, 1): 0.4, (1, 1): None, (0, 2): 0.1, (1, 2): 0.25}
    at = {(0.0, 1.0).index(p["l2"]) + 3 * (0.001, 0.01, 0.1).index(p["lr"]): p for p in POINTS}
    scores = [(at[i + 3 * j], accuracy) for (i, j), accuracy in accuracies.items()]
    axes, bar = trials(scores, "title", lambda value: f"{value:g}").axes
    np.testing.assert_allclose(axes.images[0].get_array().filled(np.nan), [[30, 20], [40, np.nan], [10, 25]])
    assert (ticks(axes.xaxis), ticks(axes.yaxis)) == (["0", "1"], ["0.001", "0.01", "0.1"])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("l2", "lr")
    assert texts(axes) == {
        (0, 0): "30.0", (1, 0): "20.0", (0, 1): "40.0", (1, 1): "diverged", (0, 2): "10.0", (1, 2): "25.0",
    }  # fmt: skip
    assert [frame.get_xy() for frame in axes.patches] == [(-0.5, 0.5)]
    assert bar.get_ylabel().startswith("validation accuracy (%)")


def test_points_that_are_no_grid_stay_points():
    axes, _ = trials([(point, 0.5) for point in POINTS[:-1]], "title").axes
    assert not axes.images
    assert len(axes.collections[0].get_offsets()) == len(POINTS) - 1


def test_a_third_setting_has_panels():
    found = [({**point, "epochs": epochs}, 0.01 * epochs) for point in POINTS for epochs in (20, 10)]
    first, second, _ = grid_map(found, ["l2", "lr", "epochs"], "title").axes
    assert (first.get_title(), second.get_title()) == ("epochs 10", "epochs 20")
    assert set(texts(first).values()) == {"10.0"}
    assert first.images[0].get_clim() == second.images[0].get_clim() == (10, 20)


def test_where_all_diverged():
    (axes, _) = trials([(point, None) for point in POINTS], "title").axes
    assert set(texts(axes).values()) == {"diverged"}
    assert not axes.patches


SCORES = [({"lr": lr, "hidden": hidden, "flip": flip}, accuracy) for lr, hidden, flip, accuracy in (
    (0.01, "50", True, 0.5), (0.1, "", False, 0.4), (0.5, "50", False, 0.3), (1.0, "50,50", True, None),
)]  # fmt: skip


def named(value):
    return {True: "yes", False: "no", "": "none"}.get(value, str(value))


def test_settings_that_are_searched_alone_have_panels():
    """Numbers over two decades on a logarithmic axis, words on one of their own; diverged trials at the bottom."""
    figure = trials(SCORES, "title", named, states=["finished", "finished", "pruned", "diverged"])
    lr, hidden, flip = figure.axes
    assert [axes.get_xscale() for axes in (lr, hidden, flip)] == ["log", "linear", "linear"]
    finished, pruned, best, diverged = (each.get_offsets() for each in lr.collections)
    np.testing.assert_allclose(finished, [[0.01, 50], [0.1, 40]])
    np.testing.assert_allclose(pruned, [[0.5, 30]])
    np.testing.assert_allclose(best, [[0.01, 50]])
    assert diverged[:, 0] == [1.0]
    assert (ticks(flip.xaxis), ticks(hidden.xaxis)) == (["no", "yes"], ["50", "50,50", "none"])
    legend = ["finished", "pruned", "best, 50.00%", "diverged"]
    assert [text.get_text() for text in figure.legends[0].texts] == legend
    laid_out(figure)


def test_ranges_say_which_axes_are_logarithmic():
    points = [({"lr": 0.1 + i / 10, "dropout": 10.0**-i, "momentum": 10.0**-i}, 0.5) for i in range(4)]
    axes = trials(points, "title", log={"lr": True, "dropout": False}).axes
    assert [each.get_xscale() for each in axes] == ["log", "linear", "log"]


@pytest.mark.parametrize("settings", [2, 8])
def test_importances_have_a_panel_and_panels_wrap(settings):
    names = [f"a setting {i}" for i in range(settings)]
    scores = [({name: 10.0 ** (i * j % 5 - 3) for j, name in enumerate(names, 1)}, 0.5 - i / 100) for i in range(9)]
    figure = trials(scores, "title " * 40, importances={name: 1 / settings for name in names})
    bars = next(axes for axes in figure.axes if axes.get_xlabel() == "importance")
    assert [bar.get_width() for bar in bars.patches] == pytest.approx([1 / settings] * settings)
    assert ticks(bars.yaxis) == names
    assert {f"{1 / settings:.0%}"} <= set(laid_out(figure))
    rows = {round(axes.get_position().y1, 2) for axes in figure.axes if axes.get_label() != "<colorbar>"}
    assert len(rows) == {2: 1, 8: 3}[settings]


def test_points_of_two_settings_have_markers_of_their_states():
    scores = [({"lr": 0.1 * i, "l2": 0.1 * (i % 3)}, None if i == 9 else 0.9 - 0.1 * i) for i in range(1, 10)]
    states = [*["finished"] * 5, *["pruned"] * 2, *["diverged"] * 2]
    figure = trials(scores, "title", states=states)
    found = [(each.get_label(), len(each.get_offsets())) for each in figure.axes[0].collections]
    assert found == [("finished", 5), ("pruned", 2), ("diverged", 1), ("best, 80.00%", 1), ("diverged", 1)]
    laid_out(figure)


def test_cells_say_what_was_pruned_and_have_no_numbers_where_there_are_many():
    states = ["finished", "pruned", *["finished"] * 4]
    axes, _ = grid_map([(point, 0.5) for point in POINTS], ["l2", "lr"], "title", states=states).axes
    assert sorted(texts(axes).values()) == [*["50.0"] * 5, "50.0\npruned"]
    many = [({"l2": i, "lr": 0.001 * j}, None if i == j else i / 40) for i in range(30) for j in range(25)]
    figure = grid_map(many, ["l2", "lr"], "title")
    assert set(texts(figure.axes[0]).values()) == {"", "x"}
    laid_out(figure)


def test_many_panels_of_a_third_setting_wrap():
    found = [({**point, "epochs": epochs}, 0.01 * epochs) for point in POINTS for epochs in range(1, 12)]
    figure = grid_map(found, ["l2", "lr", "epochs"], "title")
    assert len({round(axes.get_position().y1, 2) for axes in figure.axes[:11]}) > 1
    assert figure.get_figwidth() < 13
    laid_out(figure)
