"""Pictures of nets: kernels of a convolution, outputs of a layer, and images that are confused."""

import io

import numpy as np
import pytest
from laid_out import laid_out
from matplotlib.figure import Figure

from anynet.core.picture_bytes import pictures
from anynet.plots import confused_images, convolution_kernels, feature_maps

RNG = np.random.default_rng(0)


def shown(axes):
    """Values that an image shows; NaN between its tiles."""
    return np.ma.filled(axes.images[0].get_array(), np.nan)


def drawn(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file)
    return file.getvalue()


def labels(axes):
    return [text.get_text() for text in axes.texts]


def test_kernels_of_three_channels_have_their_colors():
    W = RNG.uniform(0.5, 1, (8, 9, 3, 5)) * [1, 2, 5, 4, 3]  # the norms are in this order
    figure = convolution_kernels(W, "title")
    (axes,) = figure.axes
    image = shown(axes)
    assert labels(axes) == ["2", "3", "4", "1", "0"]
    assert image.shape == (19, 29, 3)  # of two rows of three tiles
    np.testing.assert_allclose(image[11:, 10:19], 0.5 + 0.5 * W[..., 0] / W[..., 0].max())
    np.testing.assert_array_equal(image[8:11], 1)
    laid_out(figure)


def test_kernels_of_one_channel_have_a_color_for_each_sign():
    W = RNG.standard_normal((8, 8, 1, 2)) * [10, 0.1]
    (axes,) = convolution_kernels(W, "title").axes
    image = shown(axes)
    np.testing.assert_allclose(image[:, 9:], W[..., 0, 1] / np.abs(W[..., 0, 1]).max())
    assert np.isnan(image[:, 8]).all()
    assert axes.images[0].get_clim() == (-1, 1)


def test_kernels_of_other_channels_have_a_row_of_tiles_each():
    W = RNG.standard_normal((8, 8, 2, 3)) * [10, 1, 0.1]
    W = W[..., [1, 2, 0]]
    figure = convolution_kernels(W, "title")
    (axes,) = figure.axes
    image, largest = shown(axes), np.abs(W).max(axis=(0, 1, 2))
    np.testing.assert_allclose(image[18:, :8], W[..., 0, 1] / largest[1])
    np.testing.assert_allclose(image[9:17, 9:], W[..., 1, 0] / largest[0])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("input channel", "output channel")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["2", "0", "1"]
    laid_out(figure)


def test_small_kernels_are_enlarged_and_zeros_are_drawn():
    W = np.zeros((1, 1, 3, 2))
    W[..., 1] = [1, 0, -1]
    (axes,) = convolution_kernels(W, "title").axes
    image = shown(axes)
    assert labels(axes) == ["1", "0"]
    np.testing.assert_array_equal(image[:, :8], np.broadcast_to([1, 0.5, 0], (8, 8, 3)))
    np.testing.assert_array_equal(image[:, 9:], np.full((8, 8, 3), 0.5))


@pytest.mark.parametrize(
    ("shape", "title"),
    [
        ((3, 3, 3, 70), "title, the largest 64 of 70"),
        ((3, 3, 17, 17), "title, the largest 16 of 17, the first 16 of 17 input channels"),
        ((3, 3, 1, 64), "title"),
    ],
)
def test_titles_say_which_kernels_are_drawn(shape, title):
    assert convolution_kernels(np.ones(shape), "title").get_suptitle() == title


def test_feature_maps_are_tiles_beside_their_image():
    x = RNG.integers(0, 256, (2, 3, 6, 6), np.uint8)
    maps = RNG.random((2, 10, 8, 8))
    figure = feature_maps(x, maps, "title")
    images = [axes for axes in figure.axes if axes.images]
    assert len(images) == 4
    np.testing.assert_array_equal(shown(images[2]), x[1].transpose(1, 2, 0))
    tiles = shown(images[3])
    assert tiles.shape == (17, 71)  # of two rows of eight
    np.testing.assert_allclose(tiles[9:, 9:17], maps[1, 9])
    assert np.isnan(tiles[9:, 18:]).all()
    assert [label.get_text() for label in images[3].get_yticklabels()] == ["0", "8"]
    assert [label.get_text() for label in images[3].get_xticklabels()] == [f"+{c}" for c in range(8)]
    laid_out(figure)


@pytest.mark.parametrize("sign", [1, -1])
def test_feature_maps_share_a_scale_that_few_values_are_beyond(sign):
    maps = np.full((2, 4, 20, 20), 0.5)
    maps[1] = 2
    maps[0, 0, 0, 0] = 100 * sign
    scales = {axes.images[0].get_clim() for axes in feature_maps(np.zeros((2, 1, 4, 4)), maps, "title").axes[1:4:2]}
    assert scales == {(0, 2) if sign > 0 else (-2, 2)}


def test_features_are_cells():
    features = RNG.standard_normal((1, 40))
    figure = feature_maps(np.zeros((1, 1, 4, 4)), features, "title")
    cells = shown(figure.axes[1])[::8, ::8]
    np.testing.assert_allclose(cells, [features[0, :32], [*features[0, 32:], *[np.nan] * 24]])
    assert [label.get_text() for label in figure.axes[1].get_yticklabels()] == ["0", "32"]
    laid_out(figure)


def test_titles_say_which_outputs_are_drawn():
    figure = feature_maps(np.zeros((9, 1, 4, 4)), np.zeros((9, 65, 2, 2)), "title")
    assert figure.get_suptitle() == "title, the first 8 of 9 images, the first 64 of 65 channels"
    figure = feature_maps(np.zeros((1, 1, 4, 4)), np.zeros((1, 2000)), "title")
    assert figure.get_suptitle() == "title, the first 1,024 of 2,000 features"


def texts(figure):
    (axes,) = figure.axes
    return [(text.get_text(), text.get_color()) for text in axes.texts]


RED, GRAY, BLACK = "#c00000", "0.35", "black"
PROBABILITIES = np.asarray([[0.2, 0.7, 0.1], [0.5, 0.3, 0.2], [0.0, 0.1, 0.9], [0.1, 0.8, 0.1], [0.3, 0.2, 0.5]])
LABELS = np.asarray([0, 0, 0, 1, 2])


def test_images_of_each_class_are_sorted_by_the_probability_of_a_wrong_class():
    x = RNG.integers(0, 256, (5, 3, 12, 12), np.uint8)
    figure = confused_images(x, PROBABILITIES, LABELS, ["cat", "dog", "frog"], "data")
    assert figure.get_suptitle() == "data: images that are confused most"
    assert texts(figure) == [
        ("cat\n33% right", BLACK), ("90%: frog", RED), ("70%: dog", RED), ("30%: dog", GRAY),
        ("dog\n100% right", BLACK), ("10%: cat", GRAY), ("frog\n100% right", BLACK), ("30%: cat", GRAY),
    ]  # fmt: skip
    image = shown(figure.axes[0])
    for i, left in ((2, 0), (0, 13), (1, 26)):
        np.testing.assert_array_equal(image[:12, left : left + 12], x[i].transpose(1, 2, 0))
    assert (image[:12, 12] == 255).all()


def test_one_class_has_all_rows():
    x, y = RNG.integers(0, 256, (60, 1, 8, 8), np.uint8), np.asarray([0] * 50 + [1] * 10)
    chances = RNG.dirichlet(np.ones(2), 60)
    figure = confused_images(x, chances, y, ["no", "yes"], "data", only=0)
    assert (
        figure.get_suptitle() == f"data: no, {(chances[:50, 0] > 0.5).mean():.0%} right: images that are confused most"
    )
    given = [text.split(":")[0] for text, _ in texts(figure)]
    assert given == [f"{chance:.0%}" for chance in sorted(chances[:50, 1], reverse=True)[:40]]


def test_of_many_classes_those_with_the_lowest_accuracy_are_drawn():
    """Class k has two images, of which the first is always right and the second for k < 5; class 29 has none."""
    y = np.arange(58) % 29
    predicted = np.where((y < 5) | (np.arange(58) < 29), y, (y + 1) % 29)
    figure = confused_images(np.zeros((58, 1, 8, 8)), np.eye(30)[predicted], y, [f"{k}" for k in range(30)], "data")
    assert figure.get_suptitle().endswith("most, of the 20 of 29 classes with the lowest accuracy")
    beside = [text for text, color in texts(figure) if color == BLACK]
    assert beside == [f"{k}\n50% right" for k in range(5, 25)]


NAMES = ["n02119789_kit_fox_and_more", "price in $ and $ again", "golden retriever, a young one", "x" * 60]


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 8, 8), (1, 10, 40), (5, 300, 200)])
def test_long_names_do_not_overlap(shape):
    chances = RNG.dirichlet(np.ones(4), 40)
    figure = confused_images(np.zeros((40, *shape), np.uint8), chances, np.arange(40) % 4, NAMES, "data")
    assert len(laid_out(figure)) == 38


def test_images_are_drawn_in_color_whatever_they_hold():
    gray = np.asarray([[[[0, 255]]]], np.uint8)
    np.testing.assert_array_equal(pictures(gray), [[[[0, 0, 0], [255, 255, 255]]]])
    floats = np.asarray([[[[-1.0, 1.0]]], [[[5.0, 5.0]]]])
    np.testing.assert_array_equal(pictures(floats)[..., 0], [[[0, 255]], [[0, 0]]])
    five = np.zeros((1, 5, 1, 1), np.uint8)
    five[0, 0] = 250
    np.testing.assert_array_equal(pictures(five), np.full((1, 1, 1, 3), 50))
    assert pictures(np.zeros((1, 3, 300, 200), np.uint8)).shape == (1, 100, 67, 3)


def test_pictures_can_be_written():
    assert drawn(convolution_kernels(np.ones((3, 3, 4, 2)), "a title with $")).startswith(b"\x89PNG")
    assert drawn(feature_maps(np.zeros((1, 2, 4, 9)), np.zeros((1, 1)), "a title with $")).startswith(b"\x89PNG")
