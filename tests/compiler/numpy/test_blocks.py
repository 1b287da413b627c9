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
    monkeypatch.setattr(blocks, "SIZE", 24 * 16)
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
        turns = blocks._turns({node: node.inputs for node in graph.nodes}, set(graph.nodes))
        return [turns[node] for node in graph.nodes]

    #       x + 1, y + 1, x - y, maximum, * c, x * y, +
    assert [reused() for _ in range(20)] == [[0, 1, 2, 0, 1, 0, 2]] * 20


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
@pytest.mark.parametrize("shape", [(1,), (7,), (1000,), (40, 30), (3, 40, 30), (2, 999)])
def test_blocks_cover_an_array_once(shape: tuple[int, ...], size: int) -> None:
    seen = np.zeros(shape, int)
    for block in blocks.blocks(shape, size):
        assert 0 < seen[block].size <= size
        assert seen[block].flags.c_contiguous
        seen[block] += 1
    assert (seen == 1).all()


def test_blocks_are_of_about_equal_lengths() -> None:
    lengths = [seen.stop - seen.start for (seen,) in blocks.blocks((1000,), 300)]
    assert lengths == [256, 256, 256, 232]


def test_results_that_only_the_group_needs_are_computed_in_the_place_of_a_later_one() -> None:
    """Unless an argument of the group is there."""

    def places(step: Callable[..., Array]) -> list[int]:
        """Number the arrays that the operations on the first block write to."""
        graph = trace(step, xp, X, None, Y)
        calls = RECORDED.target.program(graph, 1, []).calls[:3]
        outs = [args[-1].ctypes.data for _, args in calls]
        return [outs.index(out) for out in outs]

    assert places(lambda x, shared, y: x + array_namespace(y).sum((y * 2 + 1) * 3)) == [0, 0, 0]
    assert places(lambda x, shared, y: (y * 2 + 1) * x) == [0, 0, 2]
