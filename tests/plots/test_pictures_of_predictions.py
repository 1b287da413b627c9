"""Pictures of predictions have the numbers that they are drawn from."""

import numpy as np

from anynet import plots


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_counts_are_in_a_matrix_that_has_room():
    counts = np.asarray([[7, 1, 0], [0, 5, 2], [0, 0, 3]])
    (axes,) = plots.confusion_matrix(counts, ["a", "b", "$c"], "t").axes
    assert texts(axes) == ["7", "1", "5", "2", "3"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "$c"]
    np.testing.assert_allclose(axes.images[0].get_array()[0], [7 / 8, 1 / 8, 0])
    (axes,) = plots.confusion_matrix(np.eye(300, dtype=int), [str(k) for k in range(300)], "t").axes
    assert texts(axes) == []


def test_reliability_shows_bins_that_are_not_empty():
    edges, empty = np.linspace(0, 1, 4), np.nan
    above, below = plots.reliability(
        edges, np.asarray([0, 3, 1]), np.asarray([empty, 0.5, 0.9]), np.asarray([empty, 1.0, 0.0]), "t"
    ).axes
    assert [bar.get_height() for bar in above.patches] == [1.0, 0.0]
    assert [bar.get_height() for bar in below.patches] == [0, 0.75, 0.25]


def test_the_lowest_f1_is_at_the_top():
    rates = np.asarray([0.9, 0.2, np.nan])
    (axes,) = plots.class_bars(["good", "bad", "none"], rates, rates, rates, "t").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["none", "bad", "good"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]


def test_mistakes_say_what_was_said_and_what_is_right():
    x = np.random.default_rng(0).integers(0, 256, (7, 1, 8, 8), np.uint8)
    chances = np.linspace(0.9, 0.6, 7)
    (axes,) = plots.mistake_tiles(x, np.arange(7) + 10, ["cat"] * 7, ["dog"] * 7, chances, 1 - chances, "t").axes
    assert texts(axes)[:3] == ["said cat 90.0%", "is dog 10.0%", "sample 10"]
    assert len(texts(axes)) == 21


def test_numbers_have_a_panel_each():
    true = np.random.default_rng(0).normal(size=(20, 8))
    made = plots.predicted_numbers(true, true + 1, np.asarray([3, 4]), "t")
    assert len(made.axes) == 6
    np.testing.assert_allclose(made.axes[1].collections[1].get_offsets(), np.stack([true, true + 1], -1)[[3, 4], 1])
    assert made.axes[0].get_xlabel() == "true"
    assert len(made.axes[0].collections[0].get_offsets()) == 20
