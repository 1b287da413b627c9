"""What a check finds of whole nets, on every backend, with members and in every way it can be set."""

from dataclasses import dataclass

import numpy as np
import pytest
from array_api_compat import array_namespace
from formulas import SMOOTH

from anynet import BatchNorm, Layer, LeakyReLU, Linear, ReLU, Sequential, Sigmoid, Tanh
from anynet.core.random import key, uniform
from anynet.gradcheck import METHODS, check, of_layer, of_loss, of_net
from anynet.nn.losses import hinge, softmax_cross_entropy

N, FEATURES, CLASSES = 8, 5, 3

NETS = {
    "2 layers": Sequential(Linear(FEATURES, 6), BatchNorm(6), Tanh(), Linear(6, CLASSES)),
    "3 layers": Sequential(
        Linear(FEATURES, 6), BatchNorm(6), ReLU(), Linear(6, 5), BatchNorm(5), LeakyReLU(0.1), Linear(5, CLASSES)
    ),
    "4 layers": Sequential(
        Linear(FEATURES, 6),
        BatchNorm(6),
        ReLU(),
        Linear(6, 6),
        BatchNorm(6),
        Sigmoid(),
        Linear(6, 5),
        BatchNorm(5),
        Tanh(),
        Linear(5, CLASSES),
    ),
}


@pytest.fixture(params=METHODS)
def method(request):
    return request.param


@pytest.fixture
def data(rng):
    return rng.standard_normal((N, FEATURES)), rng.integers(0, CLASSES, N)


def largest(result):
    return max(float(entry.relative.max()) for entry in result.entries.values())


# ---- nets


@pytest.mark.parametrize("name", NETS)
def test_a_net_with_batch_normalization_agrees_to_a_millionth(name, data):
    net = NETS[name]
    result = check(of_net(net, *data, l2=1e-3))
    result.require()
    assert list(result.entries) == [*sorted(net.layout.slots, key=lambda name: int(name.split(".")[0])), "input"]
    assert largest(result) < 1e-6
    assert all(len(entry.lines) == entry.size and not entry.kinks.any() for entry in result.entries.values())


def test_a_bias_ahead_of_batch_normalization_has_no_slope(data):
    net = NETS["3 layers"]
    entries = check(of_net(net, *data)).entries
    for i, layer in enumerate(net.layers[1:], start=1):
        if isinstance(layer, BatchNorm):
            bias = entries[f"{i - 1}.b"]
            assert np.abs(bias.analytical).max() < 1e-10
            assert np.abs(bias.numerical).max() < 1e-10


def test_a_net_passes_in_training_and_evaluation_with_every_loss_and_method(data, method):
    for loss in (softmax_cross_entropy, hinge):
        for train in (False, True):
            subject = of_net(NETS["3 layers"], *data, loss=loss, train=train, l2=0.1)
            check(subject, method=method, probes=5).require()


def test_evaluation_is_another_function_than_training(data):
    training, evaluation = (
        check(of_net(NETS["2 layers"], *data, train=train)).entries["input"].analytical for train in (True, False)
    )
    assert not np.allclose(training, evaluation)


@pytest.mark.parametrize("shared", [True, False], ids=["shared input", "own inputs"])
def test_members_pass_each_with_its_own_penalty(method, shared, rng):
    net, K = NETS["2 layers"], 3
    params, state = net.init(range(K), like=np.zeros(1))
    x = rng.standard_normal((N, FEATURES) if shared else (K, N, FEATURES))
    labels = rng.integers(0, CLASSES, N if shared else (K, N))
    result = check(of_net(net, x, labels, params=params, state=state, l2=[0.0, 1e-3, 0.5]), method=method, probes=20)
    result.require()
    assert result.entries["input"].size == x.size
    assert result.entries["0.W"].size == K * FEATURES * 6
    assert all(entry.relative.max() < METHODS[method].tolerance for entry in result.entries.values())


def test_members_are_checked_as_they_are_alone(rng):
    net, K = NETS["2 layers"], 2
    params, state = net.init(range(K), like=np.zeros(1))
    x, labels = rng.standard_normal((N, FEATURES)), rng.integers(0, CLASSES, N)
    together = check(of_net(net, x, labels, params=params, state=state)).entries["0.W"].numerical
    for k, found in enumerate(np.split(together, K)):
        alone = of_net(net, x, labels, params=params[k], state={name: s[k] for name, s in state.items()})
        np.testing.assert_allclose(found, check(alone).entries["0.W"].numerical, atol=1e-8)


@pytest.mark.parametrize("members", [None, 1, 4])
@pytest.mark.parametrize("layer", [Linear(4, 3), BatchNorm(4), ReLU()], ids=["Linear", "BatchNorm", "ReLU"])
def test_a_layer_is_drawn_with_its_members(layer, members):
    result = check(of_layer(layer, members=members, seed=3))
    result.require()
    ahead = () if members is None else (members,)
    assert result.point["input"].shape == (*ahead, 6, layer.features()[0] or 5)


@pytest.mark.parametrize("loss", [softmax_cross_entropy, hinge])
@pytest.mark.parametrize("shape", [(), (2,)], ids=["single", "members"])
def test_losses_pass(loss, shape, method, rng):
    logits = rng.standard_normal((*shape, N, CLASSES))
    check(of_loss(loss, logits, rng.integers(0, CLASSES, N)), method=method).require()


# ---- backends and dtypes


def test_every_backend_passes_with_the_same_gradients(backend_here, data):
    net = NETS["3 layers"]
    result, here = (check(of_net(net, *data, l2=1e-3, backend=name), probes=5) for name in (backend_here, "numpy"))
    result.require()
    for name, entry in result.entries.items():
        np.testing.assert_allclose(entry.analytical, here.entries[name].analytical, rtol=1e-9, atol=1e-12)


def test_every_backend_passes_in_float32_with_a_tolerance_for_it(backend_here, data):
    subject = of_net(NETS["2 layers"], *data, l2=1e-3, backend=backend_here, dtype="float32")
    result = check(subject, tolerance=1e-2, probes=20)
    result.require()
    assert all(x.dtype == np.float32 for x in result.point.values())
    assert all(entry.numerical.dtype == np.float64 for entry in result.entries.values())


# ---- random numbers


@dataclass(frozen=True)
class Dropout(Layer):
    """Half of the numbers, those that the key says."""

    def forward(self, params, state, x, *, train, rng=None):
        if not train:
            return x, x * 0 + 1, state
        mask = array_namespace(x).astype(uniform(rng, x.shape[-2:], x.dtype) < 0.5, x.dtype)
        return x * mask, mask, state

    def backward(self, params, cache, dy):
        return dy * cache, {}


def test_a_layer_with_random_numbers_gets_one_key_in_every_evaluation(backend_here):
    subject = of_layer(Dropout(), seed=3, backend=backend_here, dtype="float32")
    check(subject, tolerance=1e-2, probes=5).require()
    given = [of_layer(Dropout(), seed=3, rng=key(seed), backend=backend_here, dtype="float32") for seed in (3, 4)]
    zero, same, other = (each.gradients(each.point)["input"] == 0 for each in (subject, *given))
    np.testing.assert_array_equal(zero, same)
    assert (zero != other).any()
    assert 0 < zero.sum() < zero.size


@pytest.mark.parametrize("train", [True, False])
def test_a_net_with_random_numbers_passes(data, train):
    result = check(of_net(Sequential(Linear(FEATURES, 6), Dropout(), Linear(6, CLASSES)), *data, train=train), probes=9)
    result.require()


def test_members_have_random_numbers_of_their_own():
    dx = check(of_layer(Dropout(), members=2)).entries["input"].analytical.reshape(2, -1)
    assert ((dx[0] == 0) != (dx[1] == 0)).any()


# ---- settings


def test_probes_are_drawn_by_the_seed_without_repetition(data):
    def drawn(seed):
        entry = check(of_net(NETS["2 layers"], *data), probes=7, seed=seed).entries["0.W"]
        return [str(line) for line in entry.lines]

    assert drawn(1) == drawn(1) != drawn(2)
    assert len(set(drawn(1))) == 7


def test_all_elements_are_compared_where_there_are_no_more_than_probes(data):
    entries = check(of_net(NETS["2 layers"], *data), probes=10).entries
    assert {name: len(entry.lines) for name, entry in entries.items()} == {
        name: min(10, entry.size) for name, entry in entries.items()
    }
    assert [str(line) for line in entries["3.b"].lines] == ["[0]", "[1]", "[2]"]


def test_ten_directions_or_a_thousand_elements_are_compared_by_default(rng):
    subject = SMOOTH["sin"].at(rng.uniform(0, 1, (40, 40)))
    assert len(check(subject).entries["x"].lines) == 1000
    assert len(check(subject, method="directional").entries["x"].lines) == 10
    assert len(check(subject, method="directional", probes=3).entries["x"].lines) == 3


def test_a_step_and_a_tolerance_can_be_set(rng):
    subject = SMOOTH["sin"].at(rng.uniform(0.5, 1, 10))
    entry = check(subject, method="finite", step=1e-3, tolerance=1e-5).entries["x"]
    assert (entry.step, entry.tolerance) == (1e-3, 1e-5)
    assert entry.passed  # one-sided, 1e-3 off, until that power of the step is taken away
    assert not check(subject, step=0.3).passed
    assert check(subject, step=0.3, tolerance=1e-2).passed


def test_sizes_of_the_input_may_be_left_out(rng):
    x, labels = rng.standard_normal((6, 4)), np.arange(6) % 2
    sized = Sequential(Linear(4, 5), Tanh(), Linear(5, 2))
    found, same = (check(of_net(net, x, labels)) for net in (Sequential(Linear(5), Tanh(), Linear(2)), sized))
    found.require()
    assert f"{found}" == f"{same}"
