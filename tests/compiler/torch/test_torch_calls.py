"""Operations that PyTorch runs by other functions than the array API's, against NumPy."""

import numpy as np
import pytest
from array_api_compat import array_namespace

import anynet as an

SPECIAL = [0.0, -0.0, 1e-45, -3e38, np.inf, -np.inf, np.nan]


def run(step, carry, row):
    """Run one recorded step."""
    torch = pytest.importorskip("torch")
    carry, row = torch.from_numpy(carry), torch.from_numpy(row)
    return an.backend("torch:cpu").loop(step)(carry, None, row[None], lambda n: None).numpy()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_means_of_a_large_matrix(dtype, keepdims, axis):
    x = np.random.default_rng(0).normal(3, 1, (40, 300)).astype(dtype)
    expected = x.astype(np.float64).mean(axis=axis, keepdims=keepdims)

    def step(carry, shared, row):
        return carry + array_namespace(row).mean(row, axis=axis, keepdims=keepdims)

    actual = run(step, np.zeros(expected.shape, dtype), x)
    np.testing.assert_allclose(actual, expected, rtol=20 * np.finfo(dtype).eps)


def test_means_of_a_transposed_matrix():
    x = np.random.default_rng(0).normal(3, 1, (300, 40))

    def step(carry, shared, row):
        return carry + array_namespace(row).mean(row.T, axis=-1)

    np.testing.assert_allclose(run(step, np.zeros(40), x), x.mean(axis=0), rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_finite_numbers(dtype):
    x = np.asarray(SPECIAL, dtype)

    def step(carry, shared, row):
        xp = array_namespace(row)
        return xp.astype(xp.isfinite(row), carry.dtype) + 0 * carry

    np.testing.assert_array_equal(run(step, np.zeros(len(x), dtype), x), np.isfinite(x))
