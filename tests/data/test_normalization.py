"""Normalization, compared with NumPy's mean and standard deviation in float64."""

import numpy as np
import pytest

from anynet.core.errors import TrainingWarning
from anynet.data import Normalization, normalization

N = 49
KINDS = ["none", "center", "center:pixel", "center:channel", "standardize", "standardize:pixel", "standardize:channel"]


@pytest.fixture
def images(rng):
    """Images whose pixels and channels differ in mean and deviation."""
    middle = np.repeat([60, 120, 180], 1024) + rng.uniform(-30, 30, 3072)
    width = np.repeat([10, 20, 15], 1024) * rng.uniform(0.5, 1.5, 3072)
    return np.clip(rng.normal(middle, width, (N, 3072)), 0, 255).astype(np.uint8)


def by_numpy(kind, images, training):
    """What is asked for, as textbooks write it, for shape (images, channels, pixels) in [0, 1]."""
    name, _, per = kind.partition(":")
    x, seen = (a.reshape(-1, 3, 1024).astype(np.float64) / 255 for a in (images, training))
    axes = (0, 2) if per == "channel" else (0,)
    if name != "none":
        x = x - seen.mean(axis=axes, keepdims=True)
    if name == "standardize":
        x = x / seen.std(axis=axes, keepdims=True)
    return x.reshape(len(images), 3072)


def as_images(values):
    return values.reshape(-1, 3, 32, 32)


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_are_numpys_formulas(kind, images, rng):
    chosen = normalization(kind, as_images(images))
    assert [(part.shape, part.dtype) for part in chosen] == [((3072,), np.float64)] * 2
    for others in (images, rng.integers(0, 256, (5, 3072), np.uint8)):
        np.testing.assert_allclose(chosen(others), by_numpy(kind, others, images), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("per", "axes"), [("pixel", 0), ("channel", (0, 2))])
def test_the_training_images_come_out_with_mean_0_and_deviation_1(per, axes, images):
    standardized = normalization(f"standardize:{per}", as_images(images))(images).reshape(N, 3, 1024)
    np.testing.assert_allclose(standardized.mean(axis=axes), 0, atol=1e-12)
    np.testing.assert_allclose(standardized.std(axis=axes), 1, rtol=1e-12)
    centered = normalization(f"center:{per}", as_images(images))(images).reshape(N, 3, 1024)
    np.testing.assert_allclose(centered.mean(axis=axes), 0, atol=1e-12)


@pytest.mark.parametrize("value", [0, 1, 77, 255])
def test_what_never_changes_is_centered_and_divided_by_1(value, images):
    unseen = images[:1].copy()
    images[:, 5] = value  # one pixel
    images[:, 2048:] = value  # one channel
    unseen[:, [5, 3000]] = 255 - value
    pixelwise, channelwise = (normalization(f"standardize:{per}", as_images(images)) for per in ("pixel", "channel"))
    np.testing.assert_array_equal(pixelwise(images)[:, [5, 3000]], 0)
    np.testing.assert_array_equal(channelwise(images)[:, 2048:], 0)
    expected = (255 - 2 * value) / 255
    np.testing.assert_allclose(pixelwise(unseen)[0, [5, 3000]], expected, rtol=1e-14)
    np.testing.assert_allclose(channelwise(unseen)[0, 3000], expected, rtol=1e-14)


def test_statistics_of_many_images_are_exact(rng):
    n = 10_007
    images = rng.integers(0, 256, (n, 3072), np.uint8)
    total = images.sum(axis=0, dtype=np.int64)
    squares = sum((part.astype(np.uint32) ** 2).sum(axis=0, dtype=np.int64) for part in np.array_split(images, 10))
    mean, variance = total / n, (n * squares - total**2) / n**2  # integers up to the division
    scale, shift = normalization("standardize", images)
    np.testing.assert_allclose(scale, 1 / np.sqrt(variance), rtol=1e-13)
    np.testing.assert_allclose(shift, -mean / np.sqrt(variance), rtol=1e-13)

    t, s = (int(part.reshape(3, 1024)[1].sum()) for part in (total, squares))
    scale, shift = normalization("standardize:channel", as_images(images))
    deviation = np.sqrt(s / (1024 * n) - (t / (1024 * n)) ** 2)
    np.testing.assert_allclose(scale[1024:2048], 1 / deviation, rtol=1e-13)
    np.testing.assert_allclose(shift[1024:2048], -t / (1024 * n) / deviation, rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["none", "center", "standardize:channel"])
def test_every_library_normalizes_in_the_dtype_of_the_statistics(xp, images, kind, dtype):
    if xp.dtype == "float32" != dtype:
        pytest.skip("this device has no float64")
    xp.dtype = dtype  # `call` then hands over statistics in this dtype, and refuses any other that comes back
    scale, shift = normalization(kind, as_images(images))
    actual = xp.call(lambda images, scale, shift: Normalization(scale, shift)(images), images, scale, shift)
    assert actual.dtype == dtype
    rtol = 1e-12 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(actual, by_numpy(kind, images, images), rtol=0, atol=rtol)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("standardise", 'normalize: there is no "standardise"; did you mean "standardize"\\?'),
        ("centre:channel", 'normalize: there is no "centre"; did you mean "center"\\?'),
        ("zzz", 'there is no "zzz"; there are "center", "none", "standardize"'),
        ("", 'there is no ""; there are'),
        ("center:row", 'expected center, center:pixel or center:channel, got "center:row"'),
        ("standardize:channel:pixel", 'standardize:channel, got "standardize:channel:pixel"'),
    ],
)
def test_unknown_kinds_are_refused_with_what_there_is(kind, message, images):
    with pytest.raises(ValueError, match=message):
        normalization(kind, images)


def test_channels_are_those_of_the_images(rng):
    images = rng.integers(0, 256, (5, 2, 7, 3), np.uint8)
    scale, shift = normalization("center:channel", images)
    np.testing.assert_allclose(-255 * shift, np.repeat(images.mean(axis=(0, 2, 3)), 21))
    assert np.array_equal(scale, np.full(42, 1 / 255))
    with pytest.raises(
        ValueError, match=r"^normalize: center:channel needs samples of shape \(channels, rows, columns\), "
    ):
        normalization("center:channel", images.reshape(5, 42))


COARSE = {
    "an offset": (lambda x: x + 1e9, "float32", "around "),
    "an offset in float64": (lambda x: x + 1e15, "float64", "around "),
    "integers": (lambda x: (100 * x).astype(np.int64) + 2**40, "float32", "around "),
    "subnormal numbers": (lambda x: x * 1e-42, "float32", "around "),
    "squares of 0": (lambda x: x * 1e-300, "float64", "by 0 around "),
}


@pytest.mark.parametrize("kind", ["center", "standardize"])
@pytest.mark.parametrize("name", COARSE)
def test_features_that_lose_their_digits_are_named(name, kind, rng):
    make, dtype, message = COARSE[name]
    x = rng.standard_normal((50, 3))
    with pytest.warns(TrainingWarning, match=rf"^x: feature 0 and 2 more vary too little for {dtype}, .*{message}"):
        chosen = normalization(kind, make(x), dtype)
    with np.errstate(over="raise"):
        assert all(np.isfinite(part.astype(dtype)).all() for part in chosen)


@pytest.mark.parametrize("make", [lambda x: x, lambda x: x + 1e5, lambda x: x * 1e-30, lambda x: 0 * x + 1e9])
@pytest.mark.filterwarnings("error")
def test_features_that_float32_tells_apart_are_taken_without_a_word(make, rng):
    x = make(rng.standard_normal((50, 3)))
    scale, shift = normalization("standardize", x, "float32")
    result = x.astype(np.float32) * scale.astype(np.float32) + shift.astype(np.float32)
    deviation = x.std(axis=0)
    np.testing.assert_allclose(result, (x - x.mean(axis=0)) / np.where(deviation > 0, deviation, 1), atol=0.05)
