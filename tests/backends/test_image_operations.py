"""Convolution and max-pooling by functions of the array libraries, in recorded steps, against the definitions."""

from copy import copy

import numpy as np
import pytest
from image_operations import MEMBERS, TILES, WINDOWS, convolution, pooling, recorded

from anynet.backends import BackendError, backend
from anynet.nn.max_pooling import max_pool, max_pool_to_input


@pytest.fixture(params=["torch:cpu", "jax:cpu"])
def chosen(request):
    try:
        return backend(request.param)
    except BackendError as error:
        pytest.skip(str(error))


def check(chosen, calls, rtol=1e-12):
    for operation, args in calls:
        expected = operation.definition(*args)
        actual = recorded(chosen, operation, args)
        np.testing.assert_allclose(
            actual, expected, rtol=rtol, atol=rtol * np.abs(expected[np.isfinite(expected)]).max()
        )


def test_definitions_are_not_called(chosen):
    def refuse(*args):
        raise AssertionError("the definition was called")

    for operation, args in (*convolution(WINDOWS["stride"], 2, MEMBERS["members"]), *pooling(TILES["2 x 2"], ((), ()))):
        if (chosen.name, operation.name) != ("jax", "max_pool"):
            expected, other = operation.definition(*args), copy(operation)
            other.definition = refuse
            np.testing.assert_allclose(recorded(chosen, other, args), expected, atol=1e-12)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_convolution(chosen, window, groups):
    check(chosen, convolution(window, groups, MEMBERS["one"]))


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("members", MEMBERS.values(), ids=MEMBERS)
def test_convolution_of_members(chosen, members, groups):
    check(chosen, convolution(WINDOWS["stride"], groups, members))


@pytest.mark.parametrize(("batch", "channels"), [(1, 1), (1, 4), (5, 1)])
def test_convolution_of_few(chosen, batch, channels):
    check(chosen, convolution(WINDOWS["3 x 3, same"], 1, MEMBERS["one"], batch=batch, channels=channels))


@pytest.mark.parametrize("window", TILES.values(), ids=TILES)
def test_max_pooling_with_ties(chosen, window):
    check(chosen, pooling(window, MEMBERS["one"]))


@pytest.mark.parametrize("members", MEMBERS.values(), ids=MEMBERS)
def test_gradient_after_max_pooling(chosen, members):
    window = TILES["3 x 3, padded"]
    _, (operation, (dy, x, *_)) = pooling(window, members, special=[np.nan])

    def both(dy, x):
        return max_pool_to_input(dy, x, max_pool(x, window), window)

    expected = operation.definition(dy, x, max_pool.definition(x, window), window)
    np.testing.assert_allclose(recorded(chosen, both, (dy, x), shape=expected.shape), expected, atol=1e-12)


@pytest.mark.parametrize("window", [TILES["2 x 2, odd"], TILES["overlapping"]], ids=["apart", "overlapping"])
def test_max_pooling_of_special_values(chosen, window):
    check(chosen, pooling(window, MEMBERS["one"], special=[np.nan, np.inf, -0.0], batch=9))


def test_max_pooling_of_minus_infinities(chosen):
    """The padding has no part in the gradient. PyTorch's own gives it one where the padding differs among sides."""
    _, (operation, (dy, x, y, window)) = pooling(TILES["3 x 3, padded"], MEMBERS["one"])
    check(chosen, [(operation, (dy, np.full_like(x, -np.inf), np.full_like(y, -np.inf), window))])


@pytest.mark.parametrize("members", MEMBERS.values(), ids=MEMBERS)
def test_max_pooling_of_members(chosen, members):
    check(chosen, pooling(TILES["3 x 3, padded"], members, batch=1, channels=1))


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_convolutions_added_to_zeros(monkeypatch, window, groups):
    pytest.importorskip("torch")
    monkeypatch.setattr("anynet.compiler.torch.image_calls.LARGE", 0)
    for operation, args in convolution(window, groups, MEMBERS["shared images"]):
        expected = operation.definition(*args)
        actual = recorded(backend("torch:cpu"), operation, args, dtype="float32")
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
