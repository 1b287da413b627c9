import math

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from native_calls import call_once

from anynet.compiler.numpy.native.elementary import FUNCTIONS
from anynet.compiler.numpy.native.kernel import Kernel

NAMES = ["exp", "expm1", "log", "log1p", "tanh"]
WIDER = {np.float32: np.float64, np.float64: np.longdouble}


class Apply(Kernel):
    """A function of the elements of an array."""

    def __init__(self, name, x, out):
        super().__init__([x, out])
        self._function = FUNCTIONS[name]

    def write(self, f):
        x, out = self.arrays
        with f.loop(len(x)) as i:
            f.store(self._function(f, f.load(x, i)), out, i)


def assert_within_two_units(name, x):
    """Compare with NumPy's function of a wider type; what is not finite and zeros must be the same."""
    out, dtype = np.empty_like(x), x.dtype.type
    call_once(Apply(name, x, out))
    with np.errstate(all="ignore"):
        exact = getattr(np, name)(x.astype(WIDER[dtype]))
        rounded = exact.astype(dtype)
    finite = np.isfinite(rounded)
    np.testing.assert_array_equal(out[~finite], rounded[~finite])
    np.testing.assert_array_equal(np.signbit(out[exact == 0]), np.signbit(exact[exact == 0]))
    units = abs(out[finite].astype(WIDER[dtype]) - exact[finite]) / np.spacing(abs(rounded[finite]))
    assert units.max() <= 2, x[finite][units.argmax()]


@pytest.mark.parametrize("name", NAMES)
def test_float32_of_every_size(name):
    assert_within_two_units(name, np.arange(0, 1 << 32, 16381, np.uint32).view(np.float32))


@pytest.mark.thorough
@pytest.mark.parametrize("name", NAMES)
def test_many_float32(name):
    for start in range(67):
        assert_within_two_units(name, np.arange(start, 1 << 32, 67 * 67, np.uint32).view(np.float32))


@pytest.mark.skipif(np.finfo(np.longdouble).eps == np.finfo(np.float64).eps, reason="no wider type")
@pytest.mark.parametrize("name", NAMES)
def test_float64(name):
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 1 << 64, 100_000, np.uint64, endpoint=False)
    x = np.concatenate([bits.view(np.float64), rng.standard_normal(100_000), 30 * rng.standard_normal(100_000)])
    assert_within_two_units(name, x)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ends(name, dtype):
    info = np.finfo(dtype)
    bounds = [math.log(info.max), math.log(info.tiny), math.log(info.smallest_subnormal) - math.log(2), 1, 0.625]
    near = [
        step for bound in map(dtype, bounds) for step in (bound, *(np.nextafter(bound, dtype(e)) for e in (-999, 999)))
    ]
    special = [0, info.smallest_subnormal, info.tiny, info.max, np.inf, np.nan]
    x = np.asarray([*near, *special], dtype)
    x = np.concatenate([x, -x])
    out = np.empty_like(x)
    call_once(Apply(name, x, out))
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x)
    np.testing.assert_allclose(out, expected, rtol=2 * info.eps, atol=info.smallest_subnormal)
    np.testing.assert_array_equal(np.signbit(out[expected == 0]), np.signbit(expected[expected == 0]))
    unchanged = x[abs(x) < 4 * info.tiny]
    if name in ("expm1", "log1p", "tanh"):
        np.testing.assert_array_equal(out[abs(x) < 4 * info.tiny], unchanged)
