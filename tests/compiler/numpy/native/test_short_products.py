import numpy as np
import pytest

pytest.importorskip("llvmlite")

from native_calls import call_once

from anynet.compiler.graph import Node
from anynet.compiler.numpy.native import short_products

REGISTERS = {"this": None, "AVX-512": (64, 32), "AVX2": (32, 16), "SSE": (16, 16)}


def kernel_of(a, b, out):
    return short_products.kernel(Node("matmul", (a, b), {}, out), (a, b), {}, out)


def operands(rng, shape, *, turned, dtype):
    """Small integers, whose products and sums are exact in any order."""
    array = rng.integers(-9, 10, (*shape[:-2], *(shape[:-3:-1] if turned else shape[-2:]))).astype(dtype)
    return array.mT if turned else array


def assert_exact(a, b):
    """Write the product into a part of a vector, around which nothing may change."""
    expected = a.astype(np.float64) @ b.astype(np.float64)
    vector = np.full(expected.size + 6, np.nan, a.dtype)
    out = vector[3:-3].reshape(expected.shape)
    kernel = kernel_of(a, b, out)
    assert kernel is not None
    call_once(kernel)
    np.testing.assert_array_equal(out, expected)
    assert np.isnan(vector[:3]).all()
    assert np.isnan(vector[-3:]).all()


@pytest.mark.parametrize("registers", REGISTERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("m", "k", "n"), [(23, 11, 5), (9, 70, 33), (1, 3, 2)])
@pytest.mark.parametrize(("turned_a", "turned_b"), [(False, False), (True, False), (False, True)])
def test_products_of_matrices_and_transposed_views(monkeypatch, registers, dtype, m, k, n, turned_a, turned_b):
    if REGISTERS[registers]:
        monkeypatch.setattr(short_products, "vector_registers", lambda: REGISTERS[registers])
    rng = np.random.default_rng(m * k + n)
    a, b = (
        operands(rng, shape, turned=turned, dtype=dtype) for shape, turned in (((m, k), turned_a), ((k, n), turned_b))
    )
    assert_exact(a, b)


@pytest.mark.parametrize("n", [3, 20])
@pytest.mark.parametrize("k", [257, 512, 521])
def test_long_sums_are_added_up_in_parts(k, n):
    rng = np.random.default_rng(k)
    assert_exact(*(operands(rng, shape, turned=False, dtype="float32") for shape in ((3, k), (k, n))))
    assert_exact(*(operands(rng, shape, turned=True, dtype="float32") for shape in ((3, k), (k, n))))


def test_products_of_stacks_and_of_one_matrix_with_each_of_a_stack():
    rng = np.random.default_rng(0)
    stack = operands(rng, (2, 3, 7, 10), turned=False, dtype="float32")
    other = operands(rng, (3, 10, 12), turned=True, dtype="float32")
    assert_exact(stack, other)


@pytest.mark.parametrize("shapes", [((12,), (12, 7)), ((7, 12), (12,)), ((3, 7, 12), (12,)), ((12,), (3, 12, 7))])
def test_vectors_are_matrices_with_a_row_or_a_column(shapes):
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-9, 10, shape).astype("float32") for shape in shapes)
    assert_exact(a, b)


def test_result_that_is_contiguous_down_its_columns():
    rng = np.random.default_rng(0)
    a, b = (operands(rng, shape, turned=False, dtype="float32") for shape in ((20, 6), (6, 13)))
    out = np.empty((13, 20), np.float32).T
    call_once(kernel_of(a, b, out))
    np.testing.assert_array_equal(out, a @ b)


def test_rows_of_larger_matrices():
    rng = np.random.default_rng(0)
    wide = rng.integers(-9, 10, (12, 40)).astype("float32")
    a, b, out = wide[:, 3:9], wide[2:8, 5:25], np.zeros((12, 30), np.float32)
    call_once(kernel_of(a, b, out[:, 4:24]))
    np.testing.assert_array_equal(out[:, 4:24], a @ b)
    assert not out[:, :4].any()
    assert not out[:, 24:].any()


def test_long_sums_are_as_precise_as_those_of_numpy():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 8192), np.float32), rng.random((8192, 9), np.float32)
    out = np.empty((2, 9), np.float32)
    call_once(kernel_of(a, b, out))
    np.testing.assert_allclose(out, a.astype(np.float64) @ b, rtol=3e-6)


def test_nan_and_infinity_stay_in_their_rows_and_columns():
    a, b = np.ones((5, 6), np.float32), np.ones((6, 7), np.float32)
    a[1, 2], b[3, 4] = np.inf, np.nan
    out = np.empty((5, 7), np.float32)
    call_once(kernel_of(a, b, out))
    with np.errstate(invalid="ignore"):  # BLAS may raise the flag
        np.testing.assert_array_equal(out, a @ b)


@pytest.mark.parametrize("dtype", ["int64", "complex64"])
def test_other_dtypes_have_no_kernel(dtype):
    a, b = np.ones((5, 6), dtype), np.ones((6, 7), dtype)
    assert kernel_of(a, b, np.empty((5, 7), dtype)) is None


def test_large_products_are_left_to_blas():
    a, b = np.ones((512, 512), np.float32), np.ones((512, 512), np.float32)
    assert kernel_of(a, b, np.empty((512, 512), np.float32)) is None
