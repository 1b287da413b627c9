"""Compilations by NVRTC in the first epoch of a training, as the emulator counts them."""

import numpy as np
import pytest
from array_api_compat import array_namespace
from fake_cupy import Fake, put_in_place

import anynet as an
from anynet.app.build_net import make_net
from anynet.app.build_optimizer import make_optimizer
from anynet.app.config import Config
from anynet.backends import backend


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    return put_in_place(monkeypatch, limit=1 << 30)


KERNELS = {
    "equal layouts": (1, lambda xp, x: (x + x, x[1:] + x[1:])),
    "another function": (2, lambda xp, x: (x + x, x - x)),
    "another layout": (2, lambda xp, x: (x + x, x[:, 1:] + x[:, 1:])),
    "broadcast": (2, lambda xp, x: (x + x, x + x[0])),
    "another dtype": (3, lambda xp, x: (x + x, (y := x.astype("float64")) + y)),
    "reductions": (2, lambda xp, x: (xp.sum(x, 0), xp.max(x, 0), xp.sum(x[:2], 0))),
    "views": (0, lambda xp, x: (x.T, x.reshape(-1), x[1:, None], xp.broadcast_to(x, (2, *x.shape)))),
    "a reshape that copies": (1, lambda xp, x: x.T.reshape(-1)),
    "copies of memory": (0, lambda xp, x: (x.copy(), xp.copyto(xp.empty_like(x), x))),
    "a copy of a part": (1, lambda xp, x: x[:, 1:].copy()),
    "zeros": (0, lambda xp, x: (xp.zeros(3), xp.zeros_like(x), xp.full(3, 0.0), x.fill(0))),
    "other numbers": (2, lambda xp, x: (xp.ones(3, "float32"), xp.full((2, 3), 5.0, "float32"), xp.full(3, 5))),
    "products": (0, lambda xp, x: x @ x.T),
    "parts": (1, lambda xp, x: (xp.concatenate([x, x]), xp.stack([x, x]))),
    "many parts": (1, lambda xp, x: xp.concatenate([x] * 9)),
}
"""Number of kernels that CuPy compiles for some calls."""


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_of_cupy_are_counted_once_for_each_function_dtype_and_layout(fake, name):
    n, calls = KERNELS[name]
    x = fake.cupy.array(np.ones((4, 4), np.float32))
    before = len(fake.compilations.kernels)
    calls(fake.cupy, x)
    assert fake.compilations.kernels[before:] == fake.compilations.kernels[:n]


def test_equal_sources_are_counted_once(fake):
    for k in (1, 2, 1):
        fake.cupy.RawModule(code=f'extern "C" __global__ void f(int* x) {{ *x = {k}; }}').get_function("f")
    assert len(fake.compilations.modules) == 2


def test_a_step_on_data_sets_of_other_lengths_has_one_source(fake):
    """Indices count from the end of each data set where they are negative."""

    def step(carry, shared, row):
        return carry + array_namespace(carry).take(shared, row, axis=0)

    loop, index = backend("cupy").loop(step), np.asarray([[0, -1, 3], [-4, 1, -2]])
    before = len(fake.compilations.modules)
    for n in (4, 7, 300, 301):
        images = np.arange(n) ** 2
        found = loop(*map(fake.cupy.array, (np.zeros(3, np.int64), images, index)), int)
        np.testing.assert_array_equal(found.get(), images[index].sum(axis=0))
    assert len(fake.compilations.modules) == before + 1


def test_lengths_take_room_among_the_arguments_of_a_kernel(fake):
    """CUDA takes 4 KB of them, and two more are the row's."""
    from anynet.compiler.cuda import dependences, kernel_source, kernels, launch
    from anynet.compiler.cuda.phases import Access, Phase

    results = [fake.cupy.zeros(1, "int64") for _ in range(600)]
    phases = [
        Phase((1,), (), (Access(result, (0,)),), ("{y0} = {n0};",), lengths=(k,)) for k, result in enumerate(results)
    ]
    joined = kernels.join(phases, lambda call: dependences.UNKNOWN)
    sources = [kernel_source.write(kernel, f"k{k}") for k, kernel in enumerate(joined)]
    assert max(8 * len(source.arguments) for source in sources) <= 4096 - 16
    for kernel in launch.compile_all(sources):
        kernel()
    assert [int(result[0]) for result in results] == list(range(600))


def test_the_first_epoch_of_the_default_net(fake):
    """Evaluation is in batches of 500, of which 45,000, 5,000 and 10,000 images are whole numbers, too."""
    config, rng, here = Config(), np.random.default_rng(0), backend("cupy")
    splits = [
        an.data.Split(rng.integers(0, 256, (n, 3072), dtype=np.uint8), rng.integers(0, 10, n))
        for n in (1500, 500, 1000)
    ]
    assert here.target is not None  # tried, which takes one module
    modules, kernels = len(fake.compilations.modules), len(fake.compilations.kernels)
    an.fit(
        make_net(config, (3072,), 10),
        an.data.Dataset("random", tuple("0123456789"), *splits),
        make_optimizer(config),
        epochs=1,
        l2=config.l2,
        batch_size=config.batch_size,
        backend=here,
        progress=False,
    )
    assert modules == 1
    assert len(fake.compilations.modules) == modules + 2  # a step of training, and one of evaluation for all splits
    assert [(name, first[0]) for name, first, *_ in fake.compilations.kernels[kernels:]] == [
        ("divide", "float32"),  # the mean loss, not in a step
        ("multiply", "float32"),  # the penalty: squares, their sum, its factor
        ("sum", "float32"),
        ("multiply", "float32"),
        ("add", "float32"),
        ("copy", "float32"),  # all results as one array
        ("copy", "int64"),
    ]
