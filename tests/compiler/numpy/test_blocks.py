"""Elementwise operations in blocks: which of their arrays take turns."""

from collections.abc import Callable

import numpy as np
import pytest
from array_api_compat import array_namespace
from loops import RECORDED

from anynet.compiler import trace
from anynet.compiler.numpy import blocks
from anynet.compiler.numpy.target import xp
from anynet.core.typing import Array

X, Y = np.random.default_rng(0).standard_normal((2, 5, 8))


def choose(x: Array, y: Array) -> Array:
    """A choice between two results that nothing else needs, by a third."""
    return array_namespace(x).where(x > y, x + 1, y * 2) - 1


def choose_the_other(x: Array, y: Array) -> Array:
    second, first = y * 2, x + 1
    return array_namespace(x).where(x > y, first, second) - 1


def choose_by_results(x: Array, y: Array) -> Array:
    """All three arguments are bools, as the result is."""
    return array_namespace(x).astype(array_namespace(x).where(x > y, x > 0, y > 0), x.dtype)


def choose_twice(x: Array, y: Array) -> Array:
    where = array_namespace(x).where
    return where(x < 0, where(x > y, x + 1, y * 2), y - x)


def choose_a_number(x: Array, y: Array) -> Array:
    where = array_namespace(x).where
    return where(x > y, where(x > 0, 3.0, x + 1), 2.0)


def take(x: Array, y: Array) -> Array:
    """Rows are taken from what the group does not make."""
    return (array_namespace(x).take(x, array_namespace(x).asarray([4, 4, 0, 1, 2]), axis=0) + y) * 2


STEPS = (choose, choose_the_other, choose_by_results, choose_twice, choose_a_number, take)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "SIZE", 16)
    monkeypatch.setattr(blocks, "LARGE", 2)


@pytest.mark.parametrize("function", STEPS)
def test_a_result_is_not_written_over_an_argument_that_is_read_later(function: Callable[..., Array]) -> None:
    loop = RECORDED.loop(lambda carry, shared, row: function(carry, row))
    np.testing.assert_array_equal(loop(X, None, Y[None], int), function(X, Y))


def test_arrays_are_reused_in_the_same_order_each_time() -> None:
    def function(x: Array, y: Array) -> Array:
        a, b, c = x + 1, y + 1, x - y
        return array_namespace(x).maximum(a, b) * c + (x * y)

    def reused() -> list[int]:
        graph = trace(function, xp, X, Y)
        arrays = blocks._small_arrays(graph.nodes, set(graph.nodes))
        numbers: dict[int, int] = {}
        return [numbers.setdefault(id(array), len(numbers)) for array in map(arrays.__getitem__, graph.nodes)]

    #       x + 1, y + 1, x - y, maximum, * c, x * y, +
    assert [reused() for _ in range(20)] == [[0, 1, 2, 0, 1, 0, 2]] * 20
