"""Nets forward and backward: their whole gradient against differences, NumPy and PyTorch's autograd."""

import numpy as np
import pytest
from libraries import tree_map
from nets import CLASSES, FEATURES, NET, NETS, PARAMETERS, N, draw_parts
from numerical import assert_close, central_difference

from anynet import ReLU, Sequential
from anynet.nn.losses import softmax_cross_entropy


def draw(rng, members=(), shared_input=False):
    """Parameters, state, input and labels for the deep net."""
    params = NET.layout.join(draw_parts(NET, rng, members), np.zeros((*members, NET.layout.size)))
    state = {f"1.{name}": rng.uniform(0.5, 2, (*members, 4)) for name in ("mean", "var")}
    x = rng.standard_normal((*(() if shared_input else members), N, FEATURES))
    return params, state, x, rng.integers(0, CLASSES, N)


def train(params, state, x, labels):
    """One pass there and back, with the batch's statistics."""
    logits, cache, state = NET.forward(params, state, x, train=True)
    loss, dlogits = softmax_cross_entropy(logits, labels)
    dx, grads = NET.backward(params, cache, dlogits)
    return loss, logits, dx, grads, NET.parameter_gradients(params, cache, dlogits), state


def evaluate(params, state, x, labels):
    """The same with the running statistics."""
    logits, cache, state = NET.forward(params, state, x, train=False)
    loss, dlogits = softmax_cross_entropy(logits, labels)
    dx, grads = NET.backward(params, cache, dlogits)
    return loss, logits, dx, grads, NET.parameter_gradients(params, cache, dlogits), state


@pytest.fixture(params=[train, evaluate], ids=["training", "evaluation"])
def there_and_back(request):
    return request.param


def flat(tree):
    """The leaves of a result, in order."""
    leaves = []
    tree_map(leaves.append, tree)
    return leaves


def test_the_whole_gradient_is_the_difference(there_and_back, members, rng):
    params, state, x, labels = draw(rng, members)
    _, _, dx, grads, _, _ = there_and_back(params, state, x, labels)

    def loss(params, x):
        return float(np.sum(there_and_back(params, state, x, labels)[0]))

    # All of the vector, gaps included: no difference there.
    assert_close(grads, central_difference(lambda p: loss(p, x), params), 1e-8)
    assert_close(dx, central_difference(lambda x: loss(params, x), x), 1e-8)
    parts = NET.layout.split(grads)
    for name in set(PARAMETERS) - ({"0.b"} if there_and_back is train else set()):
        assert np.max(np.abs(parts[name])) > 1e-3, name  # none is left out
    np.testing.assert_array_equal(NET.layout.join(parts, grads), grads)  # the gaps hold nothing


def test_parameter_gradients_are_the_second_part_of_backward(xp, there_and_back, members, rng):
    _, _, _, grads, grads_alone, _ = xp.call(there_and_back, *draw(rng, members))
    assert np.max(np.abs(grads)) > 1e-3
    np.testing.assert_array_equal(grads_alone, grads)


def test_libraries_agree(xp, there_and_back, members, rng):
    inputs = draw(rng, members)
    actual, expected = xp.call(there_and_back, *inputs), there_and_back(*inputs)
    for one, other in zip(flat(actual), flat(expected), strict=True):
        assert_close(one, other, xp.rtol)


@pytest.mark.parametrize("shared_input", [False, True])
def test_members_are_nets_of_their_own(xp, shared_input, rng):
    params, state, x, labels = draw(rng, (2,), shared_input)
    stacked = xp.call(train, params, state, x, labels)
    assert stacked[1].shape == (2, N, CLASSES)
    assert stacked[2].shape == (2, N, FEATURES)
    for k in range(2):
        alone = xp.call(
            train, params[k], {name: s[k] for name, s in state.items()}, x if shared_input else x[k], labels
        )
        for one, other in zip(flat(stacked), flat(alone), strict=True):
            assert_close(one[k], other, xp.rtol)


@pytest.mark.parametrize("training", [True, False])
def test_pytorchs_autograd_agrees(training, rng):
    torch = pytest.importorskip("torch")
    nn = torch.nn
    params, state, x, labels = draw(rng)
    loss, logits, dx, grads, _, new_state = (train if training else evaluate)(params, state, x, labels)

    theirs = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
    theirs.double().train(training)
    names = {"W": "weight", "b": "bias", "gamma": "weight", "beta": "bias"}
    held = {name: getattr(theirs[int(name[0])], names[name[2:]]) for name in PARAMETERS}
    with torch.no_grad():
        for name, part in NET.layout.split(params).items():
            held[name].copy_(torch.tensor(part.T))
        theirs[1].running_mean.copy_(torch.tensor(state["1.mean"]))
        theirs[1].running_var.copy_(torch.tensor(state["1.var"]))

    t = torch.tensor(x, requires_grad=True)
    their_logits = theirs(t)
    their_loss = nn.functional.cross_entropy(their_logits, torch.tensor(labels))
    their_loss.backward()
    assert_close(logits, their_logits.detach().numpy(), 1e-12)
    assert_close(loss, their_loss.detach().numpy(), 1e-12)
    assert_close(dx, t.grad.numpy(), 1e-12)
    for name, part in NET.layout.split(grads).items():
        assert_close(part, held[name].grad.numpy().T, 1e-12)
    assert_close(new_state["1.mean"], theirs[1].running_mean.numpy(), 1e-12)
    assert_close(new_state["1.var"], theirs[1].running_var.numpy(), 1e-12)


def test_arguments_stay_as_they_were(xp, rng):
    arguments = xp.put(draw(rng))
    before = tree_map(lambda a: xp.to_host(a).copy(), arguments)
    with xp.context():
        results = xp.compile(train)(*arguments)
    assert not np.array_equal(xp.to_host(results[-1]["1.mean"]), before[1]["1.mean"])
    for one, other in zip(flat(tree_map(xp.to_host, arguments)), flat(before), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("net", [NET, NETS["activation first"]], ids=["deep", "activation first"])
def test_a_net_in_float32_stays_there(net, members, rng):
    # NumPy widens quietly: one float64 anywhere, and all that follows would be.
    params, state = net.init([1, 2] if members else 1)
    x, labels = rng.standard_normal((N, net.n_in)), rng.integers(0, net.n_out, N)

    def function(params, state, x, labels):
        logits, cache, state = net.forward(params, state, x, train=True)
        loss, dlogits = softmax_cross_entropy(logits, labels)
        return loss, dlogits, cache, *net.backward(params, cache, dlogits), state

    outputs = function(params, state, x.astype(np.float32), labels)
    floats = [a for a in flat(outputs) if getattr(a, "dtype", None) is not None]
    assert len(floats) >= 6
    assert {str(a.dtype) for a in floats} == {"float32"}


def test_a_net_without_parameters(xp):
    net = Sequential(ReLU())

    def there_and_back(params, x):
        y, cache, _ = net.forward(params, {}, x, train=True)
        return net.backward(params, cache, y)

    dx, grads = xp.call(there_and_back, np.zeros(0), np.asarray([[-1.0, 2.0]]))
    np.testing.assert_array_equal(dx, [[0, 2]])
    assert grads.shape == (0,)
