"""Nets: their layout, how they start, their whole gradient, and what they refuse."""

import re

import numpy as np
import pytest
from libraries import tree_map
from numerical import assert_close, centred_difference

from anynet import BatchNorm, He, Layer, LeakyReLU, Linear, Normal, Parameter, ReLU, Sequential, Sigmoid, Tanh, Xavier
from anynet.layers.initializers import Ones
from anynet.losses import softmax_cross_entropy
from anynet.seeding import Purpose, generator

N, FEATURES, CLASSES = 7, 5, 3
NET = Sequential(Linear(FEATURES, 4), BatchNorm(4), ReLU(), Linear(4, 6), Tanh(), Linear(6, CLASSES))
PARAMETERS = {
    "0.W": (5, 4),
    "0.b": (4,),
    "1.gamma": (4,),
    "1.beta": (4,),
    "3.W": (4, 6),
    "3.b": (6,),
    "5.W": (6, 3),
    "5.b": (3,),
}

NETS = {
    "one layer": Sequential(Linear(3, 2)),
    "no gaps": Sequential(Linear(16, 32)),
    "deep": NET,
    "no weights": Sequential(BatchNorm(17)),
    "activation first": Sequential(Sigmoid(), Linear(3, 5), LeakyReLU(), Linear(5, 16)),
    "more than ten layers": Sequential(*(Linear(4, 4) for _ in range(12))),
}


@pytest.fixture(params=NETS)
def net(request):
    return NETS[request.param]


@pytest.fixture(params=[(), (2,)], ids=["single", "members"])
def members(request):
    return request.param


def draw_parts(net, rng, members=()):
    return {name: rng.standard_normal((*members, *p.shape)) for name, p in net.parameters.items()}


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


# ---- layout


def test_parameters_are_named_after_their_layers_place():
    assert {name: p.shape for name, p in NET.parameters.items()} == PARAMETERS
    assert [name for name, p in NET.parameters.items() if p.is_weight] == ["0.W", "3.W", "5.W"]
    assert NET.layout.slots.keys() == PARAMETERS.keys()
    assert NET.init(seed=0)[1].keys() == {"1.mean", "1.var"}


def test_parameters_are_aligned_and_apart(net):
    layout = net.layout
    taken = np.zeros(layout.size, int)
    for name, p in net.parameters.items():
        start, stop, shape = layout.slots[name]
        assert start % 16 == 0  # 64 bytes of float32
        assert shape == p.shape
        assert stop - start == np.prod(shape)
        taken[start:stop] += 1
    assert np.max(taken) == 1
    assert layout.size % 16 == 0
    # No gap reaches the next multiple of 16, so the vector is no longer than the alignment asks for.
    assert layout.size == sum(-(-int(np.prod(p.shape)) // 16) * 16 for p in net.parameters.values())


def test_weights_lie_first(net):
    layout = net.layout
    assert layout.n_weights == sum(-(-int(np.prod(p.shape)) // 16) * 16 for p in net.parameters.values() if p.is_weight)
    for name, p in net.parameters.items():
        start, stop, _ = layout.slots[name]
        assert stop <= layout.n_weights if p.is_weight else start >= layout.n_weights


def test_split_undoes_join(xp, net, members, rng):
    parts = draw_parts(net, rng, members)

    def function(parts, like):
        vector = net.layout.join(parts, like)
        return vector, net.layout.split(vector)

    vector, again = xp.call(function, parts, np.ones((*members, net.layout.size)))
    assert again.keys() == parts.keys()
    gaps = np.ones(net.layout.size, bool)
    for name, part in parts.items():
        start, stop, _ = net.layout.slots[name]
        gaps[start:stop] = False
        np.testing.assert_array_equal(again[name], part.astype(xp.dtype))
        # Row by row, as C and NumPy lay out an array.
        np.testing.assert_array_equal(vector[..., start:stop], part.reshape(*members, -1).astype(xp.dtype))
    np.testing.assert_array_equal(vector[..., gaps], 0)


def test_join_undoes_split(net, members, rng):
    like = np.zeros((*members, net.layout.size))
    vector = net.layout.join(draw_parts(net, rng, members), like)
    np.testing.assert_array_equal(net.layout.join(net.layout.split(vector), like), vector)


# ---- construction


def test_a_sequential_among_the_layers_is_taken_apart():
    nested = Sequential(
        Sequential(Linear(FEATURES, 4), Sequential(BatchNorm(4), ReLU())),
        Linear(4, 6),
        Sequential(Tanh(), NET.layers[5]),
    )
    assert nested.layers == NET.layers
    assert nested.parameters == NET.parameters
    assert nested.layout.slots == NET.layout.slots
    assert repr(nested) == repr(NET)


def test_features_taken_and_given():
    assert (NET.n_in, NET.n_out) == (FEATURES, CLASSES)
    leading = NETS["activation first"]
    assert (leading.n_in, leading.n_out) == (3, 16)
    assert (Sequential(Linear(3, 2), Tanh()).n_in, Sequential(Linear(3, 2), Tanh()).n_out) == (3, 2)
    assert (Sequential(Tanh()).n_in, Sequential(Tanh()).n_out) == (None, None)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([Linear(5, 4), BatchNorm(3)], "layer 1, BatchNorm(n=3, momentum=0.1, eps=1e-05): takes 3 features, but"),
        ([Linear(5, 4), ReLU(), Tanh(), Linear(5, 4)], "layer 3, Linear(n_in=5, n_out=4, "),
        ([Tanh(), Linear(5, 4), Sequential(ReLU(), BatchNorm(5))], "layer 3, BatchNorm(n=5"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_at_construction(layers, message):
    with pytest.raises(ValueError, match=re.escape(message)) as refusal:
        Sequential(*layers)
    assert str(refusal.value).endswith("but the layers before it give 4")


@pytest.mark.parametrize("layer", [ReLU, [Linear(2, 3), ReLU()], None])
def test_what_is_no_layer_is_refused(layer):
    with pytest.raises(TypeError, match=r"^layer 1: expected a layer, such as Linear\(3072, 10\) or ReLU\(\), got "):
        Sequential(Linear(2, 2), layer)


def test_a_net_without_layers_is_refused():
    with pytest.raises(ValueError, match=r"^a Sequential needs at least one layer$"):
        Sequential()


# ---- init


def test_a_seed_gives_the_same_numbers_on_every_library(xp, members):
    seed = [7, 42][: len(members) * 2] or 42
    exact, exact_state = NET.init(seed, like=np.zeros(1))
    assert exact.dtype == np.float64
    for dtype in {"float32", xp.dtype}:
        xp.dtype = dtype
        like = xp.put(np.zeros((3, 1)))
        params, state = NET.init(seed, like)
        for array, expected in zip([params, *state.values()], [exact, *exact_state.values()], strict=True):
            assert array.dtype == like.dtype
            assert xp.device_of(array) == xp.device_of(like)
            assert type(array) is type(like)
            np.testing.assert_array_equal(xp.to_host(array), expected.astype(dtype))


def test_float32_numpy_is_the_default():
    params, state = NET.init(42)
    expected, _ = NET.init(42, like=np.zeros(1))
    assert {type(a) for a in (params, *state.values())} == {np.ndarray}
    assert {str(a.dtype) for a in (params, *state.values())} == {"float32"}
    np.testing.assert_array_equal(params, expected.astype(np.float32))


def test_seeds_differ():
    drawn = [NET.init(seed, like=np.zeros(1))[0] for seed in (0, 1, 2, 42)]
    for name in ("0.W", "3.W", "5.W"):
        values = np.concatenate([NET.layout.split(params)[name].reshape(-1) for params in drawn])
        assert len(set(values.tolist())) == values.size


def test_members_are_the_single_seeds_stacked():
    params, state = NET.init([3, 1, 2])
    assert params.shape == (3, NET.layout.size)
    for k, seed in enumerate([3, 1, 2]):
        alone, state_alone = NET.init(seed)
        np.testing.assert_array_equal(params[k], alone)
        for name, array in state_alone.items():
            assert state[name].shape == (3, 4)
            np.testing.assert_array_equal(state[name][k], array)


def test_layers_added_at_the_end_do_not_change_what_the_earlier_ones_draw():
    short, long = Sequential(*NET.layers[:4]), NET
    one = short.layout.split(short.init(42)[0])
    other = long.layout.split(long.init(42)[0])
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name])


def test_layers_alike_draw_numbers_of_their_own():
    net = NETS["more than ten layers"]
    weights = [w for name, w in net.layout.split(net.init(42)[0]).items() if name.endswith("W")]
    values = np.stack(weights).reshape(-1)
    assert len(set(values.tolist())) == values.size == 12 * 16


@pytest.mark.parametrize(
    ("init", "std"),
    [
        (He(), (2 / 400) ** 0.5),
        (Xavier(), (2 / (400 + 300)) ** 0.5),
        (Normal(), 0.01),
        (Normal(std=0.2), 0.2),
    ],
    ids=repr,
)
def test_weights_are_normal_numbers_of_the_variance_asked_for(init, std):
    net = Sequential(Linear(400, 300, init))
    W = net.layout.split(net.init(42, like=np.zeros(1))[0])["0.W"]
    n = W.size
    assert abs(np.mean(W)) < 5 * std / n**0.5
    assert np.std(W) == pytest.approx(std, rel=5 / (2 * n) ** 0.5)
    assert np.mean((W / std) ** 4) == pytest.approx(3, abs=0.1)  # the fourth moment of a normal number
    # No row or column stands out: 400 and 300 of them, each with its own share of the noise.
    assert np.max(np.abs(np.mean(W, axis=0))) < 5 * std / 400**0.5
    assert np.max(np.abs(np.mean(W, axis=1))) < 5 * std / 300**0.5


def test_he_is_the_default():
    one, other = Sequential(Linear(6, 5)), Sequential(Linear(6, 5, init=He()))
    np.testing.assert_array_equal(one.init(1)[0], other.init(1)[0])


def test_parameters_draw_from_the_stream_of_their_place():
    """So that runs of old stay repeatable: fourth parameter, fourth stream."""
    params = NET.layout.split(NET.init(42, like=np.zeros(1))[0])
    for i, name in enumerate(PARAMETERS):
        if name.endswith("W"):
            shape = PARAMETERS[name]
            expected = (2 / shape[0]) ** 0.5 * generator(42, Purpose.INIT, i).standard_normal(shape)
            np.testing.assert_allclose(params[name], expected, rtol=1e-15)


def test_everything_else_starts_at_zero_or_one():
    vector, state = NET.init(42)
    parts = NET.layout.split(vector)
    for name in ("0.b", "1.beta", "3.b", "5.b"):
        np.testing.assert_array_equal(parts[name], 0)
    np.testing.assert_array_equal(parts["1.gamma"], 1)
    np.testing.assert_array_equal(state["1.mean"], np.zeros(4))
    np.testing.assert_array_equal(state["1.var"], np.ones(4))
    gaps = np.ones(NET.layout.size, bool)
    for start, stop, _ in NET.layout.slots.values():
        gaps[start:stop] = False
    assert np.any(gaps)
    np.testing.assert_array_equal(vector[gaps], 0)


def test_a_bias_may_start_elsewhere():
    net = Sequential(Linear(200, 3000, bias_init=Normal(std=0.5)))
    b = net.layout.split(net.init(42)[0])["0.b"]
    assert np.std(b) == pytest.approx(0.5, rel=5 / 6000**0.5)


def test_like_must_be_floating_point():
    with pytest.raises(TypeError, match=r"^like: expected an array of float32 or float64, .*, got int64$"):
        NET.init(0, like=np.zeros(1, np.int64))


def test_negative_seeds_are_refused():
    for seed in (-1, [0, -1]):
        with pytest.raises(ValueError, match=r"expected 0 to 2\^64 - 1, got -1"):
            NET.init(seed)


def test_no_seeds_make_no_members():
    with pytest.raises(ValueError, match="expected a number, or one for each member, got none"):
        NET.init([])


def test_seeds_may_be_any_numbers():
    expected, _ = NET.init([1, 2])
    for seeds in ((1, 2), range(1, 3), np.asarray([1, 2])):
        np.testing.assert_array_equal(NET.init(seeds)[0], expected)


def test_state_has_the_shapes_that_layers_declare():
    class Stateful(Layer):
        def state(self):
            return {"s": Parameter((2, 3), Normal(1.0)), "c": Parameter((), Ones())}

    _, state = Sequential(Stateful(), Linear(2, 3)).init([1, 2])
    assert {name: s.shape for name, s in state.items()} == {"0.s": (2, 2, 3), "0.c": (2,)}
    assert not np.array_equal(state["0.s"][0], state["0.s"][1])


def test_a_net_without_parameters(xp):
    net = Sequential(ReLU())

    def there_and_back(params, x):
        y, cache, _ = net.forward(params, {}, x, train=True)
        return net.backward(params, cache, y)

    dx, grads = xp.call(there_and_back, np.zeros(0), np.asarray([[-1.0, 2.0]]))
    np.testing.assert_array_equal(dx, [[0, 2]])
    assert grads.shape == (0,)


@pytest.mark.parametrize("layer", [lambda: Linear(0, 3), lambda: Linear(3, -1), lambda: BatchNorm(0)])
def test_layers_without_features_are_refused(layer):
    with pytest.raises(ValueError, match="expected 1 feature or more"):
        layer()


def test_state_of_other_shapes_is_refused():
    net = Sequential(Linear(3, 2), BatchNorm(2))
    params, state = net.init([1, 2])
    with pytest.raises(ValueError, match=r"state: expected arrays of shapes \{'1.mean': \(2, 2\)"):
        net.forward(params, net.init(1)[1], np.zeros((4, 3), np.float32), train=True)
    with pytest.raises(ValueError, match=r"got \{'1.mean': \(2, 2\)\}"):
        net.forward(params, {"1.mean": state["1.mean"]}, np.zeros((4, 3), np.float32), train=True)


# ---- forward and backward


def test_the_whole_gradient_is_the_difference(there_and_back, members, rng):
    params, state, x, labels = draw(rng, members)
    _, _, dx, grads, _, _ = there_and_back(params, state, x, labels)

    def loss(params, x):
        return float(np.sum(there_and_back(params, state, x, labels)[0]))

    # All of the vector, gaps included: no difference there.
    assert_close(grads, centred_difference(lambda p: loss(p, x), params), 1e-8)
    assert_close(dx, centred_difference(lambda x: loss(params, x), x), 1e-8)
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


# ---- what forward refuses


def refused(error, message, params, x, state=None, net=NET):
    state = NET.init(0, like=np.zeros(1))[1] if state is None else state
    with pytest.raises(error) as refusal:
        net.forward(params, state, x, train=True)
    assert message in str(refusal.value)


FIRST = "layer 0, Linear(n_in=5, n_out=4, init=He(), bias_init="


@pytest.mark.parametrize("shape", [(N, 4), (N, 6), (2, N, 3), (5,), ()])
def test_wrong_features_are_refused(shape):
    message = f": expected x of shape (..., N, 5), got {shape}"
    with pytest.raises(ValueError, match="^" + re.escape(FIRST)) as refusal:
        NET.forward(np.zeros(NET.layout.size), {}, np.zeros(shape), train=True)
    assert str(refusal.value).endswith(message)


def test_wrong_features_are_refused_behind_an_activation():
    net = NETS["activation first"]
    refused(ValueError, "layer 0, Sigmoid(): expected x of shape (..., N, 3), got (7, 5)", *zeros(net, (N, 5)), net=net)


def zeros(net, shape):
    return np.zeros(net.layout.size), np.zeros(shape)


@pytest.mark.parametrize("shape", [(175,), (177,), (2, 160), (176, 2), ()])
def test_parameters_of_the_wrong_length_are_refused(shape):
    assert NET.layout.size == 176
    refused(
        ValueError,
        f"params: expected shape (..., 176) for {NET}, got {shape}",
        np.zeros(shape),
        np.zeros((N, FEATURES)),
    )


@pytest.mark.parametrize(("dtype", "other"), [("float32", "float64"), ("float64", "float32"), ("float32", "uint8")])
def test_an_input_of_another_dtype_is_refused(dtype, other):
    params, x = np.zeros(NET.layout.size, dtype), np.zeros((N, FEATURES), other)
    message = f": expected x of its parameters' dtype, {dtype}, got {other}; cast one of them"
    refused(TypeError, message, params, x)
    refused(TypeError, FIRST, params, x)


@pytest.mark.parametrize(
    ("members", "x_members"), [((), (1,)), ((), (2,)), ((3,), (2,)), ((3,), (1,)), ((2,), (2, 2)), ((2, 3), (3,))]
)
def test_members_that_do_not_match_are_refused(members, x_members):
    params, x = np.zeros((*members, NET.layout.size)), np.zeros((*x_members, N, FEATURES))
    message = (
        f": x of shape {x.shape} is neither shared by the members of params, of shape {params.shape}, "
        f"nor one for each of them"
    )
    refused(ValueError, message, params, x)
    refused(ValueError, FIRST, params, x)


@pytest.mark.parametrize("other", ["torch", "array_api_strict"])
def test_two_libraries_are_refused(other):
    library = pytest.importorskip(other)
    params, x = np.zeros(NET.layout.size), np.zeros((N, FEATURES))
    refused(TypeError, f"params is an array of numpy, x one of {other}: bring both", params, library.asarray(x))
    refused(TypeError, f"params is an array of {other}, x one of numpy: bring both", library.asarray(params), x)


def test_two_devices_are_refused():
    strict = pytest.importorskip("array_api_strict")
    here, there = strict.Device("CPU_DEVICE"), strict.Device("device1")
    params, x = strict.zeros(NET.layout.size, device=here), strict.zeros((N, FEATURES), device=there)
    refused(ValueError, f"params is on device {here}, x on {there}: bring both to one device", params, x)


@pytest.mark.parametrize(
    ("dlogits", "error", "message"),
    [
        (np.zeros((4, 3)), ValueError, r"dlogits: expected shape \(\.\.\., N, 2\), like the logits, got \(4, 3\)"),
        (np.zeros((4, 2), np.float32), TypeError, "dlogits: expected the dtype of params, float64, got float32"),
        (np.zeros((4, 2)).tolist(), TypeError, "dlogits: expected an array of a library, got list"),
    ],
)
def test_a_gradient_that_does_not_fit_the_logits_is_refused(dlogits, error, message):
    net = Sequential(Linear(3, 2))
    params, state = net.init(0, like=np.zeros(1))
    _, cache, _ = net.forward(params, state, np.ones((4, 3)), train=True)
    with pytest.raises(error, match=message):
        net.backward(params, cache, dlogits)


def test_state_of_another_dtype_is_refused():
    net = Sequential(Linear(3, 2), BatchNorm(2))
    params, state = net.init(0)
    state["1.mean"] = state["1.mean"].astype(np.float64)
    with pytest.raises(TypeError, match=r"state 1\.mean: expected the dtype of params, float32, got float64"):
        net.forward(params, state, np.ones((4, 3), np.float32), train=True)
