"""Augmentation on every array library, against a loop over images that pads, slices and reverses."""

import numpy as np
import pytest

from anynet.data import Augmentation
from anynet.data.augmentation import crop, mirror

N = 12
SHAPE = (N, 3, 32, 32)


@pytest.fixture(params=["uint8", "float"])
def pictures(request, rng):
    """With no black pixel, so that a border can be told from the picture; the fractions are exact in float32."""
    pixels = rng.integers(1, 256, SHAPE, np.uint8)
    return pixels if request.param == "uint8" else pixels / 4 + 0.5


def mirrored_by_hand(pictures, mirrored):
    return np.stack([p[:, :, ::-1] if m else p for p, m in zip(pictures, mirrored, strict=True)])


def cropped_by_hand(pictures, offset, width):
    windows = []
    for picture, (row, column) in zip(pictures, offset, strict=True):
        bordered = np.pad(picture, [(0, 0), (width, width), (width, width)])
        windows.append(bordered[:, row : row + 32, column : column + 32])
    return np.stack(windows)


def corners(width):
    """Every corner and side that a window can lie at, and what is between."""
    places = [0, width, 2 * width]
    return np.array([(row, column) for row in places for column in places] + [(1, 0), (0, 1), (2 * width - 1, 1)])


def assert_same(actual, expected):
    """Equal, and of the same kind of dtype: uint8 stays uint8."""
    np.testing.assert_array_equal(actual, expected)
    assert actual.dtype.kind == expected.dtype.kind
    assert actual.dtype.kind == "f" or actual.dtype == expected.dtype


def test_mirrored_are_the_pictures_named_and_no_others(xp, pictures):
    mirrored = np.arange(N) % 3 == 0
    assert_same(xp.call(mirror, pictures, mirrored), mirrored_by_hand(pictures, mirrored))


@pytest.mark.parametrize("width", [1, 4, 40])
def test_cropped_is_the_window_at_the_offset(xp, pictures, width):
    offset = corners(width)
    actual = xp.call(lambda pictures, offset: crop(pictures, offset, width), pictures, offset)
    assert_same(actual, cropped_by_hand(pictures, offset, width))


def test_a_window_in_the_middle_is_the_picture(xp, pictures):
    offset = np.full((N, 2), 4)
    assert_same(xp.call(lambda pictures, offset: crop(pictures, offset, 4), pictures, offset), pictures)


@pytest.mark.parametrize(
    "augmentation", [Augmentation(), Augmentation(True), Augmentation(crop=2), Augmentation(True, 4)]
)
def test_images_are_mirrored_and_then_cropped_by_their_draws(xp, pictures, augmentation):
    draws = augmentation.draw(seed=0, epoch=0, n=N)
    expected = pictures
    if augmentation.flip:
        expected = mirrored_by_hand(expected, draws["mirrored"])
    if augmentation.crop:
        expected = cropped_by_hand(expected, draws["offset"], augmentation.crop)
    actual = xp.call(lambda images, draws: augmentation(images, draws), pictures.reshape(N, 3072), draws)
    assert_same(actual, expected.reshape(N, 3072))
    assert np.array_equal(actual, pictures.reshape(N, 3072)) == (augmentation == Augmentation())


def test_about_half_are_mirrored():
    mirrored = Augmentation(flip=True).draw(seed=0, epoch=0, n=100_000)["mirrored"]
    assert (mirrored.dtype, mirrored.shape) == (bool, (100_000,))
    assert abs(mirrored.mean() - 0.5) < 0.01  # six standard deviations
    assert abs((mirrored[1:] == mirrored[:-1]).mean() - 0.5) < 0.01


@pytest.mark.parametrize("width", [1, 4])
def test_windows_start_everywhere_equally_often(width):
    n, places = 100_000, (2 * width + 1) ** 2
    offset = Augmentation(crop=width).draw(seed=0, epoch=0, n=n)["offset"]
    assert (offset.dtype, offset.shape) == (np.int64, (n, 2))
    assert (offset.min(), offset.max()) == (0, 2 * width)
    counts = np.bincount(offset @ [2 * width + 1, 1], minlength=places)  # rows with columns: neither follows the other
    assert np.abs(counts - n / places).max() < 6 * np.sqrt(n / places)


def test_draws_depend_on_seed_and_epoch_only():
    both, flip, crops = Augmentation(True, 4), Augmentation(flip=True), Augmentation(crop=4)
    seen = {}
    for seed, epoch in ((0, 0), (0, 1), (1, 0), (1, 1)):
        draws = both.draw(seed, epoch, 200)
        assert draws.keys() == {"mirrored", "offset"}
        for name, again in (both.draw(seed, epoch, 200) | flip.draw(seed, epoch, 200)).items():
            np.testing.assert_array_equal(again, draws[name])
        np.testing.assert_array_equal(crops.draw(seed, epoch, 200)["offset"], draws["offset"])
        for name, values in draws.items():
            seen.setdefault(name, set()).add(values.tobytes())
    assert {name: len(different) for name, different in seen.items()} == {"mirrored": 4, "offset": 4}
    assert Augmentation().draw(0, 0, 200) == {}
