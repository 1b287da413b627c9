"""Every layer's derivative, on every array library: against differences, NumPy and PyTorch's autograd."""

import importlib

import numpy as np
import pytest
from images_of_layers import layers_of_images, samples_of
from numerical import assert_close, central_difference

from anynet import (
    ELU,
    GELU,
    BatchNorm,
    Dropout,
    Flatten,
    GroupNorm,
    Hardswish,
    LayerNorm,
    LeakyReLU,
    Linear,
    ReLU,
    Residual,
    Scale,
    Sequential,
    Sigmoid,
    SiLU,
    Softplus,
    Softsign,
    Tanh,
)
from anynet.core.random import at_step, key, uniform
from anynet.core.validated import validated

N, FEATURES = 6, 8

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
    "Softsign": (Softsign(), True),
    "BatchNorm training": (BatchNorm(FEATURES), True),
    "BatchNorm evaluation": (BatchNorm(FEATURES), False),
    "LayerNorm": (LayerNorm(FEATURES, eps=0.1), True),
    "GroupNorm": (GroupNorm(2, FEATURES, eps=0.1), True),
    "GroupNorm of one group": (GroupNorm(1, FEATURES, eps=0.1), True),
    "Scale": (Scale(FEATURES, 0.5), True),
    "Dropout": (Dropout(0.4), True),
    "Dropout of nothing": (Dropout(0.0), True),
    "Dropout evaluation": (Dropout(0.4), False),
    "Flatten": (Flatten((2, 2, 2)), True),
    "Flatten of rows": (Flatten((FEATURES,)), True),
    "a net of images": (Sequential(Flatten((2, 4)), Linear(4), Sequential(Linear(3), Tanh())), True),
    "Residual": (Residual(Linear(FEATURES, 4), Tanh(), Linear(4, FEATURES)), True),
    "Sequential": (Sequential(Linear(FEATURES, 4), Sequential(Linear(4, 3), Tanh())), True),
    **{name: (layer, True) for name, layer in layers_of_images(2, 3).items()},
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture(params=[(), (3,)], ids=["single", "members"])
def members(request):
    return request.param


def samples(layer):
    """Shape of the samples of the layer's input; of images, two, as pixels."""
    first = layer[0] if isinstance(layer, Sequential) else layer
    if layer.takes_images:
        return 2 * samples_of(layer)[0], layer.features()[0] or 2
    return (N, *first.shape) if isinstance(first, Flatten) else (N, FEATURES)


def draw(layer, rng, members, shared_input=False):
    """Random parameters, state, input, output gradient and key of random numbers."""
    params = {name: rng.standard_normal((*members, *p.shape)) for name, p in layer.parameters().items()}
    state = {name: rng.uniform(0.5, 2, (*members, *p.shape)) for name, p in layer.state().items()}
    x = rng.standard_normal((*(() if shared_input else members), *samples(layer)))
    n = 2 * samples_of(layer)[1] if layer.takes_images else N
    dy = rng.standard_normal((*members, n, layer.features()[1] or x.shape[-1]))
    return params, state, x, dy, rng.integers(-(2**31), 2**31, (*members, 2), np.int32)


def run(layer, params, state, x, key, train):
    return layer.forward(params, state, x, train=train, **({"rng": key} if layer.uses_rng else {}))


def forward_backward(layer, train):
    def function(params, state, x, dy, key=None):
        y, cache, state = run(layer, params, state, x, key, train)
        dx, grads = layer.backward(params, cache, dy)
        return y, dx, grads, layer.parameter_gradients(params, cache, dy), state

    return function


def test_gradients_are_the_differences(xp, case, members, rng):
    layer, train = case
    params, state, x, dy, key = draw(layer, rng, members)
    _, dx, grads, grads_alone, _ = xp.call(forward_backward(layer, train), params, state, x, dy, key)

    def loss(params, x):
        return float(np.sum(dy * run(layer, params, state, x, key, train)[0]))

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
    function = forward_backward(layer, train)  # one, which JAX compiles once for the nets alone
    for shared_input in (False, True):
        params, state, x, dy, key = draw(layer, rng, (3,), shared_input)
        stacked = xp.call(function, params, state, x, dy, key)
        for k in range(3):
            alone = xp.call(
                function,
                {name: p[k] for name, p in params.items()},
                {name: s[k] for name, s in state.items()},
                x if shared_input else x[k],
                dy[k],
                key[k],
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


def torch_images():
    """PyTorch's layers of images, for processes that have PyTorch."""
    return importlib.import_module("torch_images")


def residual_of_images(layer, p, t):
    conv, (own,) = layer
    ahead = torch_images().image_layer(own, {"W": p["1.0.W"]}, t)
    return ahead + torch_images().image_layer(conv, {"W": p["0.W"], "b": p["0.b"]}, t)


def mask(p, key):
    return (uniform(key, (N, FEATURES), np.dtype(float)) >= p) / (1 - p)


def test_pytorchs_autograd_agrees(case, rng):
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    layer, train = case
    params, state, x, dy, key = draw(layer, rng, ())
    y, dx, grads, _, new_state = forward_backward(layer, train)(params, state, x, dy, key)

    p = {name: torch.tensor(a, requires_grad=True) for name, a in params.items()}
    s = {name: torch.tensor(a) for name, a in state.items()}
    t = torch.tensor(x, requires_grad=True)
    theirs = {
        Sequential: lambda: torch.tanh(
            functional.linear(functional.linear(t, p["0.W"].T, p["0.b"]), p["1.0.W"].T, p["1.0.b"])
            if "0.W" in p
            else functional.linear(
                functional.linear(torch.flatten(t, 1), p["1.W"].T, p["1.b"]), p["2.0.W"].T, p["2.0.b"]
            )
        ),
        Flatten: lambda: torch.flatten(t, 1),
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
        Softsign: lambda: functional.softsign(t),
        LayerNorm: lambda: functional.layer_norm(t, (FEATURES,), p["gamma"], p["beta"], layer.eps),
        GroupNorm: lambda: functional.group_norm(t, layer.groups, p["gamma"], p["beta"], layer.eps),
        Scale: lambda: t * p["s"],
        Dropout: lambda: t * torch.tensor(mask(layer.p if train else 0.0, key)),
        Residual: lambda: (
            residual_of_images(layer, p, t)
            if layer.takes_images
            else (t + functional.linear(torch.tanh(functional.linear(t, p["0.W"].T, p["0.b"])), p["2.W"].T, p["2.b"]))
        ),
        BatchNorm: lambda: functional.batch_norm(t, s["mean"], s["var"], p["gamma"], p["beta"], train, 0.1, 1e-5),
    }.get(type(layer), lambda: torch_images().image_layer(layer, p, t))()
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


@pytest.mark.parametrize("layer", [GELU(), GELU("none"), SiLU(), Hardswish(), Softplus(), ELU(0.5)])
def test_derivatives_where_squares_are_infinite(xp, layer):
    huge = 1e30 if xp.dtype == "float32" else 1e200
    with np.errstate(over="ignore"):
        _, dx, *_ = xp.call(forward_backward(layer, True), {}, {}, np.asarray([[-huge, huge]]), np.ones((1, 2)))
    np.testing.assert_array_equal(dx, [[0, 1]])


def test_a_last_batch_of_one_normalises_to_the_shift(xp, rng):
    params, state, x, dy, _ = draw(BatchNorm(FEATURES), rng, ())
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
    with pytest.raises(ValueError, match=rf"^BatchNorm\(n=8, .*: expected 2 samples or more in training.*{shape[-2]}"):
        xp.call(lambda *args: net.forward(*args, train=True)[0], *named, x)


def test_momentum_of_batch_norm_is_a_weight():
    with pytest.raises(ValueError, match=r"BatchNorm\(n=3, momentum=0\.0, .*in \(0, 1\]"):
        BatchNorm(3, momentum=0)


# ---- dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_keeps_elements_with_probability_1_minus_p(p):
    x = np.ones((400, 250))
    y, kept, _ = Dropout(p).forward({}, {}, x, train=True, rng=key(3))
    assert np.mean(y == 0) == pytest.approx(p, abs=5 * (p * (1 - p) / x.size) ** 0.5)
    np.testing.assert_allclose(y[y != 0], 1 / (1 - p), rtol=1e-15)
    dx, grads = Dropout(p).backward({}, kept, 2 * x)
    np.testing.assert_array_equal(dx, 2 * y)
    assert grads == {}


def test_each_layer_step_and_member_has_a_mask_of_its_own():
    net, x = Sequential(Dropout(), Sequential(Dropout()), Dropout()), np.ones((30, 20))
    keys = np.stack([key(0), key(1), at_step(key(0), 1)])
    y, kept, _ = net.forward(np.zeros((3, 0)), {}, x, train=True, rng=keys)
    assert y.shape == (3, 30, 20)
    masks = [np.asarray(each)[k] for each in (kept[0], kept[1][0], kept[2]) for k in range(3)]
    for i, one in enumerate(masks):
        for other in masks[:i]:
            assert 0.3 < np.mean(one == other) < 0.7


def test_dropout_changes_nothing_in_evaluation_or_without_a_rate(xp, rng):
    x = rng.standard_normal((4, 3))
    for layer, train in ((Dropout(0.5), False), (Dropout(0), True)):
        y = xp.call(lambda x, layer=layer, train=train: layer.forward({}, {}, x, train=train)[0], x)
        np.testing.assert_array_equal(y, xp.call(lambda x: x + 0, x))


# ---- normalization of samples


def test_each_sample_or_group_has_mean_0_and_variance_1(rng):
    x = 5 + 3 * rng.standard_normal((7, 12))
    params = {"gamma": np.ones(12), "beta": np.zeros(12)}
    for layer, groups in ((LayerNorm(12, eps=0), 1), (GroupNorm(3, 12, eps=0), 3)):
        for train in (True, False):
            y = layer.forward(params, {}, x, train=train)[0].reshape(7, groups, -1)
            np.testing.assert_allclose(y.mean(axis=-1), 0, atol=1e-13)
            np.testing.assert_allclose(y.std(axis=-1), 1, rtol=1e-13)
        alone = layer.forward(params, {}, x[2:3], train=True)[0]
        np.testing.assert_allclose(alone, layer.forward(params, {}, x, train=True)[0][2:3], rtol=1e-13)


def test_equal_features_are_mapped_to_the_shift():
    params = {"gamma": np.ones(4), "beta": np.arange(4.0)}
    for layer in (LayerNorm(4), GroupNorm(2, 4)):
        y, cache, _ = layer.forward(params, {}, np.full((1, 4), 7.0), train=True)
        np.testing.assert_array_equal(y, [np.arange(4.0)])
        assert np.all(np.isfinite(layer.backward(params, cache, y)[0]))
