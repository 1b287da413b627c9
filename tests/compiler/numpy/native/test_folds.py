import numpy as np
import pytest

pytest.importorskip("llvmlite")

from native_calls import call_once

from anynet.compiler.graph import Node
from anynet.compiler.numpy.native import folds

SHAPES = [((100, 50), -2), ((100, 10), -2), ((100, 10), -1), ((37,), -1), ((5, 67), None), ((3, 20, 7), -2)]
SHAPES += [
    ((3, 20, 7), -1),
    ((2, 3, 5), 0),
    ((2, 3, 5), (-2, -1)),
    ((), None),
    ((1, 4), -2),
    ((3, 1), -1),
    ((9, 300), -2),
]


def reduce(op, x, dtype, **kwargs):
    """Return the result in the middle of a vector, around which nothing may change."""
    shape = getattr(np, op)(x, **kwargs).shape
    n = int(np.prod(shape))
    vector = np.full(n + 4, dtype != "bool", dtype)
    out = vector[2:-2].reshape(shape)
    kernel = folds.kernel(Node(op, (x,), kwargs, out), (x,), kwargs, out)
    if kernel is None:
        return None
    call_once(kernel)
    assert (vector[[0, 1, -2, -1]] == (dtype != "bool")).all()
    return out


def numbers(shape, dtype="float32"):
    return np.asarray(np.random.default_rng(len(shape)).integers(-9, 10, shape), dtype)


@pytest.mark.parametrize("op", ["sum", "max"])
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_sums_and_extremes(op, shape, axis):
    x = numbers(shape)
    np.testing.assert_array_equal(reduce(op, x, "float32", axis=axis), getattr(np, op)(x, axis=axis))


@pytest.mark.parametrize("op", ["sum", "max", "min"])
@pytest.mark.parametrize("dtype", ["float64", "int64"])
@pytest.mark.parametrize("axis", [-1, -2])
def test_sums_and_extremes_of_other_dtypes(op, dtype, axis):
    x = numbers((21, 13), dtype)
    np.testing.assert_array_equal(reduce(op, x, dtype, axis=axis), getattr(np, op)(x, axis=axis))


@pytest.mark.parametrize("registers", [(32, 16), (16, 16)])
@pytest.mark.parametrize(("shape", "axis"), SHAPES[:4])
def test_shorter_vectors(monkeypatch, registers, shape, axis):
    monkeypatch.setattr(folds, "vector_registers", lambda: registers)
    x = numbers(shape)
    np.testing.assert_array_equal(reduce("sum", x, "float32", axis=axis), x.sum(axis))


@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_means_and_kept_axes(shape, axis):
    x = numbers(shape)
    got = reduce("mean", x, "float32", axis=axis, keepdims=True)
    np.testing.assert_allclose(got, x.mean(axis, keepdims=True), rtol=1e-7)


def test_products_of_elements():
    x = np.random.default_rng(0).uniform(0.5, 2, (7, 13))
    np.testing.assert_allclose(reduce("prod", x, "float64", axis=-1), x.prod(-1), rtol=1e-14)


@pytest.mark.parametrize("op", ["any", "all"])
@pytest.mark.parametrize(("shape", "axis"), [((7, 5), -1), ((7, 50), -2), ((3, 40), (-1, -2))])
def test_any_and_all(op, shape, axis):
    some = np.random.default_rng(0).random(shape) < 0.5
    for x in (some, np.zeros(shape, bool), np.ones(shape, bool), numbers(shape)):
        np.testing.assert_array_equal(reduce(op, x, "bool", axis=axis), getattr(np, op)(x, axis=axis))


@pytest.mark.parametrize("dtype", ["bool", "int32", "uint8"])
@pytest.mark.parametrize("axis", [-1, -2])
def test_sums_of_small_integers_are_wide(dtype, axis):
    x = np.random.default_rng(0).integers(0, 255, (40, 33)).astype(dtype)
    total = x.sum(axis)
    np.testing.assert_array_equal(reduce("sum", x, total.dtype, axis=axis), total)


@pytest.mark.parametrize("view", [lambda x: x.mT, lambda x: x[:, ::2], lambda x: x[::-1], lambda x: x[:, 3:20]])
@pytest.mark.parametrize("axis", [-1, -2])
def test_views(view, axis):
    x = view(numbers((30, 40)))
    np.testing.assert_array_equal(reduce("sum", x, "float32", axis=axis), x.sum(axis))


@pytest.mark.parametrize("op", ["max", "min"])
@pytest.mark.parametrize("axis", [-1, -2])
def test_extremes_of_nan_are_nan(op, axis):
    x = numbers((6, 40))
    x[2, 3], x[3, 39], x[0] = np.nan, np.nan, np.inf
    np.testing.assert_array_equal(reduce(op, x, "float32", axis=axis), getattr(np, op)(x, axis=axis))


@pytest.mark.parametrize(("shape", "axis"), [((1_000_000,), None), ((300_000, 3), -2), ((2, 300_001), -1)])
def test_long_sums_are_precise(shape, axis):
    x = np.random.default_rng(0).random(shape, np.float32)
    np.testing.assert_allclose(reduce("sum", x, "float32", axis=axis), x.sum(axis, np.float64), rtol=2e-6)


@pytest.mark.parametrize("n", [65 * 8, 1000, 4231])
def test_sums_in_parts_take_each_element_once(n):
    x = np.arange(n, dtype=np.float64)
    assert reduce("sum", np.stack([x, -x], 1), "float64", axis=-2).tolist() == [x.sum(), -x.sum()]


def test_what_has_no_native_form():
    x = np.ones((4, 5), np.float32)
    assert reduce("sum", x.astype(complex), "complex128") is None
    assert reduce("sum", np.ones((0, 5), np.float32), "float32", axis=-2) is None
    assert reduce("mean", x, "float64", axis=-1) is None
    assert reduce("sum", np.ones((4, 5, 6)).transpose(2, 0, 1), "float64", axis=(0, 1)) is None
