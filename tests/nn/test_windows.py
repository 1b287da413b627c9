"""Layers with a window against their equations, place by place, and faults that these checks have to notice."""

from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
from numerical import assert_close

from anynet import AvgPool2d, Conv2d, MaxPool2d
from anynet.core.window import Window
from anynet.nn import convolution, max_pooling
from anynet.nn.window_views import put_back, views


class Case(NamedTuple):
    image: tuple[int, int]
    kernel: int | tuple[int, int]
    stride: int | tuple[int, int] = 1
    padding: str | int | tuple[int, ...] = "valid"
    n: int = 2


CASES = {
    "one pixel": Case((3, 4), 1),
    "image of one pixel": Case((1, 1), 3, 1, 1),
    "image of one pixel, same": Case((1, 1), 3, 2, "same"),
    "kernel of the image": Case((4, 3), (4, 3), n=1),
    "same": Case((4, 5), 3, 1, "same"),
    "same, even kernel": Case((5, 4), (2, 4), 1, "same"),
    "same, stride 2": Case((5, 4), 3, 2, "same"),
    "same, strides of both": Case((7, 6), (3, 2), (2, 3), "same", n=1),
    "same, stride above kernel": Case((5, 7), 2, 3, "same"),
    "valid, pixels left out": Case((6, 5), (3, 2), (2, 2)),
    "stride above kernel": Case((5, 7), (1, 2), 3),
    "strides that differ": Case((5, 5), 3, (2, 1)),
    "rows and columns": Case((4, 3), 3, 1, (1, 0)),
    "four sides": Case((3, 4), (3, 2), (2, 1), (2, 1, 0, 1)),
}
CHANNELS = {"one group": (3, 2, 1), "two groups": (4, 6, 2), "depthwise": (3, 3, 3), "two of each": (2, 4, 2)}
"""Numbers of channels of the input and of the output, and of groups."""


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def both(value):
    return (value, value) if isinstance(value, int) else value


def sides(case):
    """Pixels of padding above and below, and to the left and to the right; "same" as TensorFlow documents it."""
    if case.padding == "same":
        needed = [
            max(k - (size % s or s), 0)
            for size, k, s in zip(case.image, both(case.kernel), both(case.stride), strict=True)
        ]
        return [(each // 2, each - each // 2) for each in needed]
    given = 0 if case.padding == "valid" else case.padding
    top, bottom, left, right = given if isinstance(given, tuple) and len(given) == 4 else np.repeat(both(given), 2)
    return [(top, bottom), (left, right)]


def each_place(case, x, value=0.0):
    """Yield row and column in the result, and slices of the padded images, after these and their borders."""
    (rows, columns), (down, across), borders = both(case.kernel), both(case.stride), sides(case)
    images = np.pad(x.reshape(-1, *case.image, x.shape[-1]), [(0, 0), *borders, (0, 0)], constant_values=value)
    places = [
        [(i, slice(start, start + size)) for i, start in enumerate(range(0, length - size + 1, step))]
        for length, size, step in zip(images.shape[1:3], (rows, columns), (down, across), strict=True)
    ]
    return images, [(i, j, (slice(None), a, b)) for i, a in places[0] for j, b in places[1]]


def cropped(case, images):
    (top, _), (left, _) = sides(case)
    inner = images[:, top : top + case.image[0], left : left + case.image[1]]
    return inner.reshape(-1, images.shape[-1])


def drawn(case, channels, rng):
    return rng.standard_normal((case.n * case.image[0] * case.image[1], channels))


def check_convolution(case, channels, rng):
    n_in, n_out, groups = channels
    layer = Conv2d(
        n_out, case.kernel, stride=case.stride, padding=case.padding, groups=groups, n_in=n_in, image=case.image
    )
    x, w, b = drawn(case, n_in, rng), rng.standard_normal(layer.parameters()["W"].shape), rng.standard_normal(n_out)
    images, places = each_place(case, x)
    down, across = (1 + place for place in places[-1][:2])
    dy = rng.standard_normal((case.n, down, across, n_out))
    y, dx, dw = np.empty_like(dy), np.zeros_like(images), np.zeros_like(w)
    for g in range(groups):
        seen, given = (slice(g * n // groups, (g + 1) * n // groups) for n in (n_in, n_out))
        for i, j, place in places:
            patch = images[(*place, seen)]
            y[:, i, j, given] = np.einsum("nabc,abcd->nd", patch, w[..., given]) + b[given]
            dw[..., given] += np.einsum("nabc,nd->abcd", patch, dy[:, i, j, given])
            dx[(*place, seen)] += np.einsum("nd,abcd->nabc", dy[:, i, j, given], w[..., given])

    assert layer.size_out() == (down, across)
    found, cache, _ = layer.forward({"W": w, "b": b}, {}, x, train=True)
    assert_close(found, y.reshape(-1, n_out), 1e-13)
    found_dx, grads = layer.backward({"W": w, "b": b}, cache, dy.reshape(-1, n_out))
    assert_close(found_dx, cropped(case, dx), 1e-13)
    assert_close(grads["W"], dw, 1e-13)
    assert_close(grads["b"], dy.sum((0, 1, 2)), 1e-13)


def check_max_pooling(case, rng, x=None):
    layer = MaxPool2d(case.kernel, stride=case.stride, padding=case.padding, image=case.image)
    x = drawn(case, 2, rng) if x is None else x
    images, places = each_place(case, x, -np.inf)
    dy = rng.standard_normal((case.n, *(1 + place for place in places[-1][:2]), x.shape[-1]))
    y, dx = np.empty_like(dy), np.zeros_like(images)
    for i, j, place in places:
        patch = images[place].reshape(case.n, -1, x.shape[-1])
        first = np.argmax(patch, axis=1)[:, None]
        y[:, i, j] = np.take_along_axis(patch, first, 1)[:, 0]
        chosen = np.zeros_like(patch)
        np.put_along_axis(chosen, first, dy[:, None, i, j], 1)
        dx[place] += chosen.reshape(dx[place].shape)

    found, cache, _ = layer.forward({}, {}, x, train=True)
    np.testing.assert_array_equal(found, y.reshape(found.shape))
    assert_close(layer.backward({}, cache, dy.reshape(found.shape))[0], cropped(case, dx), 1e-13)


def check_mean_pooling(case, rng):
    layer = AvgPool2d(case.kernel, stride=case.stride, padding=case.padding, image=case.image)
    x = drawn(case, 2, rng)
    images, places = each_place(case, x)
    dy = rng.standard_normal((case.n, *(1 + place for place in places[-1][:2]), 2))
    y, dx = np.empty_like(dy), np.zeros_like(images)
    for i, j, place in places:
        y[:, i, j] = images[place].mean((1, 2))
        dx[place] += dy[:, i, j, None, None] / images[place][0, ..., 0].size
    found, cache, _ = layer.forward({}, {}, x, train=True)
    assert_close(found, y.reshape(found.shape), 1e-13)
    assert_close(layer.backward({}, cache, dy.reshape(found.shape))[0], cropped(case, dx), 1e-13)


@pytest.mark.parametrize("channels", CHANNELS.values(), ids=CHANNELS)
def test_convolutions(case, channels, rng):
    check_convolution(case, channels, rng)


def test_max_pooling(case, rng):
    check_max_pooling(case, rng)


def ties(case, rng):
    return rng.integers(0, 3, (case.n * case.image[0] * case.image[1], 4)).astype(float)


def test_of_equal_values_the_first_is_the_largest(case, rng):
    check_max_pooling(case, rng, ties(case, rng))


def test_mean_pooling(case, rng):
    check_mean_pooling(case, rng)


def test_max_pooling_hands_on_nan_and_minus_infinity():
    x = np.asarray([[np.nan, -np.inf], [1.0, -np.inf]])
    y, cache, _ = MaxPool2d((2, 1), image=(2, 1)).forward({}, {}, x, train=True)
    np.testing.assert_array_equal(y, [[np.nan, -np.inf]])
    dx, _ = MaxPool2d((2, 1), image=(2, 1)).backward({}, cache, np.ones((1, 2)))
    np.testing.assert_array_equal(dx, [[0, 1], [0, 0]])


def test_padding_takes_no_gradient_from_minus_infinities():
    layer, x = MaxPool2d(3, stride=1, padding="same", image=(4, 4)), np.full((16, 1), -np.inf)
    y, cache, _ = layer.forward({}, {}, x, train=True)
    dx, _ = layer.backward({}, cache, np.ones((16, 1)))
    assert y.max() == -np.inf
    np.testing.assert_array_equal(dx.reshape(4, 4), [[4, 2, 2, 0], [2, 1, 1, 0], [2, 1, 1, 0], [0, 0, 0, 0]])


# ---- faults


def flipped(x, w, window, groups):
    return convolution.convolve(x, np.flip(w, (-4, -3)), window, groups)


def shifted(x, w, window, groups):
    """One pixel of padding more above, one less below."""
    top, bottom, *others = window.padding
    return convolution.convolve(x, w, window._replace(padding=(top + 1, bottom - 1, *others)), groups)


def wrong_stride(x, dy, window, groups):
    """The strides of rows and columns exchanged: as many places, others."""
    return convolution.convolve_to_kernel(x, dy, window._replace(stride=window.stride[::-1]), groups)


def put_elsewhere(dy, w, window, groups):
    """Rows and columns of the kernel exchanged on the way back."""
    return convolution.convolve_to_input(dy, np.swapaxes(w, -4, -3), window, groups)


def groups_exchanged(dy, w, window, groups):
    return np.flip(convolution.convolve_to_input(dy, w, window, groups), -1)


def last_of_equal_ones(dy, x, y, window):
    """The gradient of a place to the last pixel with the largest value."""
    left, parts = y == y, []
    for a, b, view in reversed([*views(x, window, fill=-np.inf)]):
        hit = left & (view == y)
        left = left & ~hit
        parts.append(put_back(np.where(hit, dy, 0.0), a, b, window))
    return sum(parts)


def all_of_equal_ones(dy, x, y, window):
    return sum(put_back(np.where(view == y, dy, 0.0), a, b, window) for a, b, view in views(x, window, fill=-np.inf))


def padding_of_zeros(x, window):
    return np.maximum.reduce([view for _, _, view in views(x, window)])


def convolved(name, channels="one group"):
    return partial(check_convolution, CASES[name], CHANNELS[channels])


def with_ties(rng):
    check_max_pooling(CASES["same"], rng, ties(CASES["same"], rng))


FAULTS = {
    "a flipped kernel": ("conv2d.convolve", flipped, convolved("valid, pixels left out")),
    "a shifted padding": ("conv2d.convolve", shifted, convolved("same")),
    "a wrong stride": ("conv2d.convolve_to_kernel", wrong_stride, convolved("strides that differ")),
    "an element put elsewhere": ("conv2d.convolve_to_input", put_elsewhere, convolved("same")),
    "groups exchanged": ("conv2d.convolve_to_input", groups_exchanged, convolved("one pixel", "two of each")),
    "the last of equal ones": (
        "pooling.max_pool_to_input",
        last_of_equal_ones,
        with_ties,
    ),
    "all of equal ones": (
        "pooling.max_pool_to_input",
        all_of_equal_ones,
        with_ties,
    ),
    "a padding of zeros": ("pooling.max_pool", padding_of_zeros, partial(check_max_pooling, CASES["four sides"])),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_noticed(monkeypatch, rng, fault):
    place, wrong, check = FAULTS[fault]
    check(np.random.default_rng(1))
    monkeypatch.setattr(f"anynet.nn.{place}", wrong)
    with pytest.raises(AssertionError):
        check(np.random.default_rng(1))


def test_the_last_of_equal_ones_is_a_fault_of_ties_alone(monkeypatch, case, rng):
    """Without ties it is right, so that the check of ties is what finds it."""
    monkeypatch.setattr("anynet.nn.pooling.max_pool_to_input", last_of_equal_ones)
    check_max_pooling(case, rng)


def test_a_window_that_is_shifted_in_all_operations_is_noticed(monkeypatch, rng):
    """Derivatives that fit each other are no proof: the padding of an odd pixel belongs below and to the right."""
    plain = Window

    def above(image, kernel, stride=(1, 1), padding=(0, 0, 0, 0)):
        top, bottom, left, right = padding
        return plain(image, kernel, stride, (bottom, top, right, left))

    monkeypatch.setattr("anynet.nn.padding.Window", above)
    with pytest.raises(AssertionError):
        check_convolution(CASES["same, stride 2"], CHANNELS["one group"], rng)


def test_operations_have_the_shapes_that_they_say(case, rng):
    """Those that a record takes without running the definition."""
    layer = Conv2d(2, case.kernel, stride=case.stride, padding=case.padding, n_in=3, image=case.image)
    x, w, window = drawn(case, 3, rng), rng.standard_normal(layer.parameters()["W"].shape), layer.window
    y = convolution.convolve(x, w, window, 1)
    for operation, args in (
        (convolution.convolve, (x, w, window, 1)),
        (convolution.convolve, (x, np.stack([w, w]), window, 1)),
        (convolution.convolve_to_input, (y, w, window, 1)),
        (convolution.convolve_to_kernel, (x, np.stack([y, y]), window, 1)),
        (max_pooling.max_pool, (x, window)),
        (max_pooling.max_pool_to_input, (y[:, :1], x[:, :1], y[:, :1], window)),
    ):
        assert operation.definition(*args).shape == operation.shape(*args), operation
