"""Augmentation on every array library, against a loop over images that pads, slices and reverses."""

import numpy as np
import pytest

from anynet import backend
from anynet.data import Augmentation, Loader, Normalization, Split
from anynet.data.image_changes import crop, flip, outside, reverse

N = 12
SHAPE = (N, 3, 32, 32)


@pytest.fixture(params=["uint8", "float"])
def pictures(request, rng):
    """With no black pixel, so that a border can be told from the picture; the fractions are exact in float32."""
    pixels = rng.integers(1, 256, SHAPE, np.uint8)
    return pixels if request.param == "uint8" else pixels / 4 + 0.5


def flipped_by_hand(pictures, flipped):
    return np.stack([p[:, :, ::-1] if m else p for p, m in zip(pictures, flipped, strict=True)])


def reversed_by_hand(pictures, chosen):
    return np.stack([p[::-1, ::-1, ::-1] if r else p for p, r in zip(pictures, chosen, strict=True)])


def cropped_by_hand(pictures, offset, width, border="black"):
    windows, mode = [], "constant" if border == "black" else border
    for picture, (row, column) in zip(pictures, offset, strict=True):
        bordered = np.pad(picture, [(0, 0), (width, width), (width, width)], mode)
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
    flipped = np.arange(N) % 3 == 0
    assert_same(xp.call(flip, pictures, flipped), flipped_by_hand(pictures, flipped))


def test_reversed_are_the_images_named_and_no_others(xp, pictures):
    chosen = np.arange(N) % 3 == 0
    expected = reversed_by_hand(pictures, chosen).reshape(N, 3072)
    assert_same(xp.call(reverse, pictures.reshape(N, 3072), chosen), expected)


@pytest.mark.parametrize("width", [1, 40])
def test_cropped_is_the_window_at_the_offset(xp, pictures, width):
    offset = corners(width)
    actual = xp.call(lambda pictures, offset: crop(pictures, offset, width), pictures, offset)
    assert_same(actual, cropped_by_hand(pictures, offset, width))


@pytest.mark.parametrize("width", [1, 31])
@pytest.mark.parametrize("last", [True, False], ids=["channels last", "planar"])
def test_borders_are_reflected(xp, pictures, width, last):
    """As by PyTorch's and NumPy's padding, without the outermost pixels once more."""
    offset = corners(width)
    expected = cropped_by_hand(pictures, offset, width, "reflect")
    given, axes = (np.moveaxis(pictures, 1, -1).copy(), (1, 2)) if last else (pictures, (2, 3))
    actual = xp.call(lambda images, offset: crop(images, offset, width, "reflect", axes), given, offset)
    assert_same(actual, np.moveaxis(expected, 1, -1) if last else expected)


def test_channels_may_be_last(xp, pictures):
    offset, flipped, last = corners(3), np.arange(N) % 3 == 0, np.moveaxis(pictures, 1, -1).copy()
    actual = xp.call(lambda images, offset: crop(images, offset, 3, axes=(1, 2)), last, offset)
    assert_same(actual, np.moveaxis(cropped_by_hand(pictures, offset, 3), 1, -1))
    actual = xp.call(lambda images, flipped: flip(images, flipped, axis=2), last, flipped)
    assert_same(actual, np.moveaxis(flipped_by_hand(pictures, flipped), 1, -1))


@pytest.mark.parametrize(("shape", "axes"), [((3, 8, 6), (2, 3)), ((8, 6, 3), (1, 2))])
def test_what_is_outside_of_a_square(xp, shape, axes):
    corner = np.array([(0, 0), (5, 3), (4, 1)])
    planar = np.ones((3, 3, 8, 6), bool)
    for mask, (row, column) in zip(planar, corner, strict=True):
        mask[:, row : row + 3, column : column + 3] = False
    actual = xp.call(lambda corner: outside(corner, 3, shape, axes), corner)
    np.testing.assert_array_equal(actual, planar if axes == (2, 3) else np.moveaxis(planar, 1, -1))


def test_a_window_in_the_middle_is_the_picture(xp, pictures):
    offset = np.full((N, 2), 4)
    assert_same(xp.call(lambda pictures, offset: crop(pictures, offset, 4), pictures, offset), pictures)


@pytest.mark.parametrize(
    "augmentation",
    [
        Augmentation(),
        Augmentation(crop=2),
        Augmentation(True, 4, True),
    ],
)
def test_images_are_reversed_then_mirrored_then_cropped_by_their_draws(xp, pictures, augmentation):
    draws = augmentation.draw(seed=0, epoch=0, order=np.arange(N), batch_size=5)
    expected = pictures
    if augmentation.reverse:
        expected = reversed_by_hand(expected, draws["reversed"])
    if augmentation.flip:
        expected = flipped_by_hand(expected, draws["flipped"])
    if augmentation.crop:
        expected = cropped_by_hand(expected, draws["offset"], augmentation.crop)
    actual = xp.call(lambda images, draws: augmentation(images, draws), pictures.reshape(N, 3072), draws)
    assert_same(actual, expected.reshape(N, 3072))
    assert np.array_equal(actual, pictures.reshape(N, 3072)) == (augmentation == Augmentation())


def test_images_are_mirrored_in_turns(rng):
    """Half of them, drawn at random, in the even epochs, the others in the odd ones, whatever the order."""
    augmentation, order = Augmentation(alternate_flip=True), rng.permutation(10_000)
    first = augmentation.draw(3, 0, np.arange(10_000), 10)["flipped"]
    assert abs(first.mean() - 0.5) < 0.03  # six standard deviations
    for epoch in range(4):
        flipped = augmentation.draw(3, epoch, order, 10)["flipped"]
        np.testing.assert_array_equal(flipped, (first if epoch % 2 == 0 else ~first)[order])


def test_squares_lie_everywhere_equally_often():
    n, side, (rows, columns) = 60_000, 5, (8, 6)
    augmentation, order = Augmentation(cutout=side, shape=(1, rows, columns)), np.arange(n)[::-1]
    corner = augmentation.draw(0, 0, order, 10)["corner"]
    np.testing.assert_array_equal(corner, augmentation.draw(0, 0, np.arange(n), 7)["corner"][::-1])
    assert not np.array_equal(corner, augmentation.draw(0, 1, order, 10)["corner"])
    counts = np.bincount(corner @ [2, 1], minlength=8)
    assert corner.min() == 0
    assert corner[:, 1].max() == 1
    assert len(counts) == 8
    assert np.abs(counts - n / 8).max() < 6 * np.sqrt(n / 8)
    kept = augmentation.kept({"corner": corner[:7]}).reshape(7, rows, columns)
    assert (~kept).sum(axis=(1, 2)).tolist() == [25] * 7
    assert Augmentation(flip=True).kept({}) is None


def test_cut_out_values_are_zero_after_normalization(rng):
    images = rng.integers(0, 256, (6, 12), np.uint8)
    loader = Loader(Split(images, np.arange(6), (3, 2, 2)), backend("numpy"))
    normalize = Normalization(np.full(12, 2.0), np.full(12, 3.0))
    for batch in loader.shuffled(4, 0, 0, Augmentation(cutout=1, shape=(3, 2, 2))):
        x, expected = batch.inputs(normalize), 2.0 * images[batch.y] + 3
        cut = (x == 0).reshape(-1, 3, 4)
        np.testing.assert_array_equal(x, np.where(x == 0, 0, expected))
        assert (cut[:, :1] == cut).all()
        assert (cut.sum(axis=-1) == 1).all()


def test_channels_last_are_changed_in_the_same_way(pictures):
    settings = {"crop": 3, "border": "reflect", "reverse": True, "flip": True, "cutout": 5}
    draws = Augmentation(**settings).draw(0, 0, np.arange(N), batch_size=5)
    planar, last = (Augmentation(**settings, channels_last=each) for each in (False, True))
    for one, other in (
        (planar(pictures.reshape(N, -1), draws), last(np.moveaxis(pictures, 1, -1).reshape(N, -1), draws)),
        (planar.kept(draws), last.kept(draws)),
    ):
        np.testing.assert_array_equal(other.reshape(N, 32, 32, 3), np.moveaxis(one.reshape(SHAPE), 1, -1))


def test_about_half_are_mirrored():
    flipped = Augmentation(flip=True).draw(0, 0, np.arange(100_000), batch_size=100)["flipped"]
    assert (flipped.dtype, flipped.shape) == (bool, (100_000,))
    assert abs(flipped.mean() - 0.5) < 0.01  # six standard deviations
    assert abs((flipped[1:] == flipped[:-1]).mean() - 0.5) < 0.01


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_about_half_of_the_batches_are_reversed_and_each_as_a_whole(batch_size):
    batches, short = 10_000, batch_size // 2
    order = np.arange(batches * batch_size + short)
    chosen = Augmentation(reverse=True).draw(0, 0, order, batch_size)["reversed"]
    assert (chosen.dtype, chosen.shape) == (bool, order.shape)
    whole = chosen[: batches * batch_size].reshape(batches, batch_size)
    assert (whole == whole[:, :1]).all()
    assert len(set(chosen[batches * batch_size :])) == min(short, 1)
    assert abs(whole[:, 0].mean() - 0.5) < 0.03  # six standard deviations
    assert abs((whole[1:, 0] == whole[:-1, 0]).mean() - 0.5) < 0.03


@pytest.mark.parametrize("width", [1, 4])
def test_windows_start_everywhere_equally_often(width):
    n, places = 100_000, (2 * width + 1) ** 2
    offset = Augmentation(crop=width).draw(0, 0, np.arange(n), batch_size=100)["offset"]
    assert (offset.dtype, offset.shape) == (np.int64, (n, 2))
    assert (offset.min(), offset.max()) == (0, 2 * width)
    counts = np.bincount(offset @ [2 * width + 1, 1], minlength=places)  # rows with columns: neither follows the other
    assert np.abs(counts - n / places).max() < 6 * np.sqrt(n / places)


def test_draws_depend_on_seed_and_epoch_only():
    combined = Augmentation(True, 4, True)
    alone = [Augmentation(True), Augmentation(crop=4), Augmentation(reverse=True)]
    order, seen = np.arange(200), {}
    for seed, epoch in ((0, 0), (0, 1), (1, 0), (1, 1)):
        draws = combined.draw(seed, epoch, order, 10)
        assert draws.keys() == {"flipped", "offset", "reversed"}
        for augmentation in (combined, *alone):
            for name, again in augmentation.draw(seed, epoch, order, 10).items():
                np.testing.assert_array_equal(again, draws[name])
        for name, values in draws.items():
            seen.setdefault(name, set()).add(values.tobytes())
    assert {name: len(different) for name, different in seen.items()} == {"flipped": 4, "offset": 4, "reversed": 4}
    assert Augmentation().draw(0, 0, order, 10) == {}


def test_flips_and_crops_belong_to_the_image_and_reversals_to_the_place(rng):
    augmentation, order = Augmentation(True, 4, True), rng.permutation(200)
    as_they_stand = augmentation.draw(0, 0, np.arange(200), batch_size=10)
    shuffled = augmentation.draw(0, 0, order, batch_size=10)
    for name in ("flipped", "offset"):
        np.testing.assert_array_equal(shuffled[name], as_they_stand[name][order])
        np.testing.assert_array_equal(augmentation.draw(0, 0, order, batch_size=7)[name], shuffled[name])
    np.testing.assert_array_equal(shuffled["reversed"], as_they_stand["reversed"])


def test_draws_stay_repeatable():
    """Written down once: where these change, so does every run that used them."""
    draws = Augmentation(True, 4, True).draw(42, 3, np.arange(8), batch_size=1)
    assert draws["flipped"].astype(int).tolist() == [1, 1, 0, 0, 1, 0, 0, 0]
    assert draws["offset"][:4].tolist() == [[8, 8], [7, 4], [6, 1], [8, 4]]
    assert draws["reversed"].astype(int).tolist() == [1, 1, 0, 1, 0, 0, 0, 1]
