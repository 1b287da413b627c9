"""Steps of precision bf16: large activations and their gradients are in memory in bfloat16, and nothing else is."""

from collections import Counter
from functools import partial

import array_api_compat.numpy as xp
import numpy as np
import pytest
from array_api_compat import array_namespace
from few_images import few_images
from loops import recorded
from nvrtc_here import ARCHITECTURES, nvrtc_compile
from test_cupy_nets import CASES, one_step

import anynet as an
from anynet.compiler import execution
from anynet.compiler.schedule import VIEWS
from anynet.compiler.tape import trace
from anynet.core.window import Window
from anynet.data import split
from anynet.nn.convolution import convolve, convolve_to_input, convolve_to_kernel
from anynet.nn.max_pooling import max_pool, max_pool_to_input

STEPS, N = 2, 24
MEMBERS = pytest.mark.parametrize("members", [(), (3,)], ids=str)


@pytest.fixture
def chosen(emulated_cupy, monkeypatch):
    """CuPy with products of bf16 by cuBLAS, which stores values of any size in bfloat16."""
    from anynet.compiler.cuda import storage, target

    monkeypatch.setattr(storage, "LARGE", 2)
    monkeypatch.setattr(target, "SHORT", 0)
    return recorded(emulated_cupy).with_precision("bf16")


def rounded(x):
    """Round to the nearest number with 8 bits, ties to even."""
    mantissa, exponent = np.frexp(np.asarray(x, np.float64))
    return np.ldexp(np.round(mantissa * 256), exponent - 8).astype(np.float32)


def same(x):
    return x


def whole(rng, most, *shape):
    """Return whole numbers so small that bfloat16 has them, and float32 their products and sums."""
    return rng.integers(-most, most + 1, shape).astype(np.float32)


def last_gradients(chosen, step, params, shared, rows):
    """Return the gradients of the last step, which must have run as a CUDA graph."""
    loop = chosen.loop(step)
    carry = (*params, *map(np.zeros_like, params))
    after = loop(*(tuple(map(chosen.asarray, part)) for part in (carry, shared, rows)), int)
    assert execution(loop) == "CUDA graph"
    return [chosen.to_host(array) for array in after[len(params) :]]


def check(chosen, step, params, shared, rows):
    """Compare a step's gradients, bit for bit, with NumPy's of the last row, which rounding changes."""
    expected, exact = (
        step((*params, *params), shared, [row[-1] for row in rows], stored)[len(params) :] for stored in (rounded, same)
    )
    for found, one, other in zip(last_gradients(chosen, step, params, shared, rows), expected, exact, strict=True):
        assert found.dtype == "float32"
        np.testing.assert_array_equal(found, one)
        assert (one != other).any()


def dense(carry, shared, row, stored=same):
    """A net of two layers. The derivatives of its loss are 97 and -97, so that float32 has all sums."""
    (w, b, v), (x,) = carry[:3], row
    xp = array_namespace(w)
    sums = stored(stored(x @ w) + b[..., None, :])
    hidden = stored(xp.maximum(3 * sums, 0.0))
    dy = xp.astype(stored(hidden @ v) > shared[0], x.dtype) * 194.0 - 97.0
    dh = stored(xp.where(sums > 0, stored(dy @ v.mT), 0.0))
    return *carry[:3], x.mT @ dh, xp.sum(dh, axis=-2), hidden.mT @ dy


@MEMBERS
def test_values_between_layers_are_rounded_once(chosen, rng, members):
    params = whole(rng, 9, *members, 16, 24), whole(rng, 9, *members, 24), whole(rng, 3, *members, 24, 8)
    check(chosen, dense, params, (whole(rng, 99, N, 8),), (whole(rng, 15, STEPS, N, 16),))


FIRST, POOL, SECOND = (
    Window((4, 4), (3, 3), padding=(1, 1, 1, 1)),
    Window((4, 4), (2, 2), (2, 2)),
    Window((2, 2), (2, 2)),
)


def images(carry, shared, row, stored=same):
    """A net of two convolutions with pooling between them, and the derivatives of `dense`."""
    (w, v), (x,) = carry[:2], row
    xp = array_namespace(w)
    hidden = stored(convolve(x, w, FIRST, 1))
    active = stored(xp.maximum(hidden, 0.0))
    pooled = max_pool(active, POOL)
    dy = xp.astype(stored(convolve(pooled, v, SECOND, 2)) > shared[0], x.dtype) * 194.0 - 97.0
    back = stored(max_pool_to_input(stored(convolve_to_input(dy, v, SECOND, 2)), active, pooled, POOL))
    dh = stored(xp.where(hidden > 0, back, 0.0))
    return *carry[:2], convolve_to_kernel(x, dh, FIRST, 1), convolve_to_kernel(pooled, dy, SECOND, 2)


@MEMBERS
@pytest.mark.parametrize("channels", [4, 8, 2], ids=str)
def test_images_between_layers_are_rounded_once(chosen, rng, members, channels):
    params = whole(rng, 7, *members, 3, 3, 2, channels), whole(rng, 3, *members, 2, 2, channels // 2, 6)
    check(chosen, images, params, (whole(rng, 99, 5, 6),), (whole(rng, 15, STEPS, 80, 2),))


def test_cupy_sums_float32(chosen, rng):
    """No kernel has a sum to a certain dtype."""

    def step(carry, shared, row, stored=same):
        w, xp = carry[0], array_namespace(carry[0])
        return w, xp.zeros_like(w) + xp.sum(stored(row[0] @ w), axis=-2, dtype=w.dtype)

    check(chosen, step, (whole(rng, 15, 16, 8),), (), (whole(rng, 15, STEPS, N, 16),))


WINDOW = Window((2, 2), (1, 2))

STORED = {
    "a product": (lambda xp, x, w: xp.sum(x @ w, axis=-2), ["matmul"]),
    "the last operation of a group": (lambda xp, x, w: xp.sum(xp.exp(x + 1) * 2, axis=-2), ["multiply"]),
    "rows of a table": (lambda xp, x, w: xp.sum(xp.take(w, xp.arange(8), axis=0) @ w, axis=-2), ["take", "matmul"]),
    "a reshaped product": (lambda xp, x, w: xp.sum(xp.reshape(x @ w, (12, 16)), axis=-2), ["matmul"]),
    "maxima of bfloat16": (lambda xp, x, w: xp.sum(max_pool(x @ w, WINDOW), axis=-2), ["matmul", "max_pool"]),
    "maxima of float32": (lambda xp, x, w: xp.sum(max_pool(x, WINDOW), axis=-2), []),
    "a gradient of weights": (lambda xp, x, w: (x.mT @ (x @ w)) @ w, ["matmul"]),
    "a product of weights": (lambda xp, x, w: w.mT @ w @ w, []),
    "a result": (lambda xp, x, w: x @ w, []),
    "a view that is a result": (lambda xp, x, w: xp.reshape(x @ w, (12, 16)), []),
    "an argument of CuPy": (lambda xp, x, w: xp.sum(xp.floor_divide(x @ w, 2.0), axis=-2), []),
    "an argument of CuPy's copy": (lambda xp, x, w: xp.sum(xp.reshape((x @ w)[::2, :], (24, 4)), axis=-2), []),
    "a part of an array": (lambda xp, x, w: xp.sum(xp.concat([x @ w, x]), axis=-2), []),
    "few elements": (lambda xp, x, w: xp.sum((x @ w)[:1, :] @ w, axis=-2), ["matmul"]),
}


def test_what_is_stored_in_bfloat16(chosen, monkeypatch):
    from anynet.compiler.cuda import storage

    def found(function, dtype):
        x, w = (np.zeros(shape, dtype) for shape in ((N, 8), (8, 8)))
        graph = trace(lambda x, w: function(array_namespace(x), x, w), xp, x, w)
        made = storage.store_in_bfloat16(graph, graph.inputs[:1], partial(chosen.target.fuses, hot=False))
        return [node.op for node in made.nodes if node.dtype == storage.BFLOAT16 and node.op not in VIEWS]

    monkeypatch.setattr(storage, "LARGE", 64)
    assert {name: found(function, "float32") for name, (function, _) in STORED.items()} == {
        name: expected for name, (_, expected) in STORED.items()
    }
    assert not any(found(function, "float64") for function, _ in STORED.values())


def run_step(chosen, monkeypatch):
    """Return the carry after a step of a net, the bytes of arrays by dtype, and the source of the kernels."""
    from anynet.compiler.cuda import CudaTarget, capture, expressions

    sizes, code, empty, compile_all = Counter(), [expressions.PRELUDE], CudaTarget.empty, capture.compile_all

    def note(target, node):
        made = empty(target, node)
        sizes[str(made.dtype)] += made.nbytes
        return made

    def keep(sources):
        code.extend(source.text for source in sources)
        return compile_all(sources)

    assert chosen.target.execution == "CUDA graph"  # after a probe, which is not to be noted
    with monkeypatch.context() as patch:
        patch.setattr(CudaTarget, "empty", note)
        patch.setattr(capture, "compile_all", keep)
        return one_step(CASES["images"], chosen), sizes, "\n".join(code)


def test_a_step_of_a_net(chosen, monkeypatch):
    """It takes less memory, and its gradients have an error of rounding."""
    found, sizes, _ = run_step(chosen, monkeypatch)
    expected, full, _ = run_step(chosen.with_precision("float32"), monkeypatch)
    assert full["float32"] - sizes["float32"] == 2 * sizes["|V2"]
    assert sizes["|V2"] > 0.4 * full["float32"]
    for one, other in zip(found, expected, strict=True):
        assert np.linalg.norm(one - other) <= 0.04 * np.linalg.norm(other)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_nvrtc_has_no_warning(chosen, monkeypatch, architecture):
    _, _, code = run_step(chosen, monkeypatch)
    assert "bfloat16*" in code
    assert nvrtc_compile(code, architecture) == ""


NETS = {
    "fully connected": (
        an.Linear(3072, 64),
        an.BatchNorm(),
        an.ReLU(),
        an.Linear(64, 32),
        an.ReLU(),
        an.Linear(32, 10),
    ),
    "convolutional": (
        *(an.Conv2d(8, 3, stride=2, bias=False), an.BatchNorm(), an.ReLU(), an.MaxPool2d(2)),
        *(an.Conv2d(16, 3, bias=False), an.BatchNorm(), an.ReLU(), an.GlobalPool(), an.Linear(16, 10)),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NETS)
def test_training_reaches_the_cost_of_float32(chosen, name):
    data, net = split("drawn", few_images(), train=240, val=60), an.Sequential(*NETS[name], input_shape=(3, 32, 32))
    short, full = (
        an.fit(net, data, an.SGD(0.02, momentum=0.9), epochs=2, batch_size=40, backend=chosen, precision=precision)
        for precision in ("bf16", "float32")
    )
    for one, other in zip(short.history, full.history, strict=True):
        assert one.train_cost == pytest.approx(other.train_cost, rel=0.02)
        assert one.train_cost != other.train_cost
