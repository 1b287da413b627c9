import numpy as np
import pytest

pytest.importorskip("llvmlite")

from native_calls import call_once

import anynet as an
from anynet.compiler.graph import Node
from anynet.compiler.numpy.native import blas, native_program, shared_products


def kernels_of(a, b, out):
    return shared_products.kernel(Node("matmul", (a, b), {}, out), (a, b), {}, out)


def integers(rng, shape, *, turned, dtype="float32"):
    """Small integers, whose products and sums are exact in any order."""
    array = rng.integers(-9, 10, (*shape[:-2], *(shape[:-3:-1] if turned else shape[-2:]))).astype(dtype)
    return array.mT if turned else array


def assert_exact(a, b):
    """Write the product into a part of a vector, around which nothing may change."""
    expected = a.astype(np.float64) @ b.astype(np.float64)
    vector = np.full(expected.size + 6, np.nan, a.dtype)
    out = vector[3:-3].reshape(expected.shape)
    found = kernels_of(a, b, out)
    assert found
    for kernel in found:
        call_once(kernel)
    np.testing.assert_array_equal(out, expected)
    assert np.isnan(vector[:3]).all()
    assert np.isnan(vector[-3:]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("m", "k", "n"), [(23, 11, 5), (9, 70, 33), (1, 3, 2), (130, 4, 1)])
@pytest.mark.parametrize(("turned_a", "turned_b"), [(False, False), (True, False), (False, True), (True, True)])
def test_products_of_matrices_and_transposed_views(dtype, m, k, n, turned_a, turned_b):
    rng = np.random.default_rng(m * k + n)
    a = integers(rng, (m, k), turned=turned_a, dtype=dtype)
    assert_exact(a, integers(rng, (k, n), turned=turned_b, dtype=dtype))


@pytest.mark.parametrize("turned", [False, True])
def test_products_of_stacks_and_of_one_matrix_with_each_of_a_stack(turned):
    rng = np.random.default_rng(0)
    stack = integers(rng, (3, 7, 10), turned=turned)
    assert_exact(stack, integers(rng, (3, 10, 12), turned=False))
    assert_exact(stack, integers(rng, (10, 12), turned=True))
    assert_exact(integers(rng, (7, 10), turned=turned), integers(rng, (3, 10, 12), turned=False))


def test_vectors_and_results_down_columns_are_left_to_others():
    a, b = np.ones((7, 12), np.float32), np.ones((12, 5), np.float32)
    assert kernels_of(a, b[:, 0], np.empty(7, np.float32)) is None
    assert kernels_of(a, b, np.empty((5, 7), np.float32).T) is None
    assert kernels_of(a, b.astype(np.float64), np.empty((7, 5))) is None


def test_a_net_of_images_has_no_products_of_blas(launches, monkeypatch):
    """Threads of BLAS would wait busily beside those of the step."""
    others = tuple(form for form in native_program.FORMS if form is not blas.kernel)
    monkeypatch.setattr(native_program, "FORMS", others)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (64, 3, 16, 16), dtype="uint8"), np.arange(64) % 10
    net = an.Sequential(an.Conv2d(48, 3), an.ReLU(), an.Flatten(), an.Linear(40), an.ReLU(), an.Linear(10))
    an.fit(net, images, an.SGD(0.01), epochs=2, batch_size=32, backend="numpy")
    assert launches[0] == 1  # the training step's
