"""Sizes that follow from the input: the net is the one that was written with all sizes."""

import re
from dataclasses import dataclass, replace

import numpy as np
import pytest

from anynet import (
    BatchNorm,
    Conv2d,
    Flatten,
    GlobalPool,
    GroupNorm,
    Layer,
    LayerNorm,
    Linear,
    Parameter,
    ReLU,
    Residual,
    Scale,
    Sequential,
    Tanh,
    Xavier,
    gradcheck,
)
from anynet.nn.initializers import Ones
from anynet.nn.layer_text import short
from anynet.nn.net_json import net_from_json, to_json

UNSIZED = (
    *(Linear(8, init=Xavier()), BatchNorm(momentum=0.3), ReLU()),
    Residual(LayerNorm(), Linear(6), Sequential(Tanh(), Linear(8)), GroupNorm(2), Scale(value=0.5)),
    Sequential(Linear(5), Residual(BatchNorm())),
    Linear(3),
)
SIZED = (
    *(Linear(12, 8, Xavier()), BatchNorm(8, momentum=0.3), ReLU()),
    Residual(LayerNorm(8), Linear(8, 6), Sequential(Tanh(), Linear(6, 8)), GroupNorm(2, 8), Scale(8, 0.5)),
    Sequential(Linear(8, 5), Residual(BatchNorm(5))),
    Linear(5, 3),
)


def same(found, written):
    """Assert that two nets cannot be told apart."""
    assert found == written
    assert (hash(found), repr(found), to_json(found)) == (hash(written), repr(written), to_json(written))
    assert found.features() == written.features()
    assert found.layout.slots == written.layout.slots
    np.testing.assert_array_equal(found.init(3)[0], written.init(3)[0])


@pytest.mark.parametrize("shape", [12, np.int64(12), (12,), (3, 2, 2), [3, 4]], ids=str)
def test_a_net_is_the_one_with_all_sizes(shape):
    same(Sequential(*UNSIZED, input_shape=shape), Sequential(*SIZED))
    same(Sequential(Sequential(*UNSIZED), input_shape=shape), Sequential(Sequential(*SIZED)))
    same(Sequential(*UNSIZED).with_input(12), Sequential(*SIZED))


def test_it_is_enough_that_one_layer_knows_its_input():
    same(Sequential(SIZED[0], *UNSIZED[1:]), Sequential(*SIZED))
    same(Sequential(Flatten((3, 4)), *UNSIZED), Sequential(Flatten((3, 4)), *SIZED))
    assert Sequential(Linear(8), BatchNorm(), Linear(2)).layers[1:] == (BatchNorm(8), Linear(8, 2))


def test_sized_layers_are_kept_as_they_are():
    net = Sequential(*SIZED, input_shape=12)
    assert all(one is other for one, other in zip(net, SIZED, strict=True))
    assert net.with_input(12) is net
    assert Linear(3, 4).with_input(5) == Linear(3, 4)  # which the net refuses


def test_layers_without_sizes_are_values_too():
    assert Sequential(*UNSIZED) == Sequential(*UNSIZED)
    assert replace(Linear(4), init=Xavier()) == Linear(4, init=Xavier())
    assert Linear(4).features() == (None, 4)
    assert [short(layer) for layer in (Linear(4), BatchNorm(), GroupNorm(2), Scale(value=2.0))] == [
        "Linear(n_out=4)", "BatchNorm()", "GroupNorm(2)", "Scale(value=2.0)"
    ]  # fmt: skip


@pytest.mark.parametrize("layer", [Linear(4), BatchNorm(), LayerNorm(), GroupNorm(2), Scale()], ids=short)
@pytest.mark.parametrize(
    "use",
    [
        lambda layer: layer.parameters(),
        lambda layer: layer.multiply_adds(),
        gradcheck.of_layer,
        lambda layer: Sequential(layer).init(0),
        lambda layer: Sequential(ReLU(), Residual(layer)).summary(),
        lambda layer: Sequential(layer)(np.zeros(8), {}, np.zeros((2, 4))),
    ],
)
def test_a_size_that_is_missing_is_named_with_what_to_do(layer, use):
    message = (
        f"{short(layer)}: expected a number of input features, got none; give it, or that of the net as in "
        "Sequential(..., input_shape=3072)"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        use(layer)
    if isinstance(layer, BatchNorm):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            layer.state()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sequential(Linear(3, 4), input_shape=(3, 2)), r"input_shape: \(3, 2\) has 6 values, but .* takes 3"),
        (lambda: Sequential(Flatten((2, 4)), input_shape=9), r"input_shape: 9 has 9 values, but .* takes 8"),
        (lambda: Sequential(ReLU(), Linear(5, 4), input_shape=3), "input_shape: 3 has 3 values, but .* takes 5"),
        (
            lambda: Sequential(Conv2d(4), GlobalPool(), input_shape=(28, 28)),
            r".*; gray images have one channel: Sequential\(..., input_shape=\(1, 28, 28\)\)",
        ),
        (lambda: Sequential(Linear(4), input_shape=()), r"input_shape: expected sizes of 1 or more, .*, got \(\)"),
        (lambda: Sequential(Linear(4), input_shape=0), "input_shape: expected sizes of 1 or more, .*, got 0"),
        (lambda: Sequential(Linear(50), GroupNorm(3)), r"GroupNorm\(groups=3, n=50, .* in each group.*"),
        (
            lambda: Sequential(Residual(LayerNorm(), Linear(3)), input_shape=4),
            r"Residual\(.* 4 .* take, got 3; give .*",
        ),
    ],
)
def test_sizes_that_do_not_fit_are_refused(make, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        make()


# ---- layers of others


@dataclass(frozen=True)
class Shift(Layer):
    """A layer that takes its size from its input, as the documentation says."""

    n: int | None = None

    def with_input(self, n_in):
        return replace(self, n=n_in) if self.n is None else self

    def features(self):
        return self.n, self.n

    def parameters(self):
        return {"b": Parameter((self.n,), Ones())}


def test_layers_of_others_take_their_size_from_their_input():
    assert Sequential(Linear(3, 4), Shift(), Sequential(Shift(4), Shift()))[1:] == Sequential(
        Shift(4), Sequential(Shift(4), Shift(4))
    )


def test_what_with_input_returns_is_a_layer():
    class Wrong(Layer):
        def with_input(self, n_in):
            return n_in

    with pytest.raises(TypeError, match=r"^layer 1, .*Wrong.*: expected with_input to return a layer, got 4$"):
        Sequential(Linear(3, 4), Wrong())


# ---- samples of their own shape


@pytest.mark.parametrize("members", [(), (2,)], ids=["single", "members"])
@pytest.mark.parametrize("shared", [False, True])
def test_samples_of_their_own_shape_are_rows(members, shared, rng):
    net = Sequential(Flatten((3, 2, 2)), Linear(4), BatchNorm(), Tanh(), Linear(3))
    params, state = net.init([0, 1] if members else 0, like=np.zeros(1))
    x = rng.standard_normal((*(() if shared else members), 5, 3, 2, 2))
    rows = x.reshape(*x.shape[:-3], 12)
    dy = rng.standard_normal((*members, 5, 3))
    results = []
    for given in (x, rows):
        y, cache, _ = net.forward(params, state, given, train=True)
        dx, grads = net.backward(params, cache, dy)
        results.append((y, dx, grads))
        np.testing.assert_array_equal(net.parameter_gradients(params, cache, dy), grads)
    assert results[0][1].shape == (*members, 5, 3, 2, 2)
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one.ravel(), other.ravel())


@pytest.mark.parametrize("shape", [(5, 2, 3, 2), (5, 3, 4), (3, 2, 2), (2, 5, 3, 2, 2)])
def test_samples_of_another_shape_are_refused(shape):
    net = Sequential(Flatten((3, 2, 2)), Linear(4))
    with pytest.raises(ValueError, match=r"^layer 0, Flatten\(shape=\(3, 2, 2\)\): (expected x of shape|x of shape)"):
        net(*net.init(0, like=np.zeros(1)), np.zeros(shape))


def test_a_shape_is_a_tuple_of_python_numbers():
    layer = Flatten([np.int64(3), 4])
    assert layer == Flatten((3, 4))
    assert [type(size) for size in layer.shape] == [int, int]
    assert Flatten(5) == Flatten((5,))
    assert to_json(layer) == {"class": "Flatten", "shape": [3, 4]}
    assert net_from_json(to_json(Sequential(layer))) == Sequential(layer)


@pytest.mark.parametrize("shape", ["34", [3, "4"], [3.0], True, {"3": 4}])
def test_json_of_a_wrong_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"^layer 0, Flatten: .*: expected a whole number, got "):
        net_from_json({"class": "Sequential", "layers": [{"class": "Flatten", "shape": shape}]})
