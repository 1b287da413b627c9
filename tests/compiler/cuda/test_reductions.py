"""Reductions on the emulated GPU equal NumPy's: ties, NaN, and lengths that no number of threads divides."""

import cuda_on_cpu
import numpy as np
import pytest
from array_api_compat import array_namespace
from loops import recorded

from anynet.backends import Backend

SHAPES = [(1,), (5,), (33,), (7, 300), (300, 7), (1, 1031), (3, 5, 40)]


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
    low, high = (0, 2) if name in ("all", "any", "prod") else (-5, 6)
    arrays = [rng.integers(low, high, shape).astype("float64") for shape in SHAPES]
    for found, expected in reduce(emulated_cupy, name, arrays):
        np.testing.assert_allclose(found, expected, rtol=1e-14)
        assert found.dtype == expected.dtype
