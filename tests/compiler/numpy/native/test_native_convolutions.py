"""Native convolutions and their gradients: what the plain definitions give, bit for bit in any number of threads."""

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from anynet.compiler.graph import Node
from anynet.compiler.numpy.native import convolutions, image_blocks, kernel_gradients, register_tiles
from anynet.compiler.numpy.native.module import Module, compile_module
from anynet.core.window import Window
from anynet.nn.convolution import convolve, convolve_to_input, convolve_to_kernel
from anynet.nn.window_views import views

REGISTERS = {"AVX-512": (64, 32), "AVX2": (32, 16), "SSE": (16, 16)}

WINDOWS = {
    "same": Window((7, 6), (3, 3), padding=(1, 1, 1, 1)),
    "valid": Window((5, 8), (2, 3)),
    "1 x 1": Window((4, 5), (1, 1)),
    "1 x 1 with strides": Window((5, 4), (1, 1), stride=(2, 2)),
    "strides, other padding on each side": Window((9, 8), (3, 2), stride=(2, 3), padding=(0, 1, 2, 0)),
    "one place": Window((3, 3), (3, 3)),
    "padding wider than the kernel": Window((2, 3), (2, 2), padding=(3, 0, 0, 2)),
    "pixels that nothing sees": Window((8, 8), (2, 2), stride=(3, 3)),
}

CHANNELS = [(1, 3, 1), (3, 5, 1), (5, 1, 1), (17, 33, 1), (6, 4, 2), (5, 5, 5), (64, 24, 1)]
"""Numbers of input channels, output channels and groups."""


def kernels_of(operation, a, b, window, groups, out):
    args = a, b, window, groups
    node = Node(operation.name, args, {}, out)
    forms = [module.kernel(node, args, {}, out) for module in (convolutions, kernel_gradients)]
    return next((form for form in forms if form is not None), None)


def result(operation, a, b, window, groups=1, threads=1):
    """Return the result, written to a part of an array, around which nothing may change."""
    shape = operation.shape(a, b, window, groups)
    vector = np.full(np.prod(shape) + 6, -7, a.dtype)
    out = vector[3:-3].reshape(shape)
    out[...] = np.nan
    kernels = kernels_of(operation, a, b, window, groups, out)
    assert kernels is not None
    module = Module(kernels)
    table = np.asarray(module.table, np.uint64)
    compile_module(module.text)(table.ctypes.data, 0, 1, 0, len(kernels), threads)
    assert (vector[:3] == -7).all()
    assert (vector[-3:] == -7).all()
    return out


def operands(window, channels, n=2, dtype="float32", ahead=((), (), ())):
    """Arguments of the three operations: small integers, whose products and sums are exact in any order."""
    rng, (c, d, groups) = np.random.default_rng(n), channels
    pixels = n * window.image[0] * window.image[1]
    shapes = (
        (*ahead[0], pixels, c),
        (*ahead[1], *window.kernel, c // groups, d),
        (*ahead[2], window.results(pixels), d),
    )
    x, w, dy = (rng.integers(-4, 5, shape).astype(dtype) for shape in shapes)
    return {convolve: (x, w), convolve_to_input: (dy, w), convolve_to_kernel: (x, dy)}


def assert_exact(window, channels, **kwargs):
    for operation, (a, b) in operands(window, channels, **kwargs).items():
        expected = operation(a, b, window, channels[-1])
        np.testing.assert_array_equal(result(operation, a, b, window, channels[-1]), expected, operation.name)


@pytest.mark.parametrize(("window", "channels"), list(zip(WINDOWS, [*CHANNELS, CHANNELS[0]], strict=True)), ids=str)
def test_windows_and_channels(window, channels):
    """Each of both, once; the slow test has all pairs."""
    assert_exact(WINDOWS[window], channels)


@pytest.mark.parametrize("channels", [(17, 33, 1), (6, 4, 2)], ids=str)
@pytest.mark.parametrize("window", ["same", "strides, other padding on each side", "padding wider than the kernel"])
def test_tiles_of_many_images(window, channels):
    """Such tiles leave out the zeros around images."""
    assert_exact(WINDOWS[window], channels, n=29)


@pytest.mark.thorough
@pytest.mark.parametrize("channels", CHANNELS, ids=str)
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("n", [2, 29])
def test_all_windows_and_channels(window, channels, n):
    assert_exact(WINDOWS[window], channels, n=n)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("registers", REGISTERS)
@pytest.mark.parametrize(
    "window", ["strides, other padding on each side", pytest.param("same", marks=pytest.mark.slow)]
)
def test_vectors_of_any_length(monkeypatch, window, registers, dtype):
    monkeypatch.setattr(register_tiles, "vector_registers", lambda: REGISTERS[registers])
    assert_exact(WINDOWS[window], (5, 37, 1), dtype=dtype)


@pytest.mark.parametrize("n", [1, 7, 40])
def test_batches_that_are_no_multiple_of_a_block(monkeypatch, n):
    monkeypatch.setattr(image_blocks, "PIXELS", 100)  # 3 images of 42 pixels
    monkeypatch.setattr(kernel_gradients, "PIXELS", 100)
    assert_exact(WINDOWS["same"], (3, 20, 1), n=n)


@pytest.mark.parametrize("ahead", [((), (3,), (3,)), ((3,), (), (3,)), ((2, 1), (3,), (2, 3))], ids=str)
def test_members(ahead):
    assert_exact(WINDOWS["same"], (3, 5, 1), ahead=ahead)


def test_units_are_the_same_bits_in_any_number_of_threads(monkeypatch):
    monkeypatch.setattr(kernel_gradients, "PIXELS", 100)
    window, rng = WINDOWS["same"], np.random.default_rng(0)
    for operation, (a, b) in operands(window, (6, 70, 1), n=100).items():
        a, b = (rng.standard_normal(array.shape, np.float32) for array in (a, b))
        kernels = kernels_of(operation, a, b, window, 1, np.empty(operation.shape(a, b, window, 1), np.float32))
        assert all(kernel.units > 3 for kernel in kernels)
        one = result(operation, a, b, window)
        np.testing.assert_allclose(one, operation(a, b, window, 1), rtol=1e-3, atol=1e-4)
        for threads in (2, 5):
            np.testing.assert_array_equal(result(operation, a, b, window, threads=threads), one)


def test_calls_again_begin_anew():
    """Sums and the memory for copies of images hold what the last call left."""
    window = WINDOWS["same"]
    for operation, (a, b) in operands(window, (3, 20, 1), n=4).items():
        out = np.empty(operation.shape(a, b, window, 1), a.dtype)
        kernels = kernels_of(operation, a, b, window, 1, out)
        module = Module(kernels)
        run, table = compile_module(module.text), np.asarray(module.table, np.uint64)
        for _ in range(2):
            run(table.ctypes.data, 0, 1, 0, len(kernels), 1)
            np.testing.assert_array_equal(out, operation(a, b, window, 1))
            a *= -2


def gradient_without_zeros(x, dy, window):
    """Return the gradient by the kernel as a sum of products with pixels inside of images alone."""
    inside = views(np.ones((x.shape[0], 1)), window)
    parts = [
        seen[mask[:, 0] > 0].T @ dy[mask[:, 0] > 0]
        for (_, _, seen), (_, _, mask) in zip(views(x, window), inside, strict=True)
    ]
    return np.reshape(parts, (*window.kernel, x.shape[1], dy.shape[1]))


@pytest.mark.parametrize("value", [np.inf, pytest.param(np.nan, marks=pytest.mark.slow)])
@pytest.mark.parametrize("window", ["same", "strides, other padding on each side"])
@pytest.mark.parametrize(("channels", "n"), [((3, 20, 1), 2), ((17, 20, 1), 9)])
def test_infinities_and_nan_stay_where_they_belong(window, channels, n, value):
    """Products of infinity with the zeros around images, which are NaN, may be left out."""
    window = WINDOWS[window]
    for operation, (a, b) in operands(window, channels, n=n).items():
        a[window.image[1] + 1, 0] = value
        if operation is convolve_to_kernel:
            b[5, 3] = value
        with np.errstate(invalid="ignore"):
            expected = operation(a, b, window, 1)
            found = result(operation, a, b, window)
            if operation is convolve_to_kernel:
                other = gradient_without_zeros(a, b, window)
                expected = np.where(np.isnan(expected) & ~np.isnan(found), other, expected)
        np.testing.assert_array_equal(found, expected, operation.name)


def test_arrays_that_are_parts_of_others():
    window = WINDOWS["same"]
    for operation, (a, b) in operands(window, (6, 8, 2)).items():
        a, b = (np.repeat(array, 2, axis=-1)[..., ::2] for array in (a, b))
        np.testing.assert_array_equal(result(operation, a, b, window, 2), operation(a, b, window, 2))
        a, b = (np.concat([array, array], axis=-1)[..., : array.shape[-1]] for array in (a, b))
        np.testing.assert_array_equal(result(operation, a, b, window, 2), operation(a, b, window, 2))


@pytest.mark.parametrize("dtype", ["int64", "complex64"])
def test_other_dtypes_have_no_kernel(dtype):
    window = WINDOWS["same"]
    for operation, (a, b) in operands(window, (3, 5, 1), dtype=dtype).items():
        assert kernels_of(operation, a, b, window, 1, np.empty(operation.shape(a, b, window, 1), dtype)) is None


def test_results_with_channels_apart_have_no_kernel():
    window = WINDOWS["same"]
    for operation, (a, b) in operands(window, (3, 5, 1)).items():
        shape = operation.shape(a, b, window, 1)
        assert kernels_of(operation, a, b, window, 1, np.empty((*shape, 2), a.dtype)[..., 0]) is None
