"""Elementwise operations as loops that Numba compiles: the same as NumPy's, one by one."""

import numpy as np
import pytest
from array_api_compat import array_namespace

import anynet as an
from anynet.backends.numpy import Numpy
from anynet.compiler.numpy import blocks as numpy_blocks
from anynet.compiler.numpy.target import NumpyTarget
from anynet.core.random import key
from anynet.data import Augmentation, Loader, Normalization, Split
from anynet.training.batch_loop import BatchLoop
from anynet.training.step import Fixed, start, train_step

kernels = pytest.importorskip("anynet.compiler.numpy.numba_kernels", exc_type=ImportError)

NETS = {
    "relu and batch norm": (an.Linear(3072, 6), an.BatchNorm(6), an.ReLU(), an.Linear(6, 3)),
    "tanh and leaky relu": (an.Linear(3072, 6), an.Tanh(), an.Linear(6, 5), an.LeakyReLU(), an.Linear(5, 3)),
    "gated": (an.Linear(3072, 6), an.GELU("none"), an.Linear(6, 5), an.Hardswish(), an.Linear(5, 3)),
    "block": (
        *(an.Linear(3072, 6), an.Residual(an.GroupNorm(2, 6), an.ELU(), an.Dropout(0.4), an.Scale(6, 0.5))),
        *(an.LayerNorm(6), an.Linear(6, 3)),
    ),
}
OPTIMIZERS = {"sgd": an.SGD(), "nesterov": an.SGD(momentum=0.9, nesterov=True), "adam": an.Adam()} | {
    "lion": an.Lion(0.001, weight_decay=0.1),
    "muon": an.Muon(weight_decay=0.1),
}


@pytest.fixture
def compiled(monkeypatch):
    """Small arrays are large enough, and compiled at once; the sources that were."""
    sources = []
    compile_source = kernels._compile.__wrapped__
    monkeypatch.setattr(NumpyTarget, "patience", 1)
    monkeypatch.setattr(numpy_blocks, "LARGE", 24)
    monkeypatch.setattr(kernels, "_compile", lambda source: sources.append(source) or compile_source(source))
    return sources


def train(net, optimizer, split, members, dtype, hot, loss=an.losses.softmax_cross_entropy):
    """Two epochs of batches of eight, with a penalty, a rate for each member, and images mirrored."""
    backend, augmentation = Numpy("numpy", "cpu"), Augmentation(flip=True)
    step = train_step(net, loss, optimizer)
    loop = BatchLoop(step, backend, augmentation)
    seeds = range(members) if members else 0
    carry = start(net, optimizer, *net.init(seeds, like=np.zeros(1, dtype)))
    k = np.arange(1, members + 1) if members else np.asarray(1)
    keys = np.stack([key(seed) for seed in seeds]) if members else key(0)
    scale, shift = np.full(3072, 1 / 64, dtype), np.full(3072, -2, dtype)
    fixed = Fixed(Normalization(scale, shift), (0.01 * k).astype(dtype), keys)
    lr = np.stack([0.01 * k] * 3).astype(dtype)
    loader = Loader(split, backend)
    for epoch in range(2):
        batches = loader.shuffled(8, 0, epoch, augmentation)
        if hot:
            carry = loop(carry, fixed, batches, lr)
            continue
        for i, batch in enumerate(batches):
            carry = step(carry, fixed, batch, lr[i, ...])
    return carry


@pytest.mark.parametrize(
    ("net", "optimizer", "members", "dtype"),
    [
        ("relu and batch norm", "nesterov", 2, "float64"),
        pytest.param("relu and batch norm", "nesterov", 0, "float64", marks=pytest.mark.slow),
        pytest.param("relu and batch norm", "sgd", 2, "float64", marks=pytest.mark.slow),
        ("tanh and leaky relu", "adam", 0, "float32"),
        ("gated", "sgd", 0, "float64"),
        ("block", "sgd", 2, "float64"),
        pytest.param("tanh and leaky relu", "lion", 2, "float64", marks=pytest.mark.slow),
        pytest.param("tanh and leaky relu", "muon", 2, "float64", marks=pytest.mark.slow),
    ],
)
def test_they_train_as_the_plain_step_does(compiled, rng, net, optimizer, members, dtype):
    n = 20 if net == "relu and batch norm" else 16  # without a short batch there are half as many loops to compile
    split = Split(rng.integers(0, 256, (n, 3072), dtype=np.uint8), rng.integers(0, 3, n))
    settings = an.Sequential(*NETS[net]), OPTIMIZERS[optimizer], split, members, dtype
    loss = an.losses.CrossEntropy(0.1, (1, 2, 3)) if net == "block" else an.losses.softmax_cross_entropy
    expected, actual = (train(*settings, hot=hot, loss=loss) for hot in (False, True))
    assert any("uint8" in source for source in compiled)
    assert actual.params.dtype == dtype
    tolerance = 1e-9 if dtype == "float64" else 1e-3
    np.testing.assert_allclose(actual.params, expected.params, rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(actual.step, expected.step)


def operations(x, y):
    """What a loop can be, in one: comparisons, choices, casts, infinities and numbers that are none."""
    xp = x.__array_namespace__()
    bounded = xp.minimum(xp.maximum(x, y), 2.0)
    chosen = xp.where((x < y) | (x >= 1), -x, abs(y) / 3)
    return xp.sign(x) + xp.sqrt(abs(bounded)) + chosen * xp.astype(x != y, x.dtype) - xp.where(x > 0, y, 0.0)


def test_infinities_and_nan_are_kept(compiled):
    special = np.asarray([0.0, -0.0, 1.5, -2.5, np.inf, -np.inf, np.nan])
    x, y = (part.ravel() for part in np.meshgrid(special, special))
    loop = Numpy("numpy", "cpu").loop(lambda carry, shared, row: operations(carry, row))
    with np.errstate(invalid="ignore"):
        expected = operations(x, y)
    np.testing.assert_allclose(loop(x, None, y[None], lambda n: None), expected, rtol=1e-15)
    assert compiled


NUMBERS = {
    "beside integers": lambda xp, x, y: xp.astype(9 * x, xp.int64) * 0.5 + y,
    "compared with integers": lambda xp, x, y: (xp.astype(9 * x, xp.int64) > 0.5) * y,
    "beside bools": lambda xp, x, y: ((x > 0) + 1) * y,
    "in both places of a choice": lambda xp, x, y: xp.where(x > 0, 2.5, 0.0) + y,
    "without digits": lambda xp, x, y: xp.where(x > 0, xp.inf, xp.maximum(y, -xp.inf)),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(compiled, rng, name):
    def step(carry, shared, row):
        return NUMBERS[name](array_namespace(carry, row), carry, row)

    x, y = rng.standard_normal((2, 30))
    actual = Numpy("numpy", "cpu").loop(step)(x, None, y[None], lambda n: None)
    np.testing.assert_allclose(actual, step(x, None, y), rtol=1e-15)


@pytest.mark.parametrize(("many", "loops"), [(8, 2), (9, 0)])
def test_long_groups_are_divided_where_there_is_no_expression(compiled, monkeypatch, rng, many, loops):
    """One loop ahead of ``tanh`` and one behind it; a group of fewer than `MANY` others runs block by block."""
    monkeypatch.setattr(kernels, "MANY", many)

    def step(carry, shared, row):
        ahead = 0.5 * (carry + row) * (1.0 - row)
        return array_namespace(carry, row).tanh(ahead) * carry + ahead * row - 0.25

    x, rows = rng.standard_normal(30), rng.standard_normal((3, 30))
    actual, expected = Numpy("numpy", "cpu").loop(step)(x, None, rows, lambda n: None), x
    for row in rows:
        expected = step(expected, None, row)
    np.testing.assert_allclose(actual, expected, rtol=1e-13, atol=1e-13)
    assert len(compiled) == loops


def test_it_waits_until_a_step_has_run_often(monkeypatch, rng):
    monkeypatch.setattr(numpy_blocks, "LARGE", 2)
    made = []
    monkeypatch.setattr(kernels, "kernel_calls", lambda *group: made.append(group) or numpy_blocks.block_calls(*group))
    loop = Numpy("numpy", "cpu").loop(lambda carry, shared, row: carry * 0.5 + row)
    monkeypatch.setattr(NumpyTarget, "patience", 100)  # twelve steps of two operations on four elements are 96
    carry, rows = np.zeros(4), rng.random((6, 4))
    for _ in range(2):
        carry = loop(carry, None, rows, lambda n: None)
    assert not made
    loop(carry, None, rows, lambda n: None)
    assert made
