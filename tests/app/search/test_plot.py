"""What the picture of a search shows."""

import itertools

import numpy as np
import pytest

from anynet.app.search.plot import picture
from anynet.app.search.trial import Trial
from anynet.plots.grid_map import grid_map, is_grid

LRS, L2S = (0.1, 0.001, 0.01), (1.0, 0.0)
POINTS = [{"l2": l2, "lr": lr} for lr, l2 in itertools.product(LRS, L2S)]


def trial(settings, accuracy):
    state = "finished" if accuracy else "diverged"
    return Trial(1, "coarse", "drawn", state, settings, accuracy, 1, accuracy, accuracy, accuracy, 1.0, "")


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
    trials = [trial(at[i + 3 * j], accuracy) for (i, j), accuracy in accuracies.items()]
    axes, bar = picture(trials).axes
    np.testing.assert_allclose(axes.images[0].get_array().filled(np.nan), [[30, 20], [40, np.nan], [10, 25]])
    assert (ticks(axes.xaxis), ticks(axes.yaxis)) == (["0", "1"], ["0.001", "0.01", "0.1"])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("l2", "lr")
    assert texts(axes) == {
        (0, 0): "30.0", (1, 0): "20.0", (0, 1): "40.0", (1, 1): "diverged", (0, 2): "10.0", (1, 2): "25.0",
    }  # fmt: skip
    assert [frame.get_xy() for frame in axes.patches] == [(-0.5, 0.5)]
    assert bar.get_ylabel().startswith("validation accuracy (%)")


def test_points_that_are_no_grid_stay_points():
    axes, _ = picture([trial(point, 0.5) for point in POINTS[:-1]]).axes
    assert not axes.images
    assert len(axes.collections[0].get_offsets()) == len(POINTS) - 1


def test_a_third_setting_has_panels():
    found = [({**point, "epochs": epochs}, 0.01 * epochs) for point in POINTS for epochs in (20, 10)]
    first, second, _ = grid_map(found, ["l2", "lr", "epochs"], "title").axes
    assert (first.get_title(), second.get_title()) == ("epochs 10", "epochs 20")
    assert set(texts(first).values()) == {"10.0"}
    assert first.images[0].get_clim() == second.images[0].get_clim() == (10, 20)


def test_where_all_diverged():
    (axes, _) = picture([trial(point, None) for point in POINTS]).axes
    assert set(texts(axes).values()) == {"diverged"}
    assert not axes.patches
