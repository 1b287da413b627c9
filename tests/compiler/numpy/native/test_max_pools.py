"""Native max-pooling: what its definition gives, for every window."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("llvmlite")

from native_calls import call_once

from anynet.compiler.graph import Node
from anynet.compiler.numpy.native import max_pools
from anynet.core.window import Window
from anynet.nn.max_pooling import max_pool, max_pool_to_input


def native(operation, parts, *args):
    out = np.full(operation.shape(*args), 7, args[0].dtype)
    node = Node(operation.name, args, {}, out)
    node.definition = operation.definition
    kernel = max_pools.kernel(node, args, {}, out)
    assert kernel is not None
    call_once(kernel, parts)
    return out


def pixels(rng, dtype, *shape):
    """Few values, so that there are ties; NaN, and infinities of both signs."""
    x = rng.integers(-2, 3, shape).astype(dtype)
    for special in (np.nan, np.inf, -np.inf):
        x[rng.random(shape) < 0.03] = special
    return x


@pytest.mark.parametrize("channels", [1, 40])
def test_padding_takes_no_gradient_from_minus_infinities(channels):
    window = Window((4, 4), (3, 3), padding=(1, 1, 1, 1))
    x, dy = np.full((32, channels), -np.inf), np.random.default_rng(0).standard_normal((32, channels))
    expected = max_pool_to_input.definition(dy, x, x, window)
    np.testing.assert_allclose(native(max_pool_to_input, 1, dy, x, x, window), expected, rtol=1e-14)


@st.composite
def windows(draw):
    rows, columns = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding = [draw(st.integers(0, size - 1)) for size in (rows, rows, columns, columns)]
    image = draw(st.tuples(st.integers(rows, 7), st.integers(columns, 7)))
    return Window(image, (rows, columns), draw(st.tuples(st.integers(1, 3), st.integers(1, 3))), tuple(padding))


@given(
    window=windows(),
    seed=st.integers(0, 99),
    dtype=st.sampled_from(["float32", "float64"]),
    channels=st.sampled_from([1, 3, 16, 21, 40]),
    members=st.sampled_from([(), (2,)]),
    shared=st.booleans(),
    parts=st.integers(1, 3),
)
@settings(max_examples=15, deadline=None)
def test_it_is_the_definition(window, seed, dtype, channels, members, shared, parts):
    rng, n = np.random.default_rng(seed), 3
    x = pixels(rng, dtype, *members, n * window.image[0] * window.image[1], channels)
    y = native(max_pool, parts, x, window)
    np.testing.assert_array_equal(y, max_pool.definition(x, window))
    if shared and members:  # the members' x is one
        x, y = x[0], np.stack([y[0]] * 2)
    dy = rng.standard_normal(y.shape).astype(dtype)
    dx = native(max_pool_to_input, parts, dy, x, y, window)
    np.testing.assert_allclose(dx, max_pool_to_input.definition(dy, x, y, window), rtol=1e-5, atol=1e-6)
