"""Every fault is caught in the array where it lies, one of each kind by every method; what is right passes."""

import numpy as np
import pytest
from cost_faults import CLASSES, LOSS_FAULTS, LOSSES, PENALTY_FAULTS, spoilt
from faults import FEATURES, LAYER_FAULTS, LAYERS, OWN, Spoilt

from anynet import BatchNorm, Linear, Sequential, Tanh
from anynet.gradcheck import METHODS, GradientError, check, make_subject, of_layer, of_loss, of_net

N_FAULTS = 157

NET = Sequential(Linear(FEATURES, 6), BatchNorm(6), Tanh(), Linear(6, CLASSES))
N = 6


@pytest.fixture(params=METHODS)
def method(request):
    return request.param


def by_method(faults, by_every):
    """All faults by central differences; those in ``by_every`` by the other methods too."""
    return [
        pytest.param(method, fault, id=f"{method}-{fault if isinstance(fault, str) else ' - '.join(fault)}")
        for method in METHODS
        for fault in faults
        if method == "central" or fault in by_every
    ]


def failing(result):
    """The arrays whose gradients are wrong; an error that names them is raised for these and no others."""
    wrong = {name for name, entry in result.entries.items() if not entry.passed}
    if wrong:
        with pytest.raises(GradientError) as error:
            result.require()
        named = str(error.value).splitlines()[0].removeprefix("wrong gradient with respect to ")
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


@pytest.mark.parametrize(("method", "fault"), by_method(LAYER_FAULTS, OWN))
def test_a_layers_fault_is_found_where_it_lies(method, fault):
    name, array, _ = fault
    layer, train = LAYERS[name]
    subject = of_layer(Spoilt(layer, array, LAYER_FAULTS[fault]), train=train)
    assert failing(check(subject, method=method)) == {array}


@pytest.mark.parametrize(
    ("method", "fault"), by_method(LOSS_FAULTS, [(loss, "factor 1.001") for loss in LOSSES] + [("hinge", "squared")])
)
def test_a_losses_fault_is_found(method, fault):
    subject = of_spoilt_loss(spoilt(LOSSES[fault[0]], LOSS_FAULTS[fault]))
    assert failing(check(subject, method=method)) == {"logits"}


@pytest.mark.parametrize(("method", "fault"), by_method(PENALTY_FAULTS, ["factor 1.001", "instead of the loss's"]))
def test_a_penaltys_fault_is_found_where_it_lies(monkeypatch, method, fault):
    wrong, where = PENALTY_FAULTS[fault]
    monkeypatch.setattr(make_subject, "add_l2_gradient", wrong)
    assert failing(check(of_spoilt_net(NET), method=method, probes=5)) == where


NET_FAULTS = {
    # A bias ahead of batch normalization has no influence, so its gradient is 0, doubled or not.
    (3, "input", "Linear", "factor 2"): {"0.W", "1.gamma", "1.beta", "input"},
    (2, "input", "Tanh", "without the square"): {"0.W", "1.gamma", "1.beta", "input"},
    (1, "input", "BatchNorm training", "without the mean"): {"0.W", "0.b", "input"},
    (1, "input", "BatchNorm training", "without the variance"): {"0.W", "input"},
    (1, "gamma", "BatchNorm training", "of the scaled"): {"1.gamma"},
    (0, "b", "Linear", "of the first sample"): {"0.b"},
    (0, "W", "Linear", "factor 1.001"): {"0.W"},
    (0, "input", "Linear", "sign"): {"input"},
}


@pytest.mark.parametrize("fault", NET_FAULTS, ids=lambda fault: " - ".join(map(str, fault)))
def test_a_fault_inside_a_net_is_found_there_and_in_all_that_is_derived_from_it(fault):
    i, array, layer, name = fault
    layers = list(NET.layers)
    layers[i] = Spoilt(layers[i], array, LAYER_FAULTS[layer, array, name])
    assert failing(check(of_spoilt_net(Sequential(*layers)), probes=5)) == NET_FAULTS[fault]


@pytest.mark.parametrize("members", [1, 3])
def test_a_fault_is_found_in_members(method, members):
    layer = Spoilt(BatchNorm(FEATURES), "input", lambda s: s.right + 1e-3)
    assert failing(check(of_layer(layer, members=members), method=method)) == {"input"}
