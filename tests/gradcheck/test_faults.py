"""Every fault is caught, by every method, in the array where it lies; and nothing is reported where there is none."""

import numpy as np
import pytest
from cost_faults import CLASSES, LOSS_FAULTS, LOSSES, PENALTY_FAULTS, spoilt
from faults import FEATURES, LAYER_FAULTS, LAYERS, Spoilt

from anynet import BatchNorm, Linear, Sequential, Tanh
from anynet.gradcheck import METHODS, GradientError, check, of_layer, of_loss, of_net, subjects

N_FAULTS = 132

NET = Sequential(Linear(FEATURES, 6), BatchNorm(6), Tanh(), Linear(6, CLASSES))
N = 6


@pytest.fixture(params=METHODS)
def method(request):
    return request.param


def failing(result):
    """The arrays whose gradients are wrong; an error that names them is raised for these and no others."""
    wrong = {name for name, entry in result.entries.items() if not entry.passed}
    if wrong:
        with pytest.raises(GradientError) as error:
            result.require()
        named = str(error.value).splitlines()[0].removeprefix("the gradient is not the derivative by ")
        assert set(named.split(", ")) == wrong
    else:
        result.require()
    return wrong


def of_spoilt_net(net, **kwargs):
    rng = np.random.default_rng(0)
    x, params = rng.standard_normal((N, FEATURES)), rng.standard_normal(NET.layout.size)
    return of_net(net, x, rng.integers(0, CLASSES, N), params=params, l2=0.1, **kwargs)


def of_spoilt_loss(loss):
    rng = np.random.default_rng(0)
    return of_loss(loss, 1.5 * rng.standard_normal((N, CLASSES)), rng.integers(0, CLASSES, N))


def test_there_are_so_many_faults():
    assert len(LAYER_FAULTS) + len(LOSS_FAULTS) + len(PENALTY_FAULTS) == N_FAULTS


# ---- without a fault


@pytest.mark.parametrize("name", LAYERS)
def test_an_unspoilt_layer_passes(method, name):
    layer, train = LAYERS[name]
    assert failing(check(of_layer(layer, train=train), method=method)) == set()


@pytest.mark.parametrize("name", LOSSES)
def test_an_unspoilt_loss_passes(method, name):
    assert failing(check(of_spoilt_loss(LOSSES[name]), method=method)) == set()


def test_an_unspoilt_net_passes(method):
    assert failing(check(of_spoilt_net(NET), method=method, probes=5)) == set()


# ---- with a fault


@pytest.mark.parametrize("fault", LAYER_FAULTS, ids=" - ".join)
def test_a_layers_fault_is_found_where_it_lies(method, fault):
    name, array, _ = fault
    layer, train = LAYERS[name]
    subject = of_layer(Spoilt(layer, array, LAYER_FAULTS[fault]), train=train)
    assert failing(check(subject, method=method)) == {array}


@pytest.mark.parametrize("fault", LOSS_FAULTS, ids=" - ".join)
def test_a_losses_fault_is_found(method, fault):
    subject = of_spoilt_loss(spoilt(LOSSES[fault[0]], LOSS_FAULTS[fault]))
    assert failing(check(subject, method=method)) == {"logits"}


@pytest.mark.parametrize("fault", PENALTY_FAULTS)
def test_a_penaltys_fault_is_found_where_it_lies(monkeypatch, method, fault):
    wrong, where = PENALTY_FAULTS[fault]
    monkeypatch.setattr(subjects, "add_l2_gradient", wrong)
    assert failing(check(of_spoilt_net(NET), method=method, probes=5)) == where


@pytest.mark.parametrize(
    ("i", "array", "fault", "where"),
    [
        # A bias ahead of batch normalisation has no influence, so its gradient is 0, doubled or not.
        (3, "input", ("Linear", "input", "factor 2"), {"0.W", "1.gamma", "1.beta", "input"}),
        (2, "input", ("Tanh", "input", "without the square"), {"0.W", "1.gamma", "1.beta", "input"}),
        (1, "input", ("BatchNorm training", "input", "without the mean"), {"0.W", "0.b", "input"}),
        (1, "input", ("BatchNorm training", "input", "without the variance"), {"0.W", "input"}),
        (1, "gamma", ("BatchNorm training", "gamma", "of the scaled"), {"1.gamma"}),
        (0, "b", ("Linear", "b", "of the first sample"), {"0.b"}),
        (0, "W", ("Linear", "W", "factor 1.001"), {"0.W"}),
        (0, "input", ("Linear", "input", "sign"), {"input"}),
    ],
)
def test_a_fault_inside_a_net_is_found_there_and_in_all_that_is_derived_from_it(method, i, array, fault, where):
    layers = list(NET.layers)
    layers[i] = Spoilt(layers[i], array, LAYER_FAULTS[fault])
    assert failing(check(of_spoilt_net(Sequential(*layers)), method=method, probes=5)) == where


@pytest.mark.parametrize("members", [1, 3])
def test_a_fault_is_found_in_members(method, members):
    layer = Spoilt(BatchNorm(FEATURES), "input", lambda s: s.right + 1e-3)
    assert failing(check(of_layer(layer, members=members), method=method)) == {"input"}
