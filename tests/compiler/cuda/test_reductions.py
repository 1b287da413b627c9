"""Reductions on the emulated GPU equal NumPy's: ties, NaN, and lengths that no number of threads divides."""

import cuda_on_cpu
import numpy as np
import pytest
from array_api_compat import array_namespace
from loops import recorded

from anynet.backends import Backend

SHAPES = [(1,), (5,), (33,), (7, 300), (300, 7), (1, 1031), (3, 5, 40)]

COLUMNS = [(300, 1), (300, 2), (32, 33), (299, 33), (1031, 10), (3, 64, 7), (2, 40, 3, 5), (2049, 40), (2048, 40)]
"""Arrays with adjacent columns, of which a block reduces some at a time; the last two are reduced in parts."""


def reduce(here: Backend, name: str, arrays: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Reduce arrays along each of their axes, as one recorded step. Returns the results and NumPy's."""
    axes = [(i, axis) for i, x in enumerate(arrays) for axis in range(x.ndim)]
    expected = [np.asarray(getattr(np, name)(arrays[i], axis=axis)) for i, axis in axes]

    def step(carry, shared, row):
        return tuple(getattr(array_namespace(row[i]), name)(row[i], axis=axis) for i, axis in axes)

    carry = tuple(here.asarray(np.zeros_like(result)) for result in expected)
    found = recorded(here).loop(step)(carry, (), tuple(here.asarray(x[None]) for x in arrays), int)
    return list(zip(map(here.to_host, found), expected, strict=True))


@pytest.mark.parametrize("order", cuda_on_cpu.ORDERS)
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_argmax_is_the_first_of_ties(emulated_cupy, monkeypatch, rng, dtype, order):
    monkeypatch.setattr(cuda_on_cpu, "order", order)
    for n in (1, 3):  # all numbers are equal, or the largest number occurs several times
        for found, expected in reduce(
            emulated_cupy, "argmax", [rng.integers(0, n, shape).astype(dtype) for shape in SHAPES]
        ):
            np.testing.assert_array_equal(found, expected)


def test_argmax_is_the_first_nan(emulated_cupy, rng):
    x = rng.integers(0, 3, (40, 33)).astype("float32")
    x[rng.random(x.shape) < 0.05] = np.nan
    for found, expected in reduce(emulated_cupy, "argmax", [x]):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["all", "any", "count_nonzero", "max", "mean", "min", "prod", "sum"])
def test_lengths_that_no_number_of_threads_divides(emulated_cupy, rng, name):
    values = {"all": [0, 1], "any": [0, 1], "prod": [-1, 1]}.get(name, [1, 2, 3, 4, 5])  # a lost one changes the sum
    arrays = [rng.choice(values, shape).astype("float64") for shape in SHAPES]
    for found, expected in reduce(emulated_cupy, name, arrays):
        np.testing.assert_allclose(found, expected, rtol=1e-14)
        assert found.dtype == expected.dtype


@pytest.mark.parametrize(  # the order decides about threads, the dtype about the kernel's source
    ("dtype", "order"),
    [
        pytest.param(dtype, order, marks=[pytest.mark.slow] * (dtype != "float32" and order != "random"))
        for dtype in ("bool", "uint8", "int64", "float32", "float64")
        for order in cuda_on_cpu.ORDERS
    ],
)
def test_columns_shared_by_the_warps_of_a_block(emulated_cupy, monkeypatch, rng, dtype, order):
    monkeypatch.setattr(cuda_on_cpu, "order", order)
    arrays = [rng.integers(0, 2 if dtype == "bool" else 50, shape).astype(dtype) for shape in COLUMNS]
    for name in ("count_nonzero", "any") if dtype == "bool" else ("sum", "max"):
        for found, expected in reduce(emulated_cupy, name, arrays):
            np.testing.assert_array_equal(found, expected)
            assert found.dtype == expected.dtype


@pytest.mark.parametrize("name", ["max", "min", "sum"])
def test_one_nan_in_a_column_is_found_by_every_thread(emulated_cupy, name):
    """NaN in any row, whichever thread reads it, spoils its own column alone."""
    n, m = 90, 33
    x = np.zeros((n, n, m), "float32")
    x[np.arange(n), np.arange(n), np.arange(n) % m] = np.nan
    for found, expected in reduce(emulated_cupy, name, [x]):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("order", cuda_on_cpu.ORDERS)
def test_sums_of_columns_are_the_same_in_every_order_of_threads(emulated_cupy, monkeypatch, order):
    """To the bit: rounding depends on the order of additions, which is fixed."""
    x = [np.random.default_rng(0).standard_normal(shape).astype("float32") for shape in COLUMNS]
    expected = [found for found, _ in reduce(emulated_cupy, "sum", x)]
    monkeypatch.setattr(cuda_on_cpu, "order", order)
    for (found, exact), first in zip(reduce(emulated_cupy, "sum", x), expected, strict=True):
        np.testing.assert_array_equal(found, first)
        np.testing.assert_allclose(found, exact, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("order", cuda_on_cpu.ORDERS)
@pytest.mark.parametrize("members", [(), (5,)])
def test_columns_among_other_phases_of_a_kernel(emulated_cupy, monkeypatch, rng, members, order):
    """The next phases read what one reduces; both reductions use the same shared memory."""
    monkeypatch.setattr(cuda_on_cpu, "order", order)
    x = rng.integers(-9, 10, (*members, 200, 40)).astype("float64")

    def step(carry, shared, row):
        (x,), xp = row, array_namespace(row[0])
        centered = x - xp.max(x, axis=-2, keepdims=True)
        return (xp.sum(centered * centered, axis=-2) + xp.min(x, axis=-2),)

    (found,) = recorded(emulated_cupy).loop(step)(
        (emulated_cupy.asarray(np.zeros((*members, 40))),), (), (emulated_cupy.asarray(x[None]),), int
    )
    expected = ((x - x.max(-2, keepdims=True)) ** 2).sum(-2) + x.min(-2)
    np.testing.assert_array_equal(emulated_cupy.to_host(found), expected)
