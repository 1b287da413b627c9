"""Convolutions and max-pooling on the emulated GPU, against their definitions."""

import sys
from itertools import product

import cuda_on_cpu
import numpy as np
import pytest
from loops import recording
from numpy.lib.stride_tricks import as_strided
from nvrtc_here import ARCHITECTURES, nvrtc_compile
from on_backends import marked

from anynet.core.window import Window
from anynet.nn.convolution import convolve, convolve_to_input, convolve_to_kernel
from anynet.nn.max_pooling import max_pool, max_pool_to_input


@pytest.fixture
def cupy(emulated_cupy):
    return sys.modules["cupy"]


WINDOWS = {
    "3 x 3, same": Window((6, 5), (3, 3), padding=(1, 1, 1, 1)),
    "3 x 3, valid": Window((5, 6), (3, 3)),
    "2 x 2, stride 2, a row left": Window((5, 4), (2, 2), (2, 2)),
    "3 x 3, stride 2": Window((7, 6), (3, 3), (2, 2), (1, 1, 1, 1)),
    "2 x 2, same: padding below and to the right": Window((4, 5), (2, 2), padding=(0, 1, 0, 1)),
    "padding on one side alone": Window((4, 4), (3, 2), (1, 2), (2, 0, 0, 1)),
    "more padding than the kernel sees": Window((3, 3), (2, 3), (2, 1), (3, 2, 4, 0)),
    "gaps between places": Window((7, 8), (2, 1), (3, 4)),
    "the whole image": Window((3, 4), (3, 4)),
    "single pixels": Window((4, 3), (1, 1)),
    "every second pixel": Window((5, 4), (1, 1), (2, 2)),
    "one row": Window((1, 7), (1, 3), padding=(0, 0, 1, 1)),
}


def integers(rng, *shape, dtype="float32"):
    """Return whole numbers, of which sums and products are exact."""
    return rng.integers(-3, 4, shape).astype(dtype)


def lower(cupy, operation, *args, precision="float32"):
    """Return the calls of the CUDA target for an operation, and where they write, which holds other numbers now."""
    from anynet.compiler.cuda import CudaTarget
    from anynet.compiler.graph import Node

    on_device = tuple(cupy.asarray(arg) if isinstance(arg, np.ndarray) else arg for arg in args)
    out = cupy.full(operation.shape(*args), 7, args[0].dtype)
    return CudaTarget(precision).calls(Node(operation.name, args, {}, out), on_device, {}, out), out


def run(cupy, operation, *args, precision="float32"):
    """Run an operation, and return its result and the calls."""
    calls, out = lower(cupy, operation, *args, precision=precision)
    for function, arguments in calls:
        function(*arguments)
    return cupy.asnumpy(out), calls


def check(cupy, operation, *args, precision="float32"):
    found, calls = run(cupy, operation, *args, precision=precision)
    np.testing.assert_array_equal(found, operation.definition(*args))
    return calls


def draw(rng, window, images=2, c=3, d=4, groups=1, members=((), ()), dtype="float32"):
    """Return images, kernel and gradient by the result. members: axes of images, and of the others."""
    of_images, others = members
    pixels = images * window.image[0] * window.image[1]
    return (
        integers(rng, *of_images, pixels, c, dtype=dtype),
        integers(rng, *others, *window.kernel, c // groups, d, dtype=dtype),
        integers(rng, *others, window.results(pixels), d, dtype=dtype),
    )


def check_all(cupy, x, w, dy, window, groups=1, precision="float32"):
    """Compare the three operations with their definitions, and return the number of calls of each."""
    cases = (convolve, x, w), (convolve_to_input, dy, w), (convolve_to_kernel, x, dy)
    return tuple(len(check(cupy, *case, window, groups, precision=precision)) for case in cases)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
@pytest.mark.parametrize("name", WINDOWS)
def test_windows(cupy, rng, name, precision):
    check_all(cupy, *draw(rng, WINDOWS[name]), WINDOWS[name], precision=precision)


SHAPES = {
    "one image": {"images": 1},
    "one channel": {"c": 1, "d": 1},
    "five channels": {"c": 5, "d": 3},
    "64 channels": {"c": 64, "d": 8, "images": 1},
    "pairs of channels": {"c": 6, "d": 2},
    "float64": {"dtype": "float64", "c": 2},
    "groups": {"c": 6, "d": 4, "groups": 2},
    "groups of pairs": {"c": 12, "d": 6, "groups": 3},
    "a group for each channel": {"c": 4, "d": 8, "groups": 4},
    "members": {"members": ((3,), (3,))},
    "members with shared images": {"members": ((), (3,)), "c": 4},
    "a stack of one": {"members": ((1,), (1,))},
    "members and groups": {"members": ((2,), (2,)), "c": 4, "groups": 2},
    "members with shared images and groups": {"members": ((), (2,)), "c": 4, "groups": 2},
}


@pytest.mark.parametrize("precision", ["float32", "bf16"])
@pytest.mark.parametrize("window", [WINDOWS["3 x 3, stride 2"], WINDOWS["single pixels"]], ids=["3 x 3", "1 x 1"])
@pytest.mark.parametrize("name", SHAPES)
def test_shapes(cupy, rng, name, window, precision):
    """No precision rounds whole numbers as small as these."""
    check_all(cupy, *draw(rng, window, **SHAPES[name]), window, SHAPES[name].get("groups", 1), precision)


MEMBERS = {"single": ((), ()), "members": ((3,), (3,)), "shared images": ((), (3,))}


@pytest.mark.parametrize("members", MEMBERS)
@pytest.mark.parametrize(
    ("fit", "parts"),
    [
        (1, {"single": 7, "members": 21, "shared images": 7}),
        (2, {"single": 4, "members": 14, "shared images": 4}),
        (3, {"single": 3, "members": 7, "shared images": 3}),
        (8, {"single": 1, "members": 4, "shared images": 1}),
    ],
)
def test_a_few_images_at_a_time(cupy, monkeypatch, rng, fit, parts, members):
    """Patches of so many images fit into the memory for them; each member of a stack has its own images."""
    from anynet.compiler.cuda import convolution_calls

    window, c = WINDOWS["3 x 3, same"], 2
    monkeypatch.setattr(convolution_calls, "MOST", fit * 30 * 9 * c * 4)
    x, w, dy = draw(rng, window, images=7, c=c, members=MEMBERS[members])
    forward, _, to_kernel = check_all(cupy, x, w, dy, window)
    assert forward == to_kernel == 2 * parts[members]


def test_parts_share_their_memory(cupy, monkeypatch, rng):
    from anynet.compiler.cuda import convolution_calls

    window = WINDOWS["3 x 3, same"]
    x, w, dy = draw(rng, window, images=4)
    size = 30 * 27 * 4
    monkeypatch.setattr(convolution_calls, "MOST", size)
    calls, _ = lower(cupy, convolve, x, w, window, 1)
    gathers = [call[0].phase for call in calls[::2]]
    assert len(gathers) == 4
    assert len({phase.writes[0].array.data.ptr for phase in gathers}) == 1
    other, _ = lower(cupy, convolve_to_kernel, x, dy, window, 1)
    assert other[0][0].phase.writes[0].array.data.ptr == gathers[0].writes[0].array.data.ptr


def test_a_pointwise_convolution_is_one_product(cupy, rng):
    window = WINDOWS["single pixels"]
    for groups in (1, 2):
        assert check_all(cupy, *draw(rng, window, c=4, groups=groups), window, groups) == (1, 1, 1)


@pytest.mark.parametrize("order", cuda_on_cpu.ORDERS)
def test_any_order_of_threads(cupy, monkeypatch, rng, order):
    monkeypatch.setattr(cuda_on_cpu, "order", order)
    check_all(cupy, *draw(rng, WINDOWS["3 x 3, stride 2"]), WINDOWS["3 x 3, stride 2"])


@pytest.mark.parametrize(("precision", "rtol"), [("float32", 1e-5), ("tf32", 4e-3), ("bf16", 3e-2)])
def test_products_have_the_precision(cupy, rng, precision, rtol):
    """Each precision gives what its rounding gives, and float32 more than that."""
    window = WINDOWS["3 x 3, same"]
    x, w = rng.random((60, 3), "float32"), rng.random((3, 3, 3, 4), "float32")
    found, _ = run(cupy, convolve, x, w, window, 1, precision=precision)
    error = np.abs(found / convolve(x.astype("float64"), w.astype("float64"), window, 1) - 1).max()
    assert error < rtol
    assert precision == "float32" or error > rtol / 100


@pytest.mark.parametrize("c", [1, 2])
def test_operands_are_rounded_to_the_nearest_bfloat16(cupy, c):
    """Ties go to even numbers; what is above the largest number is infinite. The kernel sees one pixel."""
    window = Window((1, 1), (2, 1), padding=(1, 0, 0, 0))
    values = [1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-20, -1 - 2**-9, 2.0**-130 * 3, 3.4e38, np.nan, -np.inf, 0, 5]
    rounded = [1, 1 + 2**-6, 1 + 2**-7, -1, 2.0**-130 * 3, np.inf, np.nan, -np.inf, 0, 5]
    x, w = np.zeros((10, c), np.float32), np.zeros((2, 1, c, 1), np.float32)
    x[:, -1], w[1, 0, -1] = values, 1 + 2**-9
    if c == 2:
        x[:, 0], w[1, 0, 0] = 1, 0
    found, _ = run(cupy, convolve, x, w, window, 1, precision="bf16")
    np.testing.assert_array_equal(found[:, 0], np.asarray(rounded, np.float32))


def test_kernels_in_other_memory_are_left_to_cupy(cupy, rng):
    """cuBLAS would need a copy of the kernel."""
    from anynet.compiler.cuda.convolution_calls import convolution

    window = WINDOWS["3 x 3, same"]
    x, w, _ = draw(rng, window)
    turned = cupy.asarray(np.ascontiguousarray(w.swapaxes(2, 3))).swapaxes(2, 3)
    out = cupy.empty(convolve.shape(x, w, window, 1), "float32")
    for kernel, calls in ((cupy.asarray(w), 2), (turned, None)):
        found = convolution("convolve", cupy.asarray(x), kernel, window, 1, out, "float32")
        assert (None if found is None else len(found)) == calls


POOLED = ["2 x 2, stride 2, a row left", "3 x 3, stride 2", "3 x 3, same", "gaps between places"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("members", [(), (2,)], ids=str)
@pytest.mark.parametrize("name", [*POOLED, "padding on one side alone", "more padding than the kernel sees", "one row"])
def test_pooling_with_ties_and_nan(cupy, rng, name, members, dtype):
    """Few values, so that most windows have several largest ones; some with NaN, infinities and two zeros."""
    window = WINDOWS[name]
    pixels = 3 * window.image[0] * window.image[1]
    values = np.array([-1, 0, 1, 1, -0.0, np.nan, np.inf, -np.inf] if dtype == "float32" else [-1, 0, 1], dtype)
    x, dy = rng.choice(values, (*members, pixels, 5)), integers(rng, *members, window.results(pixels), 5, dtype=dtype)
    check(cupy, max_pool, x, window)
    check(cupy, max_pool_to_input, dy, x, max_pool(x, window), window)


def test_pooling_of_minus_infinities(cupy, rng):
    window = Window((4, 4), (3, 3), padding=(1, 1, 1, 1))
    x, dy = np.full((32, 2), -np.inf, "float32"), rng.standard_normal((32, 2), "float32")
    check(cupy, max_pool_to_input, dy, x, x, window)


def test_pooling_of_shared_images(cupy, rng):
    window = WINDOWS["2 x 2, stride 2, a row left"]
    x, dy = integers(rng, 40, 3), integers(rng, 3, 8, 3)
    check(cupy, max_pool_to_input, dy, x, max_pool(x, window), window)


@pytest.mark.parametrize(("rows", "suffix"), [(1 << 14, ""), (1 << 17, "LL")])
def test_offsets_in_large_images_have_64_bits(cupy, rows, suffix):
    from anynet.compiler.cuda.window_phases import max_pool_to_input as lower

    image = as_strided(np.zeros((1, 2), np.float32), (rows << 14, 2), (8, 4))  # which is not read
    phase = lower(image, image, image, Window((rows, 1 << 14), (1, 1)), image)
    assert phase.reads[1].offset.endswith(f" * 2{suffix}")
    assert f"qy * {1 << 15}{suffix} " in phase.reads[3].offset


def sources(cupy, rng):
    """Return the source of a module with kernels of each kind."""
    from anynet.compiler.cuda.expressions import PRELUDE
    from anynet.compiler.cuda.kernel_source import write
    from anynet.compiler.cuda.kernels import alone

    calls = []
    kinds = ("float32", "float32"), ("float32", "bf16"), ("float64", "float32")
    for name, (dtype, precision) in product((*POOLED, "every second pixel", "one row"), kinds):
        window = WINDOWS[name]
        x, w, dy = draw(rng, window, c=4, groups=2, dtype=dtype)
        y = max_pool(x, window)
        cases = (convolve, x, w, window, 2), (convolve_to_input, dy, w, window, 2)
        for operation, *args in (*cases, (max_pool, x, window), (max_pool_to_input, y, x, y, window)):
            calls += lower(cupy, operation, *args, precision=precision)[0]
    phases = [call.phase for call, _ in calls if hasattr(call, "phase")]
    return "\n".join([PRELUDE, *(write(alone(phase), f"k{i}").text for i, phase in enumerate(phases))])


@pytest.mark.parametrize("index", ["int", "long long"])
@pytest.mark.parametrize(
    "architecture",
    [
        *(name.replace("sm", "compute") for name in (ARCHITECTURES[0], ARCHITECTURES[-1])),
        *(pytest.param(name, marks=pytest.mark.thorough) for name in ARCHITECTURES),
    ],
)
def test_nvrtc_has_no_warning(cupy, monkeypatch, rng, architecture, index):
    from anynet.compiler.cuda import phases, window_phases

    if index == "long long":
        for module in (phases, window_phases):
            monkeypatch.setattr(module, "INT", 2)
    code = sources(cupy, rng)
    assert f"for ({index} " in code
    assert ("LL]" in code) is (index == "long long")
    assert nvrtc_compile(code, architecture) == ""


@pytest.mark.parametrize("name", marked(["cupy"]))
@pytest.mark.parametrize("precision", ["float32", "tf32", "bf16"])
def test_whole_numbers_are_exact_on_a_card(request, rng, name, precision):
    """They and their products are so small that no precision rounds them."""
    recording(name, request)
    here = sys.modules["cupy"]
    for name in ("3 x 3, same", "3 x 3, stride 2", "padding on one side alone"):
        for shapes in ("pairs of channels", "five channels", "groups", "members with shared images and groups"):
            drawn = draw(rng, WINDOWS[name], **SHAPES[shapes])
            check_all(here, *drawn, WINDOWS[name], SHAPES[shapes].get("groups", 1), precision)
        x, dy = integers(rng, *drawn[0].shape), integers(rng, WINDOWS[name].results(drawn[0].shape[0]), 4)
        check(here, max_pool_to_input, dy, x, max_pool(x, WINDOWS[name]), WINDOWS[name])
    window = Window((16, 16), (3, 3), padding=(1, 1, 1, 1))
    drawn = draw(rng, window, images=70, c=64, d=64)  # in two parts
    assert check_all(here, *drawn, window, precision=precision) == (4, 4, 4)
