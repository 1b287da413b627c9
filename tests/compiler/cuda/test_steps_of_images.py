"""Recorded steps with convolutions and max-pooling: rows as images, repeated steps, and what runs if kernels fail."""

import sys

import numpy as np
import pytest
from array_api_compat import array_namespace
from fake_cupy import put_in_place
from loops import PLAIN, recorded
from test_fallbacks import fail_captures, fail_compilation

from anynet.backends import backend
from anynet.compiler import CompileWarning, execution
from anynet.core.window import Window
from anynet.nn.convolution import convolve, convolve_to_input, convolve_to_kernel
from anynet.nn.max_pooling import max_pool, max_pool_to_input

FIRST, POOL, SECOND = (
    Window((4, 4), (3, 3), padding=(1, 1, 1, 1)),
    Window((4, 4), (2, 2), (2, 2)),
    Window((2, 2), (2, 2)),
)
IMAGES, STEPS = 5, 18


def step(carry, shared, row):
    """A step of gradient descent, in which the images are the row; the cost is half the sum of squares."""
    (w, v), (target,), (x,) = carry, shared, row
    xp = array_namespace(w)
    hidden = convolve(x, w, FIRST, 1)
    active = xp.maximum(hidden, xp.zeros_like(hidden))
    pooled = max_pool(active, POOL)
    dy = (convolve(pooled, v, SECOND, 2) - target) / 1024
    back = max_pool_to_input(convolve_to_input(dy, v, SECOND, 2), active, pooled, POOL)
    dw = convolve_to_kernel(x, xp.where(hidden > 0, back, xp.zeros_like(back)), FIRST, 1)
    return w - dw, v - convolve_to_kernel(pooled, dy, SECOND, 2)


def arrays(members=(), dtype="float32"):
    """Return the arguments of a loop, with noise."""
    rng = np.random.default_rng(0)

    def noise(*shape):
        return rng.standard_normal(shape).astype(dtype)

    carry = noise(*members, 3, 3, 2, 4), noise(*members, 2, 2, 2, 6)
    return carry, (noise(IMAGES, 6),), (noise(STEPS, IMAGES * 16, 2),)


def run(chosen, members=(), dtype="float32"):
    """Return what the kernels are after all steps, and how the steps ran."""
    carry, shared, rows = (tuple(map(chosen.asarray, part)) for part in arrays(members, dtype))
    loop = chosen.loop(step)
    after = loop(carry, shared, rows, int)
    return [chosen.to_host(array) for array in after], execution(loop)


def check(found, members=(), dtype="float32"):
    for one, other in zip(found, run(PLAIN, members, dtype)[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("members", [(), (3,)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_captured_steps_that_read_images_from_their_rows(emulated_cupy, members, dtype):
    """Two channels of float32 are read as one integer, which a row of float32 is not."""
    found, how = run(recorded(emulated_cupy), members, dtype)
    assert how == "CUDA graph"
    check(found, members, dtype)


def test_a_few_images_at_a_time_in_captured_steps(emulated_cupy, monkeypatch):
    from anynet.compiler.cuda import convolution_calls

    monkeypatch.setattr(convolution_calls, "MOST", 2 * 16 * 18 * 4)
    check(run(recorded(emulated_cupy))[0])


@pytest.mark.parametrize("members", [(), (3,)], ids=str)
def test_captured_steps_in_bfloat16(emulated_cupy, members):
    """The kernels of a net are float32, and only what is multiplied is rounded; they change by about 1."""
    found, how = run(recorded(emulated_cupy).with_precision("bf16"), members)
    assert how == "CUDA graph"
    for one, other in zip(found, run(PLAIN, members)[0], strict=True):
        assert one.dtype == "float32"
        error = np.abs(one - other).max()
        assert 1e-4 < error < 0.1


def test_kernels_in_memory_that_cublas_cannot_read(emulated_cupy):
    """With two axes of members the definitions run, of which CuPy's products cannot be captured."""
    with pytest.warns(CompileWarning, match="steps run as separate kernels"):
        found, _ = run(emulated_cupy, (2, 1))
    check(found, (2, 1))


@pytest.mark.parametrize(
    ("fault", "expected"), [(fail_captures, "separate kernels"), (fail_compilation, "plain steps")]
)
def test_steps_run_if_kernels_fail(monkeypatch, fault, expected):
    fake = put_in_place(monkeypatch, limit=1 << 30)
    chosen = backend("cupy")
    assert chosen.execution == "CUDA graph"
    fault(fake, monkeypatch)
    with pytest.warns(CompileWarning, match=f"steps run as {expected}"):
        found, how = run(chosen)
    assert how == expected
    check(found)
    sys.modules["anynet.compiler.cuda.cublas"]._here.by_device.clear()
