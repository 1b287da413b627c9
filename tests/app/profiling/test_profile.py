"""Profiles by a clock that every operation moves on by a known time."""

from dataclasses import dataclass
from importlib import import_module

import numpy as np
import pytest
from on_backends import on_backends

import anynet as an
from anynet.app.config import Config
from anynet.app.experiment import Experiment
from anynet.app.profiling import Profile, profile, timing
from anynet.app.profiling.parts import Label, Part, labeled_loss, labeled_net
from anynet.app.profiling.timing import STEPS
from anynet.backends import backend
from anynet.backends.base import Backend
from anynet.compiler import interpreter
from anynet.compiler.numpy import blocks as numpy_blocks
from anynet.data import Dataset, Split

MICROSECOND = 1e-6
READING, PRODUCT, OTHER = 0.5 * MICROSECOND, 100 * MICROSECOND, MICROSECOND
"""What a look at the clock takes, a matrix product, and any other operation."""

DEEP = an.Sequential(an.Linear(3072, 6), an.BatchNorm(6), an.ReLU(), an.Linear(6, 5), an.Sigmoid(), an.Linear(5, 3))
RESIDUAL = an.Sequential(
    an.Linear(3072, 6), an.Residual(an.BatchNorm(6), an.Residual(an.Linear(6, 6))), an.Linear(6, 3)
)
CASES = {
    "one layer": (an.Sequential(an.Linear(3072, 3)), {"l2": 0.0}),
    "deep": (DEEP, {}),
    "adam, hinge": (DEEP, {"optimizer": "adam", "loss": "hinge"}),
    "flip": (DEEP, {"flip": True}),
    "crop, reverse": (DEEP, {"crop": 2, "reverse": True, "l2": 0.0}),
    "float64": (DEEP, {"dtype": "float64", "nesterov": True}),
    "a short epoch": (DEEP, {"batch_size": 30}),
}


class Clock:
    """Moves on when it is looked at, and when somebody says what they do."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += READING
        return self.now

    def work(self, op: str) -> None:
        self.now += PRODUCT if op == "matmul" else OTHER


def experiment(here: Backend, net: an.Sequential = DEEP, **settings) -> Experiment:
    rng = np.random.default_rng(0)
    parts = [Split(rng.integers(0, 256, (n, 3, 32, 32), dtype=np.uint8), rng.integers(0, 3, n)) for n in (40, 5, 5)]
    config = Config(**{"batch_size": 7, "epochs": 2, **settings})
    optimizer = an.Adam(0.01) if config.optimizer == "adam" else an.SGD(0.01, momentum=0.9, nesterov=config.nesterov)
    return Experiment(config, net, Dataset("drawn", tuple(map(str, range(net.n_out))), *parts), optimizer, here)


@pytest.fixture
def clock(backend_here, monkeypatch):
    """A clock that the backend's operations move on: the calls of a record, or what is done one by one."""
    ticking = Clock()
    monkeypatch.setattr(timing, "ROUNDS", 1)

    def heard(calls, ops):
        (function, args), *others = calls

        def first(*args):
            for op in ops:
                ticking.work(op)
            return function(*args)

        return [(first, args), *others]

    target = type(backend_here.target)
    if backend_here.target is None:
        evaluate = interpreter.evaluate

        def one(xp, node, args, kwargs):
            ticking.work(node.op)
            return evaluate(xp, node, args, kwargs)

        monkeypatch.setattr(interpreter, "evaluate", one)
        return ticking
    plain, copy = target.calls, target.copy
    monkeypatch.setattr(target, "calls", lambda self, node, *rest: heard(plain(self, node, *rest), [node.op]))
    monkeypatch.setattr(target, "copy", lambda self, *arrays: heard([copy(self, *arrays)], ["copy"])[0])
    if target.__name__ != "TorchTarget":  # whose groups here are single calls
        group = target.group_calls
        monkeypatch.setattr(
            target,
            "group_calls",
            lambda self, nodes, memory, *, hot: heard(group(self, nodes, memory, hot=hot), [n.op for n in nodes]),
        )
    return ticking


def parts_of(found: Profile, name: str, *, products: bool) -> list[float]:
    """Microseconds of a layer's forward and backward."""
    parts = [Part(Label(name, direction), products) for direction in ("forward", "backward")]
    return [found.parts.get(part, 0.0) / MICROSECOND for part in parts]


@on_backends(
    "case",
    CASES,
    fast={"torch:cpu": ["deep", "adam, hinge"], "jax": ["one layer"], "emulated cupy": ["one layer", "adam, hinge"]},
)
def test_all_that_is_done_is_in_one_row(backend_here, clock, case):
    net, settings = CASES[case]
    found = profile(experiment(backend_here, net, **settings), clock)
    for i, name in enumerate(found.rows[1:-2]):
        expected = [0, 0] if "Linear" not in name else [100, 100] if i == 0 else [100, 200]
        assert parts_of(found, name, products=True) == pytest.approx(expected)
    assert [part for part in found.parts if part.products and "Linear" not in part.label.row] == []
    assert {part.label.row for part in found.parts} == set(found.rows)
    assert min(found.row(name) for name in found.rows) > 0
    assert sum(map(found.row, found.rows)) + found.rest == pytest.approx(found.total)
    moving = backend_here.execution == "recorded steps"  # a compiled loop and a graph move no clock
    whole = found.rest if moving else found.total
    assert whole == pytest.approx(READING / STEPS)


@pytest.mark.parametrize("backend_here", ["numpy"], indirect=True)
def test_a_machine_that_does_something_else_for_a_while(backend_here, clock, monkeypatch):
    monkeypatch.setattr(timing, "ROUNDS", 5)
    undisturbed, rng = profile(experiment(backend_here), clock), np.random.default_rng(0)

    def disturbed() -> float:
        clock.now += rng.integers(2)  # within half of the loops, and of the calls
        return clock()

    found = profile(experiment(backend_here), disturbed)
    assert found.parts == pytest.approx(undisturbed.parts)
    assert found.total == pytest.approx(undisturbed.total)


@pytest.mark.parametrize("backend_here", ["numpy", "torch:cpu"], indirect=True)
@pytest.mark.parametrize("large", [4, 1 << 14, 1 << 30])
def test_elementwise_operations_are_counted_by_layer(backend_here, clock, large, monkeypatch):
    """Also where those of several layers run together, as NumPy's on arrays that are large enough do."""
    monkeypatch.setattr(numpy_blocks, "LARGE", large)
    layers = (an.Linear(3072, 6), an.ReLU(), an.Linear(6, 6), an.Sigmoid(), an.Linear(6, 6), an.Tanh(), an.Linear(6, 3))
    found = profile(experiment(backend_here, an.Sequential(*layers)), clock)
    expected = {
        "0 Linear 3072-6": [1, 1],  # + b; the sum over dy
        "1 ReLU": [1, 2],  # maximum; a comparison, where
        "2 Linear 6-6": [1, 1],
        "3 Sigmoid": [4, 3],  # 0.5 * (tanh(0.5 * x) + 1); dy * y * (1 - y)
        "4 Linear 6-6": [1, 1],
        "5 Tanh": [1, 3],
        "6 Linear 6-3": [1, 1],
    }
    assert {name: parts_of(found, name, products=False) for name in expected} == {
        name: pytest.approx(counts) for name, counts in expected.items()
    }


@pytest.mark.parametrize("backend_here", ["numpy", "torch:cpu"], indirect=True)
def test_load_is_what_is_done_with_images_before_layers_have_them(backend_here, clock):
    plain, flipped = (profile(experiment(backend_here, flip=flip), clock) for flip in (False, True))
    operations = 5  # images and labels taken, astype, * scale, + shift
    assert plain.row("load") / MICROSECOND == pytest.approx(operations)
    mirrored = 1 if backend_here.name == "numpy" else 2  # of which NumPy needs no copy to choose from
    assert flipped.row("load") / MICROSECOND == pytest.approx(operations + mirrored)
    for name in plain.rows[1:]:
        assert flipped.row(name) == pytest.approx(plain.row(name))


@pytest.mark.parametrize("backend_here", ["numpy", "torch:cpu"], indirect=True)
def test_the_penalty_is_part_of_the_update(backend_here, clock):
    net = an.Sequential(an.Linear(3072, 16), an.ReLU(), an.Linear(16, 16))  # without gaps in its vector
    with_and_without = [profile(experiment(backend_here, net, l2=l2), clock) for l2 in (0.1, 0.0)]
    updates = [found.row("update") / MICROSECOND for found in with_and_without]
    joined = 1 if backend_here.name == "numpy" else 0  # the vector, which runs with the update
    assert updates[0] - updates[1] == pytest.approx(2 + joined)  # λ times W, and added
    for name in with_and_without[0].rows[:-1]:
        assert with_and_without[0].row(name) == pytest.approx(with_and_without[1].row(name))


@pytest.mark.parametrize("backend_here", ["numpy"], indirect=True)
def test_what_a_residual_adds_is_part_of_its_last_layer(backend_here, clock):
    """Of each of two, one operation forward and one backward."""
    branch = an.Sequential(RESIDUAL[0], an.Sequential(RESIDUAL[1][0], an.Sequential(*RESIDUAL[1][1])), RESIDUAL[2])
    found, without = (profile(experiment(backend_here, net), clock) for net in (RESIDUAL, branch))
    assert found.rows == without.rows
    more = {name: (found.row(name) - without.row(name)) / MICROSECOND for name in found.rows}
    assert more == pytest.approx({name: 4.0 * name.startswith("1.1.0 ") for name in found.rows})


@pytest.mark.parametrize("bare", [DEEP, RESIDUAL], ids=["deep", "residual"])
def test_a_labeled_net_is_the_same_net(bare, rng):
    net, x, labels = labeled_net(bare), rng.standard_normal((7, 3072)), np.arange(7) % 3
    params, state = bare.init(3, like=x)
    for one, other in zip(net.init(3, like=x)[1].values(), state.values(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(net.init(3, like=x)[0], params)
    loss = an.losses.softmax_cross_entropy
    results = []
    for n, cost in ((net, labeled_loss(loss)), (bare, loss)):
        logits, cache, new = n.forward(params, state, x, train=True)
        value, dlogits = cost(logits, labels)
        grads = n.parameter_gradients(params, cache, dlogits)
        results.append([logits, value, grads, *n.backward(params, cache, dlogits), *new.values()])
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


@dataclass(frozen=True)
class Dropout(an.Layer):
    def forward(self, params, state, x, *, train, rng=None):
        mask = an.random.uniform(rng, x.shape[-2:], x.dtype)
        return x * mask, mask, state

    def backward(self, params, cache, dy):
        return dy * cache, {}


@pytest.mark.parametrize("backend_here", ["numpy", "torch:cpu"], indirect=True)
def test_random_numbers_are_counted_by_layer(backend_here, clock):
    net = an.Sequential(an.Linear(3072, 6), Dropout(), an.Linear(6, 3))
    found = profile(experiment(backend_here, net), clock)
    forward, backward = parts_of(found, "1 Dropout", products=False)
    assert forward > 100  # twenty rounds of the generator
    assert backward == pytest.approx(1)


class Counting(an.Layer):
    """Identity that counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def forward(self, params, state, x, *, train):
        self.calls += 1
        return x, None, state

    def backward(self, params, cache, dy):
        return dy, {}


@pytest.mark.parametrize(
    "backend_here",
    ["numpy", "torch:cpu", "emulated cupy", pytest.param("jax", marks=pytest.mark.slow)],
    indirect=True,
)
def test_steps_that_are_not_compiled_are_timed_as_they_are(backend_here, monkeypatch):
    """The layers are called in every step of the whole; the operations are the same as of recorded steps."""
    monkeypatch.setattr(timing, "ROUNDS", 1)
    layer = Counting()
    net = an.Sequential(an.Linear(3072, 3), layer)
    found = profile(experiment(backend_here, net, compile="off"))
    assert layer.calls == 1 + (2 + timing.ROUNDS) * STEPS  # recorded once, for the labels
    assert parts_of(found, "0 Linear 3072-3", products=True) > [0, 0]
    assert set(found.parts) == set(profile(experiment(backend_here, net, compile="on")).parts)


def test_a_profile_is_of_the_target_that_runs_the_steps(emulated_cupy, monkeypatch):
    """Here of separate kernels, because a graph fails after the probe."""
    assert emulated_cupy.execution == "CUDA graph"
    monkeypatch.setattr(timing, "ROUNDS", 1)
    net, capture = CASES["one layer"][0], import_module("anynet.compiler.cuda.capture")

    def fail(*args):
        raise capture.CaptureError("no graph")

    monkeypatch.setattr(capture.Capture, "graph", fail)
    with pytest.warns(an.CompileWarning, match="^steps run as separate kernels, more slowly: no graph"):
        found = profile(experiment(emulated_cupy, net))
    assert {part.label.row for part in found.parts} == set(found.rows)
    with pytest.raises(an.CompileError, match=r"^steps cannot run as CUDA graph: no graph"):
        profile(experiment(emulated_cupy, net, compile="on"))


def test_images_that_are_streamed_are_refused():
    with pytest.raises(ValueError, match=r"the training images take 0.00 GB, more than --memory-budget.*--train"):
        profile(experiment(backend("numpy"), memory_budget=1e-6))


def test_the_table_in_80_columns():
    parts = {
        Part(Label("load"), False): 19.0,
        Part(Label("0 Linear 3072-50", "forward"), True): 200.0,
        Part(Label("0 Linear 3072-50", "forward"), False): 30.0,
        Part(Label("0 Linear 3072-50", "backward"), True): 1400.0,
        Part(Label("loss"), False): 5.0,
        Part(Label("update"), False): 50.0,
    }
    seconds = {part: microseconds * MICROSECOND for part, microseconds in parts.items()}
    rows = ("load", "0 Linear 3072-50", "1 ReLU", "loss", "update")
    said = str(Profile(rows, seconds, 1900 * MICROSECOND, 100, "numpy on cpu, float32"))
    lines = [line.strip() for line in said.splitlines()]
    assert lines[0] == "Microseconds of a training step: 100 images, numpy on cpu, float32"
    assert [line.split() for line in lines[4:]] == [
        ["load", "19", "1.0%"],
        ["0", "Linear", "3072-50", "200", "30", "1,400", "1,630", "85.8%"],
        ["1", "ReLU", "0", "0.0%"],
        ["loss", "5", "0.3%"],
        ["update", "50", "2.6%"],
        ["Python", "196", "10.3%"],
        [],
        ["total", "200", "30", "1,400", "0", "1,900", "100.0%"],
        ["52,632", "images/s", "in", "training", "steps;", "Python:", "between", "the", "calls"],
    ]
    assert max(map(len, lines)) <= 80
    long = str(Profile((*rows, "x" * 60), seconds, 1900 * MICROSECOND, 100, "numpy on cpu, float32"))
    assert max(map(len, long.splitlines())) <= 80
    assert long.count("x") == 60
    assert ["load", "19", "1.0%"] in [line.split() for line in long.splitlines()]
    faster = str(Profile(rows, seconds, 1000 * MICROSECOND, 100, "jax on cpu:0, float32"))
    assert ["fused", "-704", "-70.4%"] in [line.split() for line in faster.splitlines()]
