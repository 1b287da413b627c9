"""Pictures of accuracy over settings: grid maps, and the trials of a search."""

import itertools

import numpy as np
import pytest

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


def test_settings_that_are_searched_alone_have_panels():
    """Numbers over two decades on a logarithmic axis, words on one of their own; diverged trials at the bottom."""
    scores = [({"lr": lr, "hidden": hidden, "flip": flip}, accuracy) for lr, hidden, flip, accuracy in (
        (0.01, "50", True, 0.5), (0.1, "", False, 0.4), (1.0, "50,50", True, None),
    )]  # fmt: skip
    lr, hidden, flip = trials(scores, "title", lambda value: {True: "yes", False: "no"}.get(value, value)).axes
    assert [axes.get_xscale() for axes in (lr, hidden, flip)] == ["log", "linear", "linear"]
    points, best, diverged = lr.lines
    np.testing.assert_allclose(points.get_xydata(), [[0.01, 50], [0.1, 40]])
    np.testing.assert_allclose(best.get_xydata(), [[0.01, 50]])
    np.testing.assert_allclose(diverged.get_xdata(), [1.0])
    assert {"yes", "no"} == set(ticks(flip.xaxis))
    assert [text.get_text() for text in lr.get_legend().texts] == ["best", "diverged"]
