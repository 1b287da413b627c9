"""Training under settings of the array libraries that their users have chosen for other work."""

import contextlib
import importlib

import numpy as np
import pytest

import anynet as an
from anynet.data import Dataset, Split

TRAININGS = {
    "momentum, penalty, flips and crops": {"l2": 1e-3, "flip": True, "crop": 2, "reverse": True},
    "members, Adam, hinge": {"optimizer": an.Adam(1e-3), "loss": an.losses.hinge, "seeds": (1, 2), "epochs": 1},
    "plain steps, channels, streamed": {"compile": "off", "normalize": "standardize:channel", "memory_budget": 0},
}

first, *others = TRAININGS.values()
MARKED = [first, *(pytest.param(each, marks=pytest.mark.thorough) for each in others)]


@pytest.fixture(scope="module")
def data() -> Dataset:
    rng = np.random.default_rng(0)
    train, val, test = (Split(rng.integers(0, 256, (n, 3, 32, 32), np.uint8), np.arange(n) % 4) for n in (90, 30, 30))
    return Dataset("noise", tuple("abcd"), train, val, test, False)


def results(data, backend, optimizer=an.SGD(0.01, momentum=0.9, nesterov=True), **settings):  # noqa: B008
    """Costs, probabilities, and how steps ran; activations saturate and exponentials underflow in this net."""
    net = an.Sequential(
        *(an.Linear(3072, 20, init=an.Normal(0.5)), an.Sigmoid(), an.Linear(20, 8), an.BatchNorm(8), an.LeakyReLU()),
        *(an.Linear(8, 8, init=an.Normal(30)), an.Tanh(), an.ReLU(), an.Linear(8, 4, init=an.Normal(300))),
    )
    settings = {"epochs": 2, "batch_size": 60} | settings
    trained = an.fit(net, data, optimizer, backend=backend, progress=False, **settings)
    run = trained[0] if isinstance(trained, an.Runs) else trained
    return [row.train_cost for row in run.history], run.predict_proba(data.test.x).tolist(), run.execution


@contextlib.contextmanager
def torch_default_device():
    torch = importlib.import_module("torch")
    torch.set_default_device("meta")
    try:
        yield
    finally:
        torch.set_default_device(None)


@contextlib.contextmanager
def torch_default_dtype():
    torch = importlib.import_module("torch")
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextlib.contextmanager
def torch_deterministic():
    torch = importlib.import_module("torch")
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


def torch_inference_mode():
    return importlib.import_module("torch").inference_mode()


@contextlib.contextmanager
def jax_options(**options):
    config = importlib.import_module("jax").config
    before = {name: getattr(config, name) for name in options}
    for name, value in options.items():
        config.update(name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            config.update(name, value)


OF_JAX = {
    "rank promotion raises": {"jax_numpy_rank_promotion": "raise"},
    "rank promotion warns": {"jax_numpy_rank_promotion": "warn"},
    "strict dtypes": {"jax_numpy_dtype_promotion": "strict"},
    "matmul precision": {"jax_default_matmul_precision": "bfloat16"},
    "NaN raises": {"jax_debug_nans": True},
}
STRICT = {"jax_numpy_rank_promotion": "raise", "jax_numpy_dtype_promotion": "strict", "jax_debug_nans": True}
OF_JAX["all of them"] = STRICT | OF_JAX["matmul precision"]
"""One alone is slow: JAX compiles anew under each."""

CHOSEN = [
    ("numpy", "errors raised", lambda: np.errstate(all="raise")),
    ("numpy", "printed briefly", lambda: np.printoptions(precision=1, threshold=1)),
    ("torch:cpu", "default device", torch_default_device),
    ("torch:cpu", "default dtype", torch_default_dtype),
    ("torch:cpu", "deterministic", torch_deterministic),
    ("torch:cpu", "inference mode", torch_inference_mode),
    *(("jax:cpu", name, lambda name=name: jax_options(**OF_JAX[name])) for name in OF_JAX),
]
chosen = pytest.mark.parametrize(
    ("backend", "choose"),
    [
        pytest.param(b, c, marks=[pytest.mark.slow] * (name in OF_JAX and name != "all of them"))
        for b, name, c in CHOSEN
    ],
    ids=[f"{b}-{name}" for b, name, _ in CHOSEN],
)


@pytest.fixture(scope="module")
def usual(data):
    """Results with the settings that the libraries have by themselves, made once."""
    known = {}

    def result(backend, settings):
        key = backend, str(settings)
        if key not in known:
            known[key] = results(data, backend, **settings)
        return known[key]

    return result


@pytest.mark.parametrize("settings", MARKED, ids=TRAININGS)
@chosen
def test_training_is_the_same(data, usual, backend, choose, settings):
    pytest.importorskip(backend.split(":")[0])
    expected = usual(backend, settings)
    with choose():
        assert results(data, backend, **settings) == expected


@chosen
def test_gradients_are_checked(backend, choose, rng):
    pytest.importorskip(backend.split(":")[0])
    net = an.Sequential(an.Linear(5, 8, init=an.Normal(0.5)), an.BatchNorm(8), an.Tanh(), an.Linear(8, 4))
    subject = an.gradcheck.of_net(net, rng.normal(size=(6, 5)), np.arange(6) % 4, l2=1e-3, backend=backend)
    with choose():
        assert an.gradcheck.check(subject).passed
        assert an.gradcheck.sweep(subject, [1e-3, 1e-5], probes=2).keys() == {"finite", "central", "directional"}
