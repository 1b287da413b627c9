"""Trainings whose steps run natively, compared with the plain step."""

import numpy as np
import pytest
from array_api_compat import array_namespace

import anynet as an
from anynet.backends.numpy import Numpy
from anynet.compiler.numpy import target
from anynet.compiler.numpy.target import CALL, NumpyTarget
from anynet.core.random import key
from anynet.data import Augmentation, Loader, Normalization, Split
from anynet.optim.lookahead import Lookahead
from anynet.training.batch_loop import BatchLoop
from anynet.training.step import Fixed, start, train_step

pytest.importorskip("llvmlite")

WAITS = NumpyTarget.waits

NETS = {
    "relu and batch norm": (an.Linear(3072, 6), an.BatchNorm(6), an.ReLU(), an.Linear(6, 3)),
    "tanh and leaky relu": (an.Linear(3072, 6), an.Tanh(), an.Linear(6, 5), an.LeakyReLU(), an.Linear(5, 3)),
    "gated": (an.Linear(3072, 6), an.GELU("none"), an.Linear(6, 5), an.Hardswish(), an.Linear(5, 3)),
    "block": (
        *(an.Linear(3072, 6), an.Residual(an.GroupNorm(2, 6), an.ELU(), an.Dropout(0.4), an.Scale(6, 0.5))),
        *(an.LayerNorm(6), an.Linear(6, 3)),
    ),
    "images": (
        an.Sequential(an.Conv2d(6, 3, stride=2), an.ReLU(), an.Conv2d(4, 3), an.GlobalPool(), input_shape=(3, 32, 32)),
        an.Linear(4, 3),
    ),
}
OPTIMIZERS = {"sgd": an.SGD(), "nesterov": an.SGD(momentum=0.9, nesterov=True), "adam": an.Adam()} | {
    "lion": an.Lion(0.001, weight_decay=0.1),
    "muon": an.Muon(weight_decay=0.1),
}


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
        ("images", "nesterov", 2, "float64"),
        pytest.param("tanh and leaky relu", "lion", 2, "float64", marks=pytest.mark.slow),
        pytest.param("tanh and leaky relu", "muon", 2, "float64", marks=pytest.mark.slow),
    ],
)
def test_they_train_as_the_plain_step_does(launches, rng, net, optimizer, members, dtype):
    n = 20 if net == "relu and batch norm" else 16  # a short batch is another step
    split = Split(rng.integers(0, 256, (n, 3072), dtype=np.uint8), rng.integers(0, 3, n))
    settings = an.Sequential(*NETS[net]), OPTIMIZERS[optimizer], split, members, dtype
    loss = an.losses.CrossEntropy(0.1, (1, 2, 3)) if net == "block" else an.losses.softmax_cross_entropy
    expected, actual = (train(*settings, hot=hot, loss=loss) for hot in (False, True))
    assert launches
    assert actual.params.dtype == dtype
    tolerance = 1e-9 if dtype == "float64" else 1e-3
    np.testing.assert_allclose(actual.params, expected.params, rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(actual.step, expected.step)


def test_slow_weights_are_in_the_one_program(launches, rng):
    def step(carry, shared, move):
        slow, params, since = carry
        return Lookahead(3, 0.7).update(slow, params + move, since)

    weights, moves = rng.standard_normal((2, 4)), rng.standard_normal((7, 2, 4))
    carry = weights, weights, np.asarray(0.0)
    actual = Numpy("numpy", "cpu").loop(step)(carry, None, moves, lambda n: None)
    for move in moves:
        carry = step(carry, None, move)
    for one, other in zip(actual, carry, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    assert launches == [1]


def operations(x, y):
    """What a loop can be, in one: comparisons, choices, casts, infinities and numbers that are none."""
    xp = x.__array_namespace__()
    bounded = xp.minimum(xp.maximum(x, y), 2.0)
    chosen = xp.where((x < y) | (x >= 1), -x, abs(y) / 3)
    return xp.sign(x) + xp.sqrt(abs(bounded)) + chosen * xp.astype(x != y, x.dtype) - xp.where(x > 0, y, 0.0)


def test_infinities_and_nan_are_kept(launches):
    special = np.asarray([0.0, -0.0, 1.5, -2.5, np.inf, -np.inf, np.nan])
    x, y = (part.ravel() for part in np.meshgrid(special, special))
    loop = Numpy("numpy", "cpu").loop(lambda carry, shared, row: operations(carry, row))
    with np.errstate(invalid="ignore"):
        expected = operations(x, y)
    np.testing.assert_allclose(loop(x, None, y[None], lambda n: None), expected, rtol=1e-15)
    assert launches == [1]


NUMBERS = {
    "beside integers": lambda xp, x, y: xp.astype(9 * x, xp.int64) * 0.5 + y,
    "compared with integers": lambda xp, x, y: (xp.astype(9 * x, xp.int64) > 0.5) * y,
    "beside bools": lambda xp, x, y: ((x > 0) + 1) * y,
    "in both places of a choice": lambda xp, x, y: xp.where(x > 0, 2.5, 0.0) + y,
    "without digits": lambda xp, x, y: xp.where(x > 0, xp.inf, xp.maximum(y, -xp.inf)),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(rng, name):
    def step(carry, shared, row):
        return NUMBERS[name](array_namespace(carry, row), carry, row)

    x, y = rng.standard_normal((2, 30))
    actual = Numpy("numpy", "cpu").loop(step)(x, None, y[None], lambda n: None)
    np.testing.assert_allclose(actual, step(x, None, y), rtol=1e-15)


def test_it_waits_until_a_step_has_run_often(launches, monkeypatch):
    """Two operations on four elements; a call counts as `CALL` elements."""
    monkeypatch.setattr(NumpyTarget, "waits", WAITS)
    monkeypatch.setattr(NumpyTarget, "patience", 12 * (CALL + 4))
    loop = Numpy("numpy", "cpu").loop(lambda carry, shared, row: carry * 0.5 + row)
    carry, rows = np.zeros(4), np.ones((6, 4))
    carry = loop(carry, None, rows[:5], lambda n: None)
    assert not launches  # but it may begin now
    for _ in range(2):
        carry = loop(carry, None, rows, lambda n: None)
    assert launches == [1]
    np.testing.assert_allclose(carry, 2 - 0.5**16)


def test_streamed_samples_give_the_same_bits(launches, monkeypatch, rng):
    """Native code takes over at the same step, though that of streamed samples takes no rows of a table."""
    monkeypatch.setattr(NumpyTarget, "waits", WAITS)
    monkeypatch.setattr(NumpyTarget, "patience", 2000)
    monkeypatch.setattr(target, "CALL", 0)
    net, data = an.Sequential(an.Linear(12, 9), an.Tanh(), an.Linear(9, 3)), (rng.random((66, 12)), np.arange(66) % 3)
    kept, streamed = (
        an.fit(net, data, an.SGD(0.1), epochs=15, batch_size=6, memory_budget=budget, backend="numpy").last.params
        for budget in (None, 0)
    )
    assert launches
    np.testing.assert_array_equal(streamed, kept)
