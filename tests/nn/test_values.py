"""Nets as values and as layers: equal, nested, indexed, called, shown."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from nets import CLASSES, FEATURES, NESTED, NET, NETS, N
from numerical import assert_close

from anynet import (
    BatchNorm,
    Dropout,
    GroupNorm,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    Normal,
    ReLU,
    Residual,
    Scale,
    Sequential,
    Tanh,
)
from anynet.compiler.tape import trace
from anynet.core.tree import form
from anynet.nn.layer_text import short
from anynet.nn.losses import softmax_cross_entropy

PLACES = {"0.0": "0", "0.1.0": "1", "0.1.1": "2", "1": "3", "2.0": "4", "2.1": "5"}
"""Layers of NESTED and of NET."""


def flat_name(name):
    place, own = name.rsplit(".", 1)
    return f"{PLACES[place]}.{own}"


# ---- values


def test_equal_layers_make_equal_nets():
    again = Sequential(*NET.layers)
    assert again == NET
    assert again is not NET
    assert hash(again) == hash(NET)
    assert {NET: 1}[again] == 1
    assert Sequential(Sequential(ReLU())) == Sequential(Sequential(ReLU()))


@pytest.mark.parametrize(
    "other", [NET[:5], NESTED, Sequential(Linear(FEATURES, 4, Normal()), *NET[1:]), NET.layers, Sequential(NET)]
)
def test_other_nets_differ(other):
    assert other != NET


def test_a_layer_that_cannot_be_hashed_makes_a_net_that_can():
    class Table(Layer):
        __hash__ = None

    net = Sequential(Table(), ReLU())
    assert {net: 1}[net] == 1
    assert hash(net) == hash(Sequential(Table(), ReLU()))


@dataclass(frozen=True)
class Const(Layer):
    array: Any


@dataclass(frozen=True)
class Given:
    array: Any

    def __call__(self, shape, rng):
        return self.array


@pytest.mark.parametrize("library", ["numpy", "torch", "jax.numpy"])
def test_arrays_of_layers_are_compared(library):
    asarray = pytest.importorskip(library).asarray

    def net(values):
        return Sequential(Linear(4, 3), Sequential(Const(asarray(np.asarray(values)))), Const([asarray(np.ones(3))]))

    one, again = net([1.0, 2.0]), net([1.0, 2.0])
    assert one == again
    assert hash(one) == hash(again)
    assert {one: 1}[again] == 1
    assert Sequential(Linear(2, 3, Given(asarray(np.ones(2))))) == Sequential(Linear(2, 3, Given(asarray(np.ones(2)))))
    for other in ([1.0, 3.0], [1.0, 2.0, 3.0], [[1.0, 2.0]], [1, 2]):
        assert one != net(other)
        assert net(other) not in {one: 1}
    assert one != Sequential(*one[:2], Const(None))


def test_arrays_of_two_libraries_differ():
    torch = pytest.importorskip("torch")
    assert Sequential(Const(np.ones(2))) != Sequential(Const(torch.ones(2, dtype=torch.float64)))


def test_layers_that_cannot_be_compared_equal_themselves_alone():
    class Odd(Layer):
        def __eq__(self, other):
            raise ValueError

        __hash__ = None

    odd = Odd()
    assert Sequential(odd) == Sequential(odd)
    assert Sequential(odd) != Sequential(Odd())


def test_a_net_cannot_be_changed():
    with pytest.raises(AttributeError):
        NET.layers = ()


def test_a_net_is_a_sequence_of_layers():
    assert len(NET) == 6
    assert list(NET) == list(NET.layers)
    assert NET[1] == BatchNorm(4)
    assert NET[-1] == Linear(6, CLASSES)
    assert NET[1:3] == Sequential(BatchNorm(4), ReLU())
    assert NESTED[0][1] == NET[1:3]
    with pytest.raises(IndexError):
        NET[6]
    with pytest.raises(ValueError, match="at least one layer"):
        NET[6:]


# ---- nets as layers


def test_a_sequential_stays_what_it_is():
    assert len(NESTED) == 3
    assert NESTED.layers[1] == Linear(4, 6)
    assert NESTED.named_layers() == {name: NET[int(i)] for name, i in PLACES.items()}
    assert NET.named_layers() == {str(i): layer for i, layer in enumerate(NET)}
    assert (NESTED.features(), NET.features()) == ((FEATURES, CLASSES),) * 2
    assert Sequential(Tanh()).features() == (None, None)


def test_nested_parameters_lie_and_start_as_others():
    assert list(map(flat_name, NESTED.parameters())) == list(NET.parameters())
    assert {flat_name(name): p for name, p in NESTED.state().items()} == NET.state()
    assert {flat_name(name): slot for name, slot in NESTED.layout.slots.items()} == NET.layout.slots
    (one, state), (other, expected) = NESTED.init(42), NET.init(42)
    np.testing.assert_array_equal(one, other)
    assert state.keys() == {"0.1.0.mean", "0.1.0.var"}
    assert expected.keys() == {"1.mean", "1.var"}


def test_what_parameters_returns_may_be_changed():
    NET.parameters().clear()
    NET.state().clear()
    assert len(NET.parameters()) == 8
    assert len(NET.state()) == 2


def passes(net):
    def function(params, state, x, labels):
        y, cache, new = net.forward(params, state, x, train=True)
        loss, dy = softmax_cross_entropy(y, labels)
        dx, grads = net.backward(params, cache, dy)
        new = {flat_name(name) if net is NESTED else name: array for name, array in new.items()}
        return loss, y, dx, grads, net.parameter_gradients(params, cache, dy), new

    return function


def arguments(net, rng, members):
    seeds = [1, 2] if members else 1
    return *net.init(seeds, like=np.zeros(1)), rng.standard_normal((N, FEATURES)), rng.integers(0, CLASSES, N)


def leaves(tree):
    if isinstance(tree, dict):
        return [leaf for value in tree.values() for leaf in leaves(value)]
    return [leaf for value in tree for leaf in leaves(value)] if isinstance(tree, tuple | list) else [tree]


def test_nested_nets_compute_the_same_bits(xp, members, rng):
    x, labels = arguments(NET, rng, members)[2:]
    found = xp.call(passes(NESTED), *NESTED.init([1, 2] if members else 1, like=np.zeros(1)), x, labels)
    expected = xp.call(passes(NET), *NET.init([1, 2] if members else 1, like=np.zeros(1)), x, labels)
    assert form(found) == form(expected)
    for one, other in zip(leaves(found), leaves(expected), strict=True):
        np.testing.assert_array_equal(one, other)


def test_nested_nets_record_the_same_operations(rng):
    graphs = [trace(passes(net), np, *arguments(net, rng, ())) for net in (NET, NESTED)]
    one, other = ([(node.op, node.shape, node.dtype) for node in graph.nodes] for graph in graphs)
    assert one == other


def test_parameters_by_name_do_as_well_as_the_vector(xp, members, rng):
    params, state, x, labels = arguments(NESTED, rng, members)
    whole = xp.call(passes(NESTED), params, state, x, labels)
    parts = xp.call(passes(NESTED), NESTED.layout.split(params), state, x, labels)
    for i, own in enumerate(parts):
        if i in (3, 4):  # gradients
            assert own.keys() == NESTED.parameters().keys()
            like = np.zeros(params.shape, xp.dtype)
            np.testing.assert_array_equal(NESTED.layout.join(own, like), whole[i])
        else:
            for one, other in zip(leaves(own), leaves(whole[i]), strict=True):
                np.testing.assert_array_equal(one, other)


def test_names_that_do_not_fit_are_refused(rng):
    params, state, x, _ = arguments(NESTED, rng, ())
    parts = NESTED.layout.split(params)
    with pytest.raises(ValueError, match=r"^params: expected arrays named \['0\.0\.W', .*, got \['W'\]$"):
        NESTED.forward({"W": x}, state, x, train=True)
    with pytest.raises(ValueError, match=r"^state: expected arrays named \['0\.1\.0\.mean', .*, got \[\]$"):
        NESTED.forward(parts, {}, x, train=True)
    with pytest.raises(ValueError, match=r": expected x of shape \(\.\.\., N, 5\), got \(7, 2\)$"):
        NESTED.forward(parts, state, x[:, :2], train=True)


# ---- residual connections


BLOCK = Residual(LayerNorm(4), Sequential(Linear(4, 6), ReLU(), BatchNorm(6)), Dropout(0.3), Linear(6, 4))


def test_a_residual_adds_its_input(xp, members, rng):
    """In outputs and in gradients by the input; gradients by parameters and new state are those of its layers."""
    net, branch = Sequential(BLOCK), Sequential(Sequential(*BLOCK))
    assert net.parameters() == branch.parameters()
    assert net.parameters().keys() == {f"0.{name}" for name in ("0.gamma", "0.beta", "1.0.W", "1.0.b", "1.2.gamma",
                                                                "1.2.beta", "3.W", "3.b")}  # fmt: skip
    params, state = net.init([1, 2] if members else 1, like=np.zeros(1))
    x, dy = rng.standard_normal((2, *members, N, 4))
    key = rng.integers(0, 9, (*members, 2), np.int32)

    def passes(net):
        def function(params, state, x, dy, key):
            y, cache, new = net.forward(params, state, x, train=True, rng=key)
            return y, *net.backward(params, cache, dy), net.parameter_gradients(params, cache, dy), new

        return xp.call(function, params, state, x, dy, key)

    (y, dx, *others), (branch_y, branch_dx, *branch_others) = passes(net), passes(branch)
    x, dy = xp.call(lambda *arrays: arrays, x, dy)
    assert_close(y, x + branch_y, xp.rtol)
    assert_close(dx, dy + branch_dx, xp.rtol)
    for one, other in zip(leaves(others), leaves(branch_others), strict=True):
        assert_close(one, other, xp.rtol)


def test_a_residual_is_a_value():
    assert Residual(*BLOCK.layers) == BLOCK
    assert hash(Residual(*BLOCK.layers)) == hash(BLOCK)
    assert Sequential(*BLOCK.layers) != BLOCK
    assert (len(BLOCK), BLOCK[0], BLOCK[-1]) == (4, LayerNorm(4), Linear(6, 4))
    assert (BLOCK.features(), Residual(Tanh()).features()) == ((4, 4), (None, None))
    assert eval(repr(BLOCK)) == BLOCK


def test_a_residual_has_a_row_of_its_own():
    net = Sequential(Residual(Tanh()), Sequential(Linear(4, 4), BLOCK, GroupNorm(2, 4)), Scale(4))
    assert net.summary().splitlines() == [
        "layer                     output    parameters  multiply-adds",
        "0        Residual         (N, 4)             0              0",
        "0.0      Tanh()           (N, 4)             0              0",
        "1.0      Linear(4, 4)     (N, 4)            20             16",
        "1.1      Residual         (N, 4)             0              0",
        "1.1.0    LayerNorm(4)     (N, 4)             8              4",
        "1.1.1.0  Linear(4, 6)     (N, 6)            30             24",
        "1.1.1.1  ReLU()           (N, 6)             0              0",
        "1.1.1.2  BatchNorm(6)     (N, 6)            12              6",
        "1.1.2    Dropout(p=0.3)   (N, 6)             0              0",
        "1.1.3    Linear(6, 4)     (N, 4)            28             24",
        "1.2      GroupNorm(2, 4)  (N, 4)             8              4",
        "2        Scale(4)         (N, 4)             4              4",
        "total                                      110             82",
    ]


# ---- evaluation


def test_a_call_evaluates(xp, members, rng):
    params, state, x, _ = arguments(NET, rng, members)
    found = xp.call(NET, params, state, x)
    expected = xp.call(lambda *args: NET.forward(*args, train=False)[0], params, state, x)
    np.testing.assert_array_equal(found, expected)


# ---- sizes and text


@pytest.mark.parametrize(
    ("net", "n"),
    [
        (Sequential(Linear(3072, 10)), 30_730),
        (Sequential(Linear(3072, 50), BatchNorm(50), ReLU(), Linear(50, 10)), 154_260),
        (NESTED, 5 * 4 + 4 + 4 + 4 + 4 * 6 + 6 + 6 * 3 + 3),
        (Sequential(Tanh()), 0),
    ],
)
def test_parameters_are_counted_without_gaps(net, n):
    assert net.n_parameters == n


def test_a_repr_is_short():
    lines = (
        "Sequential(Sequential(Linear(5, 4), Sequential(BatchNorm(4), ReLU())),",
        "Linear(4, 6), Sequential(Tanh(), Linear(6, 3)))",
    )
    assert (str(NESTED), repr(NESTED)) == (" ".join(lines), "\n    ".join(lines))
    assert repr(Sequential(*[ReLU()] * 8)) == f"Sequential({', '.join(['ReLU()'] * 8)})"
    long = str(NETS["more than ten layers"])
    assert long.count("Linear(4, 4)") == 8
    assert long.startswith("Sequential(Linear(4, 4), ")
    assert ", Linear(4, 4), ... 4 more ..., Linear(4, 4), " in long
    assert eval(repr(NESTED)) == NESTED


class Plain(Layer):
    def __repr__(self):
        return "Plain!"


def test_short_is_without_what_is_as_by_default():
    assert short(Linear(3, 4, Normal(0.5))) == "Linear(3, 4, init=Normal(std=0.5))"
    assert short(Linear(3, 4, bias_init=Normal())) == "Linear(3, 4, bias_init=Normal(std=0.01))"
    assert short(LeakyReLU()) == "LeakyReLU()"
    assert short(BatchNorm(3, eps=1.0)) == "BatchNorm(3, eps=1.0)"
    assert short(Plain()) == "Plain!"
    assert short(NET[:1]) == "Sequential(Linear(5, 4))"


def test_a_summary_has_a_line_for_each_layer_and_their_totals():
    assert NESTED.summary().splitlines() == [
        "layer                output    parameters  multiply-adds",
        "0.0    Linear(5, 4)  (N, 4)            24             20",
        "0.1.0  BatchNorm(4)  (N, 4)             8              4",
        "0.1.1  ReLU()        (N, 4)             0              0",
        "1      Linear(4, 6)  (N, 6)            30             24",
        "2.0    Tanh()        (N, 6)             0              0",
        "2.1    Linear(6, 3)  (N, 3)            21             18",
        "total                                  83             66",
    ]
    assert NESTED.multiply_adds() == 66
    assert "(N, n)" in Sequential(Tanh()).summary()
    one, *_, last = Sequential(Tanh(), Linear(3072, 4000)).summary().splitlines()[1:]
    assert "(N, 3072)" in one
    assert "12,292,000" in last
    assert "12,288,000" in last


# ---- random numbers


class Noise(Layer):
    """Adds what it is given; keeps what that was."""

    def __init__(self):
        self.given = []

    def forward(self, params, state, x, *, train, rng=None):
        self.given.append(rng)
        return x, None, state

    def backward(self, params, cache, dy):
        return dy, {}


def test_only_layers_that_use_random_numbers_do():
    assert not any(layer.uses_rng for layer in (NET, NESTED, Linear(2, 3), BatchNorm(2), ReLU()))
    assert Noise().uses_rng
    assert Sequential(ReLU(), Noise()).uses_rng
    assert Sequential(ReLU(), Sequential(Noise(), ReLU())).uses_rng


def test_a_forward_with_keywords_is_given_rng():
    class Forwarding(Noise):
        def forward(self, params, state, x, **more):
            return super().forward(params, state, x, **more)

    net = Sequential(Forwarding())
    assert net.uses_rng
    net.forward(np.zeros(0), {}, np.ones((3, 2)), train=True, rng=np.asarray([7, 8], np.int32))
    np.testing.assert_array_equal(net[0].given, [[7, 8]])


def test_each_layer_is_given_numbers_of_its_own(xp, members):
    a, b, c, d = Noise(), Noise(), Noise(), Noise()
    nested = Sequential(a, Linear(2, 2), Residual(ReLU(), b, Sequential(c)), d)
    flat = Sequential(a, Linear(2, 2), ReLU(), b, c, d)
    seeds = [1, 2] if members else 1
    start = np.zeros((*members, 2), np.int32) + np.asarray([7, 8], np.int32)

    def given(net):
        def function(params, rng):
            for noise in (a, b, c, d):
                noise.given.clear()
            net.forward(params, {}, params[..., None, :2], train=True, rng=rng)
            return [noise.given[-1] for noise in (a, b, c, d)]

        return function

    for net in (nested, flat):
        found = xp.call(given(net), net.init(seeds)[0], start)
        for one, i in zip(found, (0, 3, 4, 5), strict=True):
            np.testing.assert_array_equal(one, start + np.asarray([i << 16, 0], np.int32))


def test_random_numbers_are_needed_in_training_alone():
    noise = Noise()
    net = Sequential(ReLU(), Sequential(ReLU(), noise))
    x = np.ones((3, 2))
    with pytest.raises(ValueError, match=r"^layer 1\.1, .*: needs random numbers in training; give forward an rng, "):
        net.forward(np.zeros(0), {}, x, train=True)
    assert not noise.given
    np.testing.assert_array_equal(net(np.zeros(0), {}, x), x)
    net.forward(np.zeros(0), {}, x, train=False, rng=np.zeros(2, np.int32))
    assert noise.given[0] is None
    assert noise.given[1] is not None


def test_nets_without_random_numbers_take_none(rng):
    params, state, x, _ = arguments(NET, rng, ())
    one = NET.forward(params, state, x, train=True)[0]
    np.testing.assert_array_equal(NET.forward(params, state, x, train=True, rng=np.zeros(2, np.int32))[0], one)
