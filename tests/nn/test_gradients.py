"""Every layer's derivative, on every array library: against differences, NumPy and PyTorch's autograd."""

import numpy as np
import pytest
from numerical import assert_close, central_difference

from anynet import (
    ELU,
    GELU,
    BatchNorm,
    Hardswish,
    LeakyReLU,
    Linear,
    ReLU,
    Sequential,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from anynet.core.validated import validated

N, FEATURES = 6, 5

CASES = {
    "Linear": (Linear(FEATURES, 4), True),
    "ReLU": (ReLU(), True),
    "LeakyReLU": (LeakyReLU(0.1), True),
    "Sigmoid": (Sigmoid(), True),
    "Tanh": (Tanh(), True),
    "ELU": (ELU(0.7), True),
    "GELU": (GELU(), True),
    "exact GELU": (GELU("none"), True),
    "SiLU": (SiLU(), True),
    "Hardswish": (Hardswish(), True),
    "Softplus": (Softplus(), True),
    "BatchNorm training": (BatchNorm(FEATURES), True),
    "BatchNorm evaluation": (BatchNorm(FEATURES), False),
    "Sequential": (Sequential(Linear(FEATURES, 4), Sequential(Linear(4, 3), Tanh())), True),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture(params=[(), (3,)], ids=["single", "members"])
def members(request):
    return request.param


def draw(layer, rng, members, shared_input=False):
    """Random parameters, state, input and output gradient."""
    params = {name: rng.standard_normal((*members, *p.shape)) for name, p in layer.parameters().items()}
    state = {name: rng.uniform(0.5, 2, (*members, *p.shape)) for name, p in layer.state().items()}
    x = rng.standard_normal((*(() if shared_input else members), N, FEATURES))
    dy = rng.standard_normal((*members, N, layer.features()[1] or FEATURES))
    return params, state, x, dy


def forward_backward(layer, train):
    def function(params, state, x, dy):
        y, cache, state = layer.forward(params, state, x, train=train)
        dx, grads = layer.backward(params, cache, dy)
        return y, dx, grads, layer.parameter_gradients(params, cache, dy), state

    return function


def test_gradients_are_the_differences(xp, case, members, rng):
    layer, train = case
    params, state, x, dy = draw(layer, rng, members)
    _, dx, grads, grads_alone, _ = xp.call(forward_backward(layer, train), params, state, x, dy)

    def loss(params, x):
        return float(np.sum(dy * layer.forward(params, state, x, train=train)[0]))

    rtol = 1e-8 if xp.dtype == "float64" else 1e-4
    assert_close(dx, central_difference(lambda x: loss(params, x), x), rtol)
    assert grads.keys() == params.keys() == grads_alone.keys()
    for name in params:
        expected = central_difference(lambda p, name=name: loss(params | {name: p}, x), params[name])
        assert_close(grads[name], expected, rtol)
        np.testing.assert_array_equal(grads_alone[name], grads[name])


def test_libraries_agree(xp, case, members, rng):
    layer, train = case
    inputs = draw(layer, rng, members)
    expected = forward_backward(layer, train)(*inputs)
    actual = xp.call(forward_backward(layer, train), *inputs)
    for one, other in zip(flat(actual), flat(expected), strict=True):
        assert_close(one, other, xp.rtol)


def test_members_are_nets_of_their_own(xp, case, rng):
    layer, train = case
    for shared_input in (False, True):
        params, state, x, dy = draw(layer, rng, (3,), shared_input)
        stacked = xp.call(forward_backward(layer, train), params, state, x, dy)
        for k in range(3):
            alone = xp.call(
                forward_backward(layer, train),
                {name: p[k] for name, p in params.items()},
                {name: s[k] for name, s in state.items()},
                x if shared_input else x[k],
                dy[k],
            )
            for one, other in zip(flat(stacked), flat(alone), strict=True):
                # An activation gives one output for an input that the members share.
                assert_close(one if one.ndim == other.ndim else one[k], other, xp.rtol)


def flat(tree):
    """The leaves of a result, in order."""
    if isinstance(tree, dict):
        return [leaf for name in sorted(tree) for leaf in flat(tree[name])]
    if isinstance(tree, (list, tuple)):
        return [leaf for part in tree for leaf in flat(part)]
    return [np.asarray(tree)]


def test_pytorchs_autograd_agrees(case, rng):
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    layer, train = case
    params, state, x, dy = draw(layer, rng, ())
    y, dx, grads, _, new_state = forward_backward(layer, train)(params, state, x, dy)

    p = {name: torch.tensor(a, requires_grad=True) for name, a in params.items()}
    s = {name: torch.tensor(a) for name, a in state.items()}
    t = torch.tensor(x, requires_grad=True)
    theirs = {
        Sequential: lambda: torch.tanh(
            functional.linear(functional.linear(t, p["0.W"].T, p["0.b"]), p["1.0.W"].T, p["1.0.b"])
        ),
        Linear: lambda: functional.linear(t, p["W"].T, p["b"]),
        ReLU: lambda: functional.relu(t),
        LeakyReLU: lambda: functional.leaky_relu(t, 0.1),
        Sigmoid: lambda: torch.sigmoid(t),
        Tanh: lambda: torch.tanh(t),
        ELU: lambda: functional.elu(t, 0.7),
        GELU: lambda: functional.gelu(t, approximate=layer.approximate),
        SiLU: lambda: functional.silu(t),
        Hardswish: lambda: functional.hardswish(t),
        Softplus: lambda: functional.softplus(t),
        BatchNorm: lambda: functional.batch_norm(t, s["mean"], s["var"], p["gamma"], p["beta"], train, 0.1, 1e-5),
    }[type(layer)]()
    theirs.backward(torch.tensor(dy))
    assert_close(y, theirs.detach().numpy(), 1e-12)
    assert_close(dx, t.grad.numpy(), 1e-12)
    for name in params:
        assert_close(grads[name], p[name].grad.numpy(), 1e-12)
    for name in state:  # PyTorch has updated its running statistics in place
        assert_close(new_state[name], s[name].numpy(), 1e-12)


@pytest.mark.parametrize(
    ("layer", "left", "right", "slope"),
    [
        (Sigmoid(), 0, 1, 0),
        (Tanh(), -1, 1, 0),
        (ELU(0.5), -0.5, 1e4, 1),
        *((layer, 0, 1e4, 1) for layer in (GELU(), GELU("none"), SiLU(), Hardswish(), Softplus())),
    ],
)
def test_saturated_without_overflow(xp, layer, left, right, slope):
    x = np.asarray([[-1e4, 1e4]])
    with np.errstate(over="raise", invalid="raise"):
        y, dx, *_ = xp.call(forward_backward(layer, True), {}, {}, x, np.ones((1, 2)))
    np.testing.assert_array_equal(y, [[left, right]])
    np.testing.assert_array_equal(dx, [[0, slope]])


def test_a_last_batch_of_one_normalises_to_the_shift(xp, rng):
    params, state, x, dy = draw(BatchNorm(FEATURES), rng, ())
    with validated():
        y, dx, _, _, new_state = xp.call(forward_backward(BatchNorm(FEATURES), True), params, state, x[:1], dy[:1])
    assert_close(y, params["beta"][None], xp.rtol)
    assert_close(dx, np.zeros_like(dx), xp.rtol)
    assert_close(new_state["var"], 0.9 * state["var"], xp.rtol)


@pytest.mark.parametrize("shape", [(1, FEATURES), (0, FEATURES), (3, 1, FEATURES)], ids=str)
def test_batches_of_one_are_refused_in_training(xp, shape, rng):
    params, state, *_ = draw(BatchNorm(FEATURES), rng, shape[:-2])
    net, x = Sequential(BatchNorm(FEATURES)), np.zeros(shape)
    named = [{f"0.{name}": array for name, array in part.items()} for part in (params, state)]
    assert xp.call(lambda *args: net.forward(*args, train=False)[0], *named, x).shape == shape
    with pytest.raises(ValueError, match=rf"^BatchNorm\(n=5, .*: expected 2 samples or more in training.*{shape[-2]}"):
        xp.call(lambda *args: net.forward(*args, train=True)[0], *named, x)


def test_momentum_of_batch_norm_is_a_weight():
    with pytest.raises(ValueError, match=r"BatchNorm\(n=3, momentum=0, .*in \(0, 1\]"):
        BatchNorm(3, momentum=0)
