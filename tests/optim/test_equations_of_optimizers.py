"""Optimizers on NumPy against their equations, written for single numbers, and at the edges of shapes and settings."""

import math
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from anynet import SGD, Adam
from anynet.optim import Optimizer
from anynet.optim.schedules import Cosine, Warmup

RATES = [0.1, 0.1, 0.2, 0.05, 0.025]
GRADIENTS = [2.0, -0.5, 0.0, 3.0, -1.5]
"""One for each step."""


def sgd(momentum, nesterov):
    """θ after each step from θ = 1, by the equations of SGD's docstring."""
    theta, v = 1.0, 0.0
    for eta, g in zip(RATES, GRADIENTS, strict=True):
        v = momentum * v + g
        theta = theta - eta * (g + momentum * v if nesterov else v)
        yield theta


def adam(beta1, beta2, eps):
    """θ after each step from θ = 1, by algorithm 1 of Kingma & Ba."""
    theta, m, v = 1.0, 0.0, 0.0
    for t, (eta, g) in enumerate(zip(RATES, GRADIENTS, strict=True), 1):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        theta -= eta * (m / (1 - beta1**t)) / (math.sqrt(v / (1 - beta2**t)) + eps)
        yield theta


CASES = {
    "SGD": (SGD(), sgd(0.0, False)),
    "momentum": (SGD(momentum=0.7), sgd(0.7, False)),
    "Nesterov": (SGD(momentum=0.7, nesterov=True), sgd(0.7, True)),
    "Adam": (Adam(), adam(0.9, 0.999, 1e-8)),
    "Adam, settings": (Adam(beta1=0.5, beta2=0.8, eps=0.25), adam(0.5, 0.8, 0.25)),
    "Adam, beta1=0": (Adam(beta1=0, beta2=0.8), adam(0, 0.8, 1e-8)),
    "Adam, beta2=0": (Adam(beta1=0.5, beta2=0, eps=0.25), adam(0.5, 0, 0.25)),
}
EXPECTED = {name: list(path) for name, (_, path) in CASES.items()}


@pytest.mark.parametrize("name", CASES)
def test_steps_are_the_equations(name):
    optimizer, params = CASES[name][0], np.asarray([1.0, 1.0])
    state = optimizer.init(params)
    for eta, g, expected in zip(RATES, GRADIENTS, EXPECTED[name], strict=True):
        params, state = optimizer.update(params, np.asarray([g, g]), state, np.asarray(eta))
        np.testing.assert_allclose(params, expected, rtol=1e-12)


def test_default_settings():
    assert SGD() == SGD(lr=0.01, momentum=0.0, nesterov=False)
    assert Adam() == Adam(lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8)
    assert Optimizer() == Optimizer(lr=0.01)
    assert (SGD.PER_MEMBER, Adam.PER_MEMBER) == (("momentum",), ())


@pytest.mark.parametrize("optimizer", [SGD(), Adam(), Optimizer()], ids=repr)
def test_optimizers_are_values(optimizer):
    assert hash(optimizer) == hash(replace(optimizer))
    with pytest.raises(FrozenInstanceError):
        optimizer.lr = 0.5


@pytest.mark.parametrize("optimizer", [SGD(), SGD(momentum=0.9), Adam()])
@pytest.mark.parametrize(("shape", "lr"), [((4,), (4,)), ((2, 3, 4), (2,)), ((2, 3, 4), (3,)), ((2, 4), (1,))])
def test_rates_are_shared_or_one_per_member(optimizer, shape, lr):
    params = np.ones(shape)
    with pytest.raises(ValueError, match=r"^lr: expected shape \(\) or .*, one for each member, got ") as refusal:
        optimizer.update(params, params, optimizer.init(params), np.ones(lr))
    assert f"expected shape () or {shape[:-1]}, one" in str(refusal.value)
    optimizer.update(params, params, optimizer.init(params), np.ones(shape[:-1]))


@pytest.mark.parametrize("shape", [(3,), (3, 1, 2), (2, 3), ()])
def test_momenta_need_one_axis_of_members(shape):
    optimizer, params = SGD(momentum=(0.9, 0.5, 0.3)), np.ones(shape)
    with pytest.raises(
        ValueError, match=r"^\(0\.9, 0\.5, 0\.3\): expected one value for each member of params, of shape "
    ):
        optimizer.update(params, params, optimizer.init(params), np.ones(params.shape[:-1]))


def test_momenta_keep_the_dtype():
    optimizer, params = SGD(momentum=(0.9, 0.5)), np.ones((2, 3), np.float32)
    after, state = optimizer.update(params, params, optimizer.init(params), np.float32(0.1) * np.ones(2, np.float32))
    assert after.dtype == state["velocity"].dtype == np.float32


@pytest.mark.parametrize("optimizer", [SGD(momentum=0.5), SGD(momentum=(0.5, 0.9)), Adam()])
def test_steps_stay_on_the_device(optimizer):
    library = pytest.importorskip("array_api_strict")
    device = library.Device("device1")
    params = library.ones((2, 3), device=device)
    state = optimizer.init(params)
    after, new = optimizer.update(params, params, state, library.asarray(0.1, device=device))
    for array in (after, *state.values(), *new.values()):
        assert array.device == device


def test_waves_shorter_than_an_epoch():
    assert Cosine(0.1, epochs=0.5)(0.25) == pytest.approx(0.05, rel=1e-14)
    assert Warmup(0.5, then=Cosine(0.1, epochs=0.5))(0.25) == pytest.approx(0.05, rel=1e-14)
