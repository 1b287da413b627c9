"""Matrix products by generated kernels, in which the threads of a block share sums."""

import sys

import cuda_on_cpu
import numpy as np
import pytest


@pytest.fixture
def cupy(emulated_cupy):
    return sys.modules["cupy"]


def multiply(cupy, a, b):
    from anynet.compiler.cuda.products import TiledProduct

    out = cupy.empty((*a.shape[:-1], b.shape[-1]), a.dtype)
    TiledProduct(a, b, out)()
    return cupy.asnumpy(out)


def on_gpu(cupy, x, turned):
    return cupy.asarray(np.ascontiguousarray(np.swapaxes(x, -1, -2))).mT if turned else cupy.asarray(x)


SHAPES = {
    "few rows in many blocks": ((), (20, 600, 10)),
    "eight rows a block, the last with three": ((), (803, 40, 10)),
    "more columns than a block has": ((), (9, 30, 70)),
    "one column": ((), (33, 513, 1)),
    "one row": ((), (1, 70, 65)),
    "short sums": ((), (70, 3, 80)),
    "members": ((3,), (37, 90, 33)),
    "a stack of one": ((1,), (5, 40, 6)),
}


@pytest.mark.parametrize("turned", ["", "a", "b", "both"])
@pytest.mark.parametrize("name", SHAPES)
def test_products_of_whole_numbers_are_exact(cupy, rng, name, turned):
    """The emulator reports what is read or written outside of the arrays."""
    members, (m, k, n) = SHAPES[name]
    for dtype in ("float32", "float64"):
        a, b = (rng.integers(-9, 10, (*members, *shape)).astype(dtype) for shape in ((m, k), (k, n)))
        on_device = [
            cupy.asarray(np.ascontiguousarray(np.swapaxes(x, -1, -2))).mT
            if turned in (which, "both")
            else cupy.asarray(x)
            for x, which in ((a, "a"), (b, "b"))
        ]
        np.testing.assert_array_equal(multiply(cupy, *on_device), a @ b)


@pytest.mark.parametrize("order", cuda_on_cpu.ORDERS)
def test_sums_are_the_same_in_every_order_of_threads(cupy, monkeypatch, rng, order):
    a, b = (rng.standard_normal(shape).astype("float32") for shape in ((20, 600), (600, 10)))
    expected = multiply(cupy, cupy.asarray(a), cupy.asarray(b))
    monkeypatch.setattr(cuda_on_cpu, "order", order)
    np.testing.assert_array_equal(multiply(cupy, cupy.asarray(a), cupy.asarray(b)), expected)
    np.testing.assert_allclose(expected, a.astype("float64") @ b, rtol=1e-3, atol=1e-4)


def test_a_slice_is_read_and_one_is_written(cupy, rng):
    from anynet.compiler.cuda.products import TiledProduct

    whole, b, out = cupy.asarray(rng.random((50, 90))), cupy.asarray(rng.random((30, 12))), cupy.zeros((40, 20))
    TiledProduct(whole[5:45, 7:37], b, out[:, 3:15])()
    expected = np.zeros((40, 20))
    expected[:, 3:15] = cupy.asnumpy(whole)[5:45, 7:37] @ cupy.asnumpy(b)
    np.testing.assert_allclose(cupy.asnumpy(out), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("shape", "tiled"),
    [
        ((100, 3072, 10), True),
        ((512, 2048, 10), True),
        ((100, 50, 50), True),
        ((100, 3072, 50), False),
        ((3072, 100, 10), False),
        ((512, 2048, 2048), False),
        ((1 << 14, 1 << 10, 2), False),
    ],
    ids=str,
)
def test_what_was_measured_to_be_faster_is_tiled(cupy, shape, tiled):
    from anynet.compiler.cuda.products import is_tiled

    m, k, n = shape
    assert is_tiled(*(cupy.empty(s, "float32") for s in ((m, k), (k, n), (m, n)))) is tiled
