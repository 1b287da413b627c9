"""Optimizers on NumPy against their equations, written for single numbers, and at the edges of shapes and settings."""

import math
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from anynet import SGD, Adam, AdamW, BatchNorm, Linear, Lion, Muon, RMSprop, Sequential
from anynet.optim import Optimizer
from anynet.optim.schedules import Cosine, Warmup

RATES = [0.1, 0.1, 0.2, 0.05, 0.025]
GRADIENTS = [2.0, -0.5, 0.0, 3.0, -1.5]
"""One for each step."""


def sgd(momentum, nesterov, decay=0.0):
    """θ after each step from θ = 1, by the equations of SGD's docstring."""
    theta, v = 1.0, 0.0
    for eta, g in zip(RATES, GRADIENTS, strict=True):
        v = momentum * v + g
        theta = theta - eta * (g + momentum * v if nesterov else v) - eta * decay * theta
        yield theta


def adam(beta1, beta2, eps, decay=0.0):
    """θ after each step from θ = 1, by algorithm 1 of Kingma & Ba, or algorithm 2 of Loshchilov & Hutter."""
    theta, m, v = 1.0, 0.0, 0.0
    for t, (eta, g) in enumerate(zip(RATES, GRADIENTS, strict=True), 1):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        theta -= eta * ((m / (1 - beta1**t)) / (math.sqrt(v / (1 - beta2**t)) + eps) + decay * theta)
        yield theta


def rmsprop(alpha, eps, momentum, centered):
    """θ after each step from θ = 1, by the equations of RMSprop's docstring."""
    theta, v, mean, b = 1.0, 0.0, 0.0, 0.0
    for eta, g in zip(RATES, GRADIENTS, strict=True):
        v, mean = alpha * v + (1 - alpha) * g**2, alpha * mean + (1 - alpha) * g
        b = momentum * b + g / (math.sqrt(v - mean**2 if centered else v) + eps)
        theta -= eta * b
        yield theta


def lion(beta1, beta2, decay):
    """θ after each step from θ = 1, by algorithm 2 of Chen et al."""
    theta, m = 1.0, 0.0
    for eta, g in zip(RATES, GRADIENTS, strict=True):
        c = beta1 * m + (1 - beta1) * g
        theta -= eta * ((c > 0) - (c < 0) + decay * theta)
        m = beta2 * m + (1 - beta2) * g
        yield theta


CASES = {
    "SGD": (SGD(), sgd(0.0, False)),
    "momentum": (SGD(momentum=0.7), sgd(0.7, False)),
    "Nesterov": (SGD(momentum=0.7, nesterov=True), sgd(0.7, True)),
    "Adam": (Adam(), adam(0.9, 0.999, 1e-8)),
    "Adam, settings": (Adam(beta1=0.5, beta2=0.8, eps=0.25), adam(0.5, 0.8, 0.25)),
    "Adam, beta1=0": (Adam(beta1=0, beta2=0.8), adam(0, 0.8, 1e-8)),
    "Adam, beta2=0": (Adam(beta1=0.5, beta2=0, eps=0.25), adam(0.5, 0, 0.25)),
    "SGD, decay": (SGD(weight_decay=0.5), sgd(0.0, False, 0.5)),
    "Nesterov, decay": (SGD(momentum=0.7, nesterov=True, weight_decay=0.5), sgd(0.7, True, 0.5)),
    "AdamW": (AdamW(), adam(0.9, 0.999, 1e-8, 0.01)),
    "AdamW, settings": (AdamW(beta1=0.5, beta2=0.8, eps=0.25, weight_decay=0.5), adam(0.5, 0.8, 0.25, 0.5)),
    "AdamW, no decay": (AdamW(weight_decay=0), adam(0.9, 0.999, 1e-8)),
    "RMSprop": (RMSprop(), rmsprop(0.99, 1e-8, 0, False)),
    "RMSprop, alpha=0": (RMSprop(alpha=0), rmsprop(0, 1e-8, 0, False)),
    "RMSprop, momentum": (RMSprop(alpha=0.75, eps=0.25, momentum=0.5), rmsprop(0.75, 0.25, 0.5, False)),
    "RMSprop, centered": (RMSprop(alpha=0.75, eps=0.25, centered=True), rmsprop(0.75, 0.25, 0, True)),
    "RMSprop, both": (RMSprop(momentum=0.5, centered=True), rmsprop(0.99, 1e-8, 0.5, True)),
    "Lion": (Lion(), lion(0.9, 0.99, 0)),
    "Lion, settings": (Lion(beta1=0.5, beta2=0.25, weight_decay=0.5), lion(0.5, 0.25, 0.5)),
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
    assert SGD() == SGD(lr=0.01, momentum=0.0, nesterov=False, weight_decay=0.0, decoupled=True)
    assert Adam() == Adam(lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8)
    assert Optimizer() == Optimizer(lr=0.01)
    assert AdamW() == AdamW(lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01)
    assert RMSprop() == RMSprop(lr=0.01, alpha=0.99, eps=1e-8, momentum=0.0, centered=False)
    assert Lion() == Lion(lr=0.0001, beta1=0.9, beta2=0.99, weight_decay=0.0)
    assert Muon() == Muon(0.02, 0.95, weight_decay=0.0, adam_lr=0.015, steps=5, keep_norm=False, matrices="hidden")
    assert (Optimizer.PER_MEMBER, Adam.PER_MEMBER, RMSprop.PER_MEMBER) == ((), (), ("momentum",))
    assert AdamW.PER_MEMBER == Lion.PER_MEMBER == ("weight_decay",)
    assert SGD.PER_MEMBER == Muon.PER_MEMBER == ("momentum", "weight_decay")


@pytest.mark.parametrize("optimizer", [SGD(), Adam(), AdamW(), RMSprop(), Lion(), Muon(), Optimizer()], ids=repr)
def test_optimizers_are_values(optimizer):
    assert hash(optimizer) == hash(replace(optimizer))
    with pytest.raises(FrozenInstanceError):
        optimizer.lr = 0.5


@pytest.mark.parametrize("optimizer", [SGD(), SGD(momentum=0.9, weight_decay=0.1), Adam(), AdamW(), RMSprop(), Lion()])
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


@pytest.mark.parametrize(
    "optimizer",
    [
        *(SGD(momentum=0.5), SGD(momentum=(0.5, 0.9)), SGD(weight_decay=(0.1, 0.2)), Adam(), AdamW()),
        *(RMSprop(momentum=(0.5, 0.9), centered=True), Lion()),
    ],
)
def test_steps_stay_on_the_device(optimizer):
    library = pytest.importorskip("array_api_strict")
    device = library.Device("device1")
    params = library.ones((2, 3), device=device)
    state = optimizer.init(params)
    after, new = optimizer.update(params, params, state, library.asarray(0.1, device=device))
    for array in (after, *state.values(), *new.values()):
        assert array.device == device


@pytest.mark.parametrize("kind", [SGD, AdamW, Lion])
def test_weights_decay_and_nothing_else(rng, kind):
    """By a rate and a decay for each member; without a layout everything decays."""
    layout, lr, decay = Sequential(Linear(3, 4), BatchNorm(4)).layout, np.asarray([0.1, 0.2]), (0.5, 0.25)
    params, grads = rng.standard_normal((2, 2, layout.size))
    found = {}
    for weight_decay in (0.0, decay):
        optimizer = kind(weight_decay=weight_decay)
        for own in (layout, None):
            found[own, weight_decay], _ = optimizer.update(params, grads, optimizer.init(params), lr, layout=own)
    mask = np.arange(layout.size) < layout.n_weights
    expected = np.outer(lr * decay, np.ones(layout.size)) * params
    np.testing.assert_allclose(found[layout, 0.0] - found[layout, decay], np.where(mask, expected, 0), atol=1e-15)
    np.testing.assert_allclose(found[None, 0.0] - found[None, decay], expected, atol=1e-15)


@pytest.mark.parametrize("optimizer", [SGD(weight_decay=0.1), SGD(), AdamW(), Lion(), Muon()])
def test_layouts_of_other_nets_are_refused(optimizer):
    params = np.ones((2, 33))
    with pytest.raises(ValueError, match=r"^layout: expected that of params, of shape \(2, 33\), got one of 32$"):
        optimizer.update(params, params, optimizer.init(params), layout=Sequential(Linear(2, 3)).layout)


def test_a_variance_below_zero_is_zero():
    """Of equal gradients, whose mean and mean square round differently."""
    optimizer, params = RMSprop(alpha=0.9, eps=0.5, centered=True), np.ones(1000, np.float32)
    grads, state = np.linspace(1, 2, 1000, dtype=np.float32), optimizer.init(params)
    grads = np.where(np.arange(1000) < 500, grads, 1e3 * grads)
    for _ in range(300):
        params, state = optimizer.update(params, grads, state)
    variance = state["v"] - state["mean"] ** 2
    assert np.min(variance) < 0 < np.max(variance)
    assert np.all(np.isfinite(params))


def test_signs_of_what_is_not_finite():
    """NaN stays NaN, so that a net that has diverged is not trained on."""
    grads = np.asarray([np.nan, np.inf, -np.inf, -0.0, 1e-300])
    params, _ = Lion(0.5).update(np.zeros(5), grads, Lion().init(grads))
    np.testing.assert_array_equal(params, [np.nan, -0.5, 0.5, 0, -0.5])


def test_waves_shorter_than_an_epoch():
    assert Cosine(0.1, epochs=0.5)(0.25) == pytest.approx(0.05, rel=1e-14)
    assert Warmup(0.5, then=Cosine(0.1, epochs=0.5))(0.25) == pytest.approx(0.05, rel=1e-14)
