"""Training and evaluation in each backend's own loop give what they give step by step."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from array_api_compat import array_namespace
from libraries import tree_map
from loops import PLAIN, RECORDED, RECORDING, own, plain, recorded, recording
from numerical import assert_close
from on_backends import TESTED_ON_CPU, compiling, marked, on_backends

import anynet as an
from anynet.backends import Backend
from anynet.compiler.numpy import blocks as numpy_blocks
from anynet.core.random import key
from anynet.core.tree import flatten
from anynet.data import Augmentation, Loader, Normalization, Split
from anynet.data import sample_pass as loading
from anynet.nn.l2 import add_l2_gradient, l2_cost
from anynet.training.batch_loop import BatchLoop
from anynet.training.evaluation_step import Totals, Trained, evaluation_step, zero_totals
from anynet.training.step import Carry, Fixed, start, train_step


class Case(NamedTuple):
    """What to train, and how; members: None for one net, or how many are trained at once."""

    net: an.Sequential
    loss: an.losses.Loss = an.losses.softmax_cross_entropy
    optimizer: an.Optimizer = an.SGD()
    l2: float = 0.0
    augmentation: Augmentation | None = None
    members: int | None = None
    dtype: str = "float64"
    resident: bool = True


N = 12
DEEP = an.Sequential(an.Linear(N, 16), an.BatchNorm(16), an.ReLU(), an.Linear(16, 7), an.Tanh(), an.Linear(7, 3))
SMOOTH = an.Sequential(an.Linear(N, 16), an.Tanh(), an.Linear(16, 7), an.Tanh(), an.Linear(7, 3))
"""Without batch normalization: ahead of it, gradients of biases are rounding, of which Lion takes the signs."""
WIDE = an.Sequential(an.Linear(3072, 8), an.ReLU(), an.Linear(8, 3))
ADAM = an.Adam(0.01, eps=1e-4)
BLOCKS = an.Sequential(
    *(an.Linear(N, 16), an.LayerNorm(16), an.Dropout(0.3)),
    an.Residual(
        an.Linear(16, 12), an.GroupNorm(3, 12), an.GELU(), an.Dropout(0.2), an.Linear(12, 16), an.Scale(16, 0.5)
    ),
    an.Residual(an.ELU()),
    an.Linear(16, 3),
)
"""Residual connections, normalized samples and random numbers."""
GROUPS = an.Groups(
    groups={"2.W": None, "*.W": an.Muon(weight_decay=0.1, matrices="all"), "*": an.SGD(0.5, momentum=0.9)}
)
IMAGES = an.Sequential(
    *(an.Conv2d(4, 3, bias=False), an.BatchNorm(), an.ReLU(), an.MaxPool2d(2)),
    an.Residual(an.Conv2d(6, 3, stride=2), an.Tanh(), an.Conv2d(6, groups=2), shortcut=an.Conv2d(6, 1, stride=2)),
    *(an.AvgPool2d((2, 1)), an.Flatten(), an.Linear(3)),
    input_shape=(3, 6, 5),
)
CASES = {
    "one layer": Case(an.Sequential(an.Linear(N, 3))),
    "batch norm first": Case(an.Sequential(an.BatchNorm(N), an.Linear(N, 3)), l2=0.01),
    "an activation first": Case(an.Sequential(an.Sigmoid(), an.Linear(N, 16), an.LeakyReLU(), an.Linear(16, 3))),
    "deep": Case(DEEP),
    "deep, penalty": Case(DEEP, l2=0.01),
    "deep, hinge": Case(DEEP, loss=an.losses.hinge),
    "deep, smoothed": Case(DEEP, loss=an.losses.CrossEntropy(0.1)),
    "members, weighted": Case(DEEP, loss=an.losses.CrossEntropy(0.1, (1, 2, 3)), members=2),
    "momentum": Case(DEEP, optimizer=an.SGD(momentum=0.9), l2=0.01),
    "nesterov": Case(DEEP, optimizer=an.SGD(momentum=0.9, nesterov=True), loss=an.losses.hinge),
    "adam": Case(DEEP, optimizer=ADAM, l2=0.01),
    "adam without memory": Case(DEEP, optimizer=an.Adam(0.01, beta1=0, beta2=0, eps=1e-2)),
    "decay": Case(DEEP, optimizer=an.SGD(momentum=0.9, weight_decay=0.1)),
    "adamw": Case(DEEP, optimizer=an.AdamW(0.01, eps=1e-4, weight_decay=0.1)),
    "rmsprop": Case(DEEP, optimizer=an.RMSprop(0.01, eps=1e-2, momentum=0.5, centered=True)),
    "lion": Case(SMOOTH, optimizer=an.Lion(0.01, weight_decay=0.1)),
    "muon": Case(SMOOTH, optimizer=an.Muon(weight_decay=0.1)),
    "members, decay": Case(DEEP, members=2, optimizer=an.SGD(momentum=(0.9, 0.5), weight_decay=(0.0, 0.1))),
    "members, lion": Case(SMOOTH, members=2, optimizer=an.Lion(0.01, weight_decay=(0.0, 0.1)), dtype="float32"),
    "members, muon": Case(SMOOTH, members=2, optimizer=an.Muon(momentum=(0.9, 0.5), weight_decay=(0.0, 0.1)), l2=0.01),
    "coupled decay": Case(DEEP, optimizer=an.SGD(momentum=0.9, weight_decay=0.1, decoupled=False)),
    "muon, all": Case(SMOOTH, optimizer=an.Muon(steps=3, keep_norm=True, matrices="all")),
    "groups": Case(SMOOTH, optimizer=GROUPS),
    "members, groups": Case(SMOOTH, optimizer=GROUPS, members=2),
    "muon, float32": Case(SMOOTH, optimizer=an.Muon(), dtype="float32"),
    "members": Case(DEEP, members=3, l2=0.01),
    "members, nesterov": Case(DEEP, members=2, optimizer=an.SGD(momentum=0.9, nesterov=True)),
    "members, adam, hinge": Case(DEEP, members=2, optimizer=ADAM, loss=an.losses.hinge, l2=0.01),
    "one member": Case(DEEP, members=1),
    "float32": Case(DEEP, optimizer=an.SGD(momentum=0.9), l2=0.01, dtype="float32"),
    "float32, adam, members": Case(DEEP, optimizer=ADAM, members=2, dtype="float32"),
    "blocks": Case(BLOCKS, l2=0.01),
    "blocks, members": Case(BLOCKS, members=2),
    "dropout first": Case(an.Sequential(an.Dropout(0.2), an.LayerNorm(N), an.Scale(N), an.Linear(N, 3)), members=2),
    "rows of images": Case(an.Sequential(an.Flatten((3, 2, 2)), an.Linear(16), an.ReLU(), an.Linear(3)), members=2),
    "float32, blocks, adam": Case(BLOCKS, optimizer=ADAM, dtype="float32"),
    "flip": Case(WIDE, augmentation=Augmentation(flip=True)),
    "crop": Case(WIDE, augmentation=Augmentation(crop=3)),
    "reverse": Case(WIDE, augmentation=Augmentation(reverse=True)),
    "reflect, cutout": Case(WIDE, augmentation=Augmentation(crop=2, border="reflect", cutout=2, alternate_flip=True)),
    "all of it": Case(WIDE, augmentation=Augmentation(True, 2, True), optimizer=ADAM, l2=0.01, members=2),
    "all of it, float32": Case(WIDE, augmentation=Augmentation(True, 2, True), optimizer=ADAM, dtype="float32"),
    "images": Case(IMAGES, l2=0.01),
    "images, members": Case(IMAGES, optimizer=an.SGD(momentum=0.9), members=2),
    "images, streamed": Case(
        IMAGES, augmentation=Augmentation(True, 1, shape=(3, 6, 5), channels_last=True), dtype="float32", resident=False
    ),
    "a mean over images": Case(an.Sequential(an.Conv2d(3), an.GlobalPool(), input_shape=(3, 6, 5)), members=2),
    "streamed": Case(WIDE, augmentation=Augmentation(True, 2, True), l2=0.01, resident=False),
}


FEW = (
    *("batch norm first", "nesterov", "adamw", "rmsprop", "lion", "members, muon", "members, adam, hinge"),
    *("float32, adam, members", "blocks, members", "images, members", "all of it", "streamed"),
)
"""Cases that cover every optimizer, loss and way of loading; NumPy runs all cases."""


@pytest.fixture(autouse=True)
def blocks(monkeypatch):
    """Two batches of 7 are streamed at once, or more of small images."""
    monkeypatch.setattr(loading, "BLOCK_BYTES", 2 * 7 * 3072)


def run(case: Case, here: Backend) -> tuple[list[Carry], list[Totals]]:
    """Two epochs of batches of 7, the last of 4, and the totals after each in batches of 10, the last of 5."""
    rng = np.random.default_rng(0)
    n_in = case.net.n_in or N
    split = Split(rng.integers(0, 256, (25, n_in), dtype=np.uint8), rng.integers(0, 3, 25))
    members = np.arange(1, 1 + case.members) if case.members else np.asarray(1)

    def put(host):
        return here.asarray(np.asarray(host, case.dtype))

    here.dtype(case.dtype)
    normalization = Normalization(put(rng.uniform(0.01, 0.02, n_in)), put(rng.standard_normal(n_in)))
    loader = Loader(split, here, resident=case.resident, image_shape=case.net.image_shape)
    train = BatchLoop(train_step(case.net, case.loss, case.optimizer), here, case.augmentation)
    evaluate = BatchLoop(evaluation_step(case.net, case.loss), here)
    seed = range(case.members) if case.members else 0
    carry = start(case.net, case.optimizer, *case.net.init(seed, like=put(np.zeros(1))))
    keys = np.stack([key(k) for k in seed]) if case.members else key(0)
    fixed = Fixed(normalization, put(case.l2 * members) if case.l2 else None, here.asarray(keys))
    carries, totals = [], []
    for epoch in range(2):
        rates = put(np.stack([members * rate for rate in np.linspace(0.02, 0.01, 4)]) / (1 + epoch))
        carry = train(carry, fixed, loader.shuffled(7, 0, epoch, case.augmentation), rates)
        trained = Trained(carry.params, carry.state, normalization)
        carries.append(carry)
        totals.append(evaluate(zero_totals(carry.params, loader.y), trained, loader.in_order(10), None))
    return carries, totals


@cache
def run_plain(case: Case) -> tuple[list[Carry], list[Totals]]:
    """The results of NumPy's plain steps, which many tests compare with."""
    return run(case, PLAIN)


def assert_same(case: Case, ours: Backend, theirs: Backend) -> None:
    rtol = 1e-11 if case.dtype == "float64" else 2e-4
    actual, expected = run(case, ours), run_plain(case) if theirs is PLAIN else run(case, theirs)
    for one, other in zip(actual[0], expected[0], strict=True):
        assert ours.to_host(one.params).dtype == case.dtype
        for mine, right in zip((one.state, one.moments), (other.state, other.moments), strict=True):
            assert mine.keys() == right.keys()
            for name in mine:
                assert_close(ours.to_host(mine[name]), theirs.to_host(right[name]), rtol)
        assert_close(ours.to_host(one.params), theirs.to_host(other.params), rtol)
        np.testing.assert_array_equal(ours.to_host(one.step), theirs.to_host(other.step))
        assert not np.any(ours.to_host(one.diverged))
    for one, other in zip(actual[1], expected[1], strict=True):
        assert_close(ours.to_host(one.loss), theirs.to_host(other.loss), rtol)
        np.testing.assert_array_equal(ours.to_host(one.correct), theirs.to_host(other.correct))


@pytest.mark.parametrize("name", CASES)
def test_numpy_records_every_step(name):
    assert_same(CASES[name], RECORDED, PLAIN)


@pytest.mark.parametrize(("size", "large"), [(24 * 32, 8), pytest.param(24 * 10, 4, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", [name for name in CASES if CASES[name].net is not WIDE])
def test_numpy_in_small_blocks(name, size, large, monkeypatch):
    monkeypatch.setattr(numpy_blocks, "SIZE", size)
    monkeypatch.setattr(numpy_blocks, "LARGE", large)
    assert_same(CASES[name], RECORDED, PLAIN)


def test_large_arrays_are_done_in_blocks(monkeypatch):
    done = []
    block_calls = numpy_blocks.block_calls
    monkeypatch.setattr(numpy_blocks, "block_calls", lambda *args: done.append(args) or block_calls(*args))
    run(CASES["all of it"], RECORDED)
    assert done


@pytest.mark.parametrize("where", marked(RECORDING, slow=TESTED_ON_CPU))
@pytest.mark.parametrize(
    "name", [name if name in FEW else pytest.param(name, marks=pytest.mark.thorough) for name in CASES]
)
def test_every_step_is_recorded(name, where, request):
    chosen = recording(where, request)
    assert_same(CASES[name], recorded(chosen), plain(chosen))


def test_every_backend_has_the_same_results(backend_here):
    case = CASES["batch norm first"]._replace(members=2, optimizer=an.SGD(momentum=0.9))
    assert_same(case, backend_here, plain(backend_here))
    assert_same(case, backend_here, PLAIN)


NETS = {"one layer": an.Sequential(an.Linear(13, 5))} | {
    f"{kind}{', batch-normalised' * normalised}": an.Sequential(
        *(an.Linear(13, 17), *([an.BatchNorm(17)] if normalised else []), kind),
        *(an.Linear(17, 9), *([an.BatchNorm(9)] if normalised else []), kind),
        an.Linear(9, 5),
    )
    for kind in (an.ReLU(), an.LeakyReLU(0.1), an.Sigmoid(), an.Tanh())
    for normalised in (False, True)
}
NETS["other activations"] = an.Sequential(
    *(an.Linear(13, 17), an.ELU(0.7), an.Linear(17, 16), an.GELU(), an.Linear(16, 9), an.GELU("none")),
    *(an.Linear(9, 17), an.SiLU(), an.Linear(17, 12), an.Hardswish(), an.Linear(12, 9), an.Softplus()),
    an.Linear(9, 5),
)
FIRST = f"{an.ReLU()}, batch-normalised"


@pytest.mark.parametrize("members", [(), (3,)], ids=["single", "members"])
@on_backends("name", NETS, fast=compiling(FIRST, "other activations"))
def test_gradients_in_a_loop_are_numpys(backend_here, rng, name, members):
    """Summed over three batches of 11, of either loss and the penalty; and costs, and running statistics."""
    net = NETS[name]

    def step(carry, shared, row):
        (params, l2), (images, labels) = shared, row
        logits, cache, state = net.forward(params, carry["state"], images, train=True)
        after = {"state": state, "cost": carry["cost"] + l2_cost(net.layout, params, l2), "grads": carry["grads"]}
        for loss in (an.losses.softmax_cross_entropy, an.losses.hinge):
            value, dlogits = loss(logits, labels)
            after["cost"] = after["cost"] + value
            after["grads"] = after["grads"] + net.parameter_gradients(params, cache, dlogits)
        return after | {"grads": add_l2_gradient(net.layout, after["grads"], params, l2)}

    params = 0.5 * rng.standard_normal((*members, net.layout.size))
    state = {name: rng.uniform(0.5, 2, (*members, *p.shape)) for name, p in net.state().items()}
    carry = {"state": state, "cost": np.zeros(members), "grads": np.zeros_like(params)}
    given = (
        carry,
        (params, rng.uniform(0, 0.1, members)),
        (rng.standard_normal((3, 11, 13)), rng.integers(0, 5, (3, 11))),
    )
    backend_here.dtype("float64")
    actual = own(backend_here).loop(step)(*tree_map(backend_here.asarray, tree_map(np.asarray, given)), int)
    expected = PLAIN.loop(step)(*tree_map(np.asarray, given), int)
    for one, other in zip(flatten(actual)[0], flatten(expected)[0], strict=True):
        assert backend_here.to_host(one).dtype == np.float64
        assert_close(backend_here.to_host(one), other, 1e-10)


def test_a_loss_that_is_not_finite_is_noted(backend_here):
    """By the first such step of each member."""
    case = CASES["members"]
    params, state = case.net.init(range(3), like=backend_here.asarray(np.zeros(1, np.float32)))
    carry = start(case.net, case.optimizer, params, state)
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, (20, N), dtype=np.uint8), rng.integers(0, 3, 20))
    train = BatchLoop(train_step(case.net, case.loss, case.optimizer), backend_here)
    fixed = Fixed(Normalization(*(backend_here.asarray(np.ones(N, np.float32)) for _ in range(2))), None)
    rates = np.full((4, 3), 0.01, np.float32)
    rates[1, 0] = rates[2, 2] = np.nan
    batches = Loader(split, backend_here).shuffled(5, 0, 0)
    after = train(carry, fixed, batches, backend_here.asarray(rates))
    np.testing.assert_array_equal(backend_here.to_host(after.diverged), [3, 0, 4])


@pytest.mark.parametrize("resident", [True, False])
def test_batches_are_seen_and_counted_once(backend_here, rng, resident, monkeypatch):
    monkeypatch.setattr(loading, "BLOCK_BYTES", 2 * 7 * N)
    split = Split(rng.integers(0, 256, (25, N), dtype=np.uint8), np.arange(25) % 3)

    def step(carry, shared, batch, row):
        xp = array_namespace(carry)
        return carry + row * xp.astype(xp.sum(batch.y), carry.dtype)

    ticks = []
    batches = Loader(split, backend_here, resident=resident).in_order(7)
    rates, zero = (backend_here.asarray(np.asarray(host, np.float32)) for host in ([1, 10, 100, 1000], 0))
    total = BatchLoop(step, backend_here)(zero, None, batches, rates, ticks.append)
    sums = [split.y[i : i + 7].sum() for i in range(0, 25, 7)]
    assert float(total) == np.dot(sums, [1, 10, 100, 1000])
    assert sum(ticks) == 4
