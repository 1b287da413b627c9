"""The L2 penalty on a real net: against its equation, differences and PyTorch."""

import numpy as np
import pytest
from numerical import assert_close, central_difference

from anynet import SGD, BatchNorm, Linear, Sequential, Tanh
from anynet.nn.l2 import add_l2_gradient, l2_cost

NET = Sequential(Linear(4, 3), BatchNorm(3), Tanh(), Linear(3, 2))
WEIGHTS = ("0.W", "3.W")
L2 = {"single": np.asarray(0.3), "members": np.asarray([0.3, 0.0, 2.0]), "members, one λ": np.asarray(0.3)}


@pytest.fixture(params=L2)
def drawn(request, rng):
    """λ, and parameters and gradients by name, none of them 0."""
    members = (3,) if "members" in request.param else ()

    def draw():
        return {name: rng.uniform(0.5, 2, (*members, *p.shape)) for name, p in NET.parameters().items()}

    return L2[request.param], draw(), draw(), np.zeros((*members, NET.layout.size))


def each(l2, parameter):
    """λ, shaped to stand ahead of a parameter's axes."""
    return l2.reshape(l2.shape + (1,) * (parameter.ndim - l2.ndim)) if l2.ndim else l2


def test_the_cost_is_the_equation(xp, drawn):
    l2, named, _, empty = drawn
    cost = xp.call(lambda p, l2: l2_cost(NET.layout, p, l2), NET.layout.join(named, empty), l2)
    expected = l2 * sum((named[name] ** 2).sum(axis=(-2, -1)) for name in WEIGHTS)
    assert_close(cost, expected, xp.rtol)


def test_the_gradient_is_the_costs_difference(xp, drawn):
    l2, named, _, empty = drawn
    params = NET.layout.join(named, empty)
    gradient = xp.call(lambda g, p, l2: add_l2_gradient(NET.layout, g, p, l2), empty, params, l2)
    expected = central_difference(lambda p: float(np.sum(l2_cost(NET.layout, p, l2))), params)
    assert np.max(np.abs(expected)) > 0.5
    assert_close(gradient, expected, 1e-8 if xp.dtype == "float64" else 1e-5)


def test_only_weights_are_pulled(xp, drawn):
    l2, named, grads, empty = drawn
    expected = {
        name: grads[name] + (2 * each(l2, named[name]) * named[name] if name in WEIGHTS else 0) for name in named
    }
    actual = xp.call(
        lambda g, p, l2: add_l2_gradient(NET.layout, g, p, l2),
        NET.layout.join(grads, empty),
        NET.layout.join(named, empty),
        l2,
    )
    # The whole vector at once: what lies between the parameters stays 0.
    assert_close(actual, NET.layout.join(expected, empty), xp.rtol)


def test_members_have_a_penalty_of_their_own(xp, rng):
    l2, params, grads = np.asarray([0.3, 0.0, 2.0]), *rng.standard_normal((2, 3, NET.layout.size))

    def both(g, p, l2):
        return l2_cost(NET.layout, p, l2), add_l2_gradient(NET.layout, g, p, l2)

    cost, pulled = xp.call(both, grads, params, l2)
    for k in range(3):
        cost_alone, pulled_alone = xp.call(both, grads[k], params[k], l2[k])
        assert_close(cost[k], cost_alone, xp.rtol)
        assert_close(pulled[k], pulled_alone, xp.rtol)
    assert cost[1] == 0
    np.testing.assert_array_equal(pulled[1], grads[1].astype(xp.dtype))


def descend(drawn, l2, steps=4):
    """A few steps of gradient descent with the same gradients and the penalty."""
    _, named, grads, empty = drawn
    params, g = NET.layout.join(named, empty), NET.layout.join(grads, empty)
    optimizer = SGD(lr=0.1, momentum=0.5)
    state = optimizer.init(params)
    for _ in range(steps):
        pulled = add_l2_gradient(NET.layout, g, params, np.asarray(l2))
        params, state = optimizer.update(params, pulled, state, np.asarray(0.1))
    return NET.layout.split(params)


@pytest.mark.parametrize(
    ("l2", "weight_decay", "factor"),
    [(0.3, 0.6, 0.3), (0.3 / 2, 0.3, 0.3 / 2)],
    ids=["λ Σ W²", "λ/2 Σ W²"],
)
def test_both_conventions_as_pytorch_has_them(drawn, l2, weight_decay, factor):
    torch = pytest.importorskip("torch")
    _, named, grads, _ = drawn
    ours = descend(drawn, l2)

    def theirs(weight_decay, factor, steps=4):
        t = {name: torch.tensor(p, requires_grad=True) for name, p in named.items()}
        groups = [
            {"params": [t[name] for name in WEIGHTS], "weight_decay": weight_decay},
            {"params": [t[name] for name in named if name not in WEIGHTS], "weight_decay": 0},
        ]
        optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.5)
        for _ in range(steps):
            optimizer.zero_grad()
            cost = sum((t[name] * torch.tensor(grads[name])).sum() for name in named)
            (cost + factor * sum((t[name] ** 2).sum() for name in WEIGHTS)).backward()
            optimizer.step()
        return t

    for expected in (theirs(weight_decay, 0), theirs(0, factor)):
        for name in named:
            assert_close(ours[name], expected[name].detach().numpy(), 1e-12)


def test_a_net_without_weights_has_no_penalty(rng):
    layout = Sequential(BatchNorm(3)).layout
    params = rng.standard_normal(layout.size)
    assert l2_cost(layout, params, np.asarray(0.3)) == 0
    np.testing.assert_array_equal(add_l2_gradient(layout, 2 * params, params, np.asarray(0.3)), 2 * params)
