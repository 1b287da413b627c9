"""Elementwise operations as native code: what NumPy's functions give, for every dtype and every special number."""

import numpy as np
import pytest
from array_api_compat import array_namespace
from loops import RECORDED

SIGNED, UNSIGNED = ("int8", "int16", "int32", "int64"), ("uint8", "uint16", "uint32", "uint64")
INTEGERS, FLOATS = (*SIGNED, *UNSIGNED), ("float32", "float64")
TWO = ("add", "multiply", "maximum", "minimum", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
BITS = ("bitwise_and", "bitwise_or", "bitwise_xor")
LOGIC = ("logical_and", "logical_or", "logical_xor")
NUMBERS = ("negative", "positive", "abs", "square", "sign", "ceil", "floor", "trunc", "round", "logical_not")
ONE = {
    "f": (*NUMBERS, "sqrt", "reciprocal", "isnan", "isinf", "isfinite"),
    "i": (*NUMBERS, "bitwise_invert"),
    "u": (*NUMBERS, "bitwise_invert"),
    "b": ("bitwise_invert", "logical_not"),
}


@pytest.fixture(autouse=True)
def native(launches):
    """Nothing is left to NumPy."""
    yield
    assert launches
    assert set(launches) == {1}


def numbers(dtype):
    """All pairs of special numbers of a dtype."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        info = np.finfo(dtype)
        found = [0.0, -0.0, 0.5, 1.5, 2.5, -2.5, 3.7, -7, 1e30, np.inf, -np.inf, np.nan, info.tiny, info.max, info.eps]
    elif dtype.kind == "b":
        found = [False, True]
    else:
        info = np.iinfo(dtype)
        found = [info.min, info.min + 1, 0, 1, 2, 3, 7, 31, 33, 64, 100, info.max - 1, info.max]
        found += [-1, -2, -100] if info.min else []
    return [array.ravel() for array in np.meshgrid(np.asarray(found, dtype), np.asarray(found, dtype))]


def assert_native(function, *arrays):
    """A list of functions of arrays, as a step whose results they are."""
    with np.errstate(all="ignore"):
        expected = function(*arrays)
    carry = tuple(np.zeros_like(array) for array in expected)
    rows = tuple(array[None] for array in arrays)
    actual = RECORDED.loop(lambda carry, shared, row: tuple(function(*row)))(carry, (), rows, int)
    for i, (one, other) in enumerate(zip(actual, expected, strict=True)):
        assert one.dtype == other.dtype
        rtol = 2 * np.finfo(one.dtype).eps if one.dtype.kind == "f" else 0
        np.testing.assert_allclose(one, other, rtol=rtol, err_msg=f"result {i}")


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS, *FLOATS])
def test_operations(dtype):
    kind = np.dtype(dtype).kind
    names = [*TWO, *LOGIC, *(["subtract"] if kind != "b" else []), *(BITS if kind != "f" else ["divide"])]
    names += ["bitwise_left_shift", "bitwise_right_shift"] if kind in "iu" else []

    def function(x, y):
        xp = array_namespace(x)
        found = [getattr(xp, name)(x, y) for name in names] + [getattr(xp, name)(x) for name in ONE[kind]]
        found += [xp.where(x > y, x, y), xp.where(x, y, x), xp.where(x == y, x, x[:1])]
        if kind != "b":
            found += [x + 1, 3 * y, x > 2, y == 5, xp.where(x > y, x, 2), xp.maximum(x, 2), xp.minimum(y, 0)]
        if kind == "f":
            found += [x / 3, 2.5 - y, x**2, xp.where(x > 0, xp.inf, y)]
        if kind in "iu":
            found += [x << 3, y >> 5, x & 7, x ^ 1, x * 0.5]
        return found

    assert_native(function, *numbers(dtype))


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS, *FLOATS])
def test_conversions(dtype):
    x, _ = numbers(dtype)
    if np.dtype(dtype).kind == "f":  # others have no value
        x = np.asarray([0.0, -0.0, 1.9, 100.5, np.float64(0.9)], dtype)

    def function(x):
        xp = array_namespace(x)
        return [xp.astype(x, getattr(xp, other)) for other in (*INTEGERS, *FLOATS, "bool")]

    assert_native(function, x)
    if np.dtype(dtype).kind == "f":
        special = np.asarray([np.nan, np.inf, -np.inf, 1e-30], dtype)
        assert_native(lambda x: [array_namespace(x).astype(x, to) for to in (np.bool, np.float32, np.float64)], special)


@pytest.mark.parametrize("one", ["bool", "uint8", "int32", "uint32", "int64", "float32", "float64"])
def test_mixed_dtypes(one):
    def function(x, *others):
        xp = array_namespace(x)
        found = []
        for y in others:
            found += [x + y, x * y, xp.maximum(x, y), x < y, x == y, xp.where(x > 0, x, y)]
        return found

    x, _ = numbers(one)
    others = [
        np.resize(numbers(other)[1], x.shape) for other in ("bool", "uint8", "int16", "int32", "int64", "float32")
    ]
    assert_native(function, x, *others, np.resize(numbers("float64")[1], x.shape))
