"""What nets refuse, and in which words."""

import re

import numpy as np
import pytest
from nets import FEATURES, NET, NETS, N

from anynet import BatchNorm, Linear, ReLU, Sequential, Tanh

FIRST = "layer 0, Linear(n_in=5, n_out=4, init=He(), bias_init="


def zeros(net, shape):
    return np.zeros(net.layout.size), np.zeros(shape)


def refused(error, message, params, x, state=None, net=NET):
    state = NET.init(0, like=np.zeros(1))[1] if state is None else state
    with pytest.raises(error) as refusal:
        net.forward(params, state, x, train=True)
    assert message in str(refusal.value)


# ---- construction


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([Linear(5, 4), BatchNorm(3)], "layer 1, BatchNorm(n=3, momentum=0.1, eps=1e-05): takes 3 features, but"),
        ([Linear(5, 4), ReLU(), Tanh(), Linear(5, 4)], "layer 3, Linear(n_in=5, n_out=4, "),
        ([Tanh(), Linear(5, 4), Sequential(ReLU(), BatchNorm(5))], "layer 2.1, BatchNorm(n=5"),
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


@pytest.mark.parametrize("layer", [lambda: Linear(0, 3), lambda: Linear(3, -1), lambda: BatchNorm(0)])
def test_layers_without_features_are_refused(layer):
    with pytest.raises(ValueError, match="expected 1 feature or more"):
        layer()


# ---- init


def test_like_must_be_floating_point():
    with pytest.raises(TypeError, match=r"^like: expected an array of float32 or float64, .*, got int64$"):
        NET.init(0, like=np.zeros(1, np.int64))


def test_negative_seeds_are_refused():
    for seed in (-1, [0, -1]):
        with pytest.raises(ValueError, match=r"expected 0 to 2\^64 - 1, got -1"):
            NET.init(seed)


def test_no_seeds_make_no_members():
    with pytest.raises(ValueError, match=r"^seed: expected a number, or one for each member, got none$"):
        NET.init([])


# ---- forward and backward


@pytest.mark.parametrize("shape", [(N, 4), (N, 6), (2, N, 3), (5,), ()])
def test_wrong_features_are_refused(shape):
    message = f": expected x of shape (..., N, 5), got {shape}"
    with pytest.raises(ValueError, match="^" + re.escape(FIRST)) as refusal:
        NET.forward(np.zeros(NET.layout.size), {}, np.zeros(shape), train=True)
    assert str(refusal.value).endswith(message)


def test_wrong_features_are_refused_behind_an_activation():
    net = NETS["activation first"]
    refused(ValueError, "layer 0, Sigmoid(): expected x of shape (..., N, 3), got (7, 5)", *zeros(net, (N, 5)), net=net)


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
    ("members", "x_members"),
    [((), (1,)), ((), (2,)), ((3,), (2,)), ((3,), (1,)), ((2,), (2, 2)), ((2, 3), (3,)), ((2, 3), (2,))],
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


def test_state_of_other_shapes_is_refused():
    net = Sequential(Linear(3, 2), BatchNorm(2))
    params, state = net.init([1, 2])
    with pytest.raises(ValueError, match=r"state: expected arrays of shapes \{'1.mean': \(2, 2\)"):
        net.forward(params, net.init(1)[1], np.zeros((4, 3), np.float32), train=True)
    with pytest.raises(ValueError, match=r"got \{'1.mean': \(2, 2\)\}"):
        net.forward(params, {"1.mean": state["1.mean"]}, np.zeros((4, 3), np.float32), train=True)


def test_state_of_another_dtype_is_refused():
    net = Sequential(Linear(3, 2), BatchNorm(2))
    params, state = net.init(0)
    state["1.mean"] = state["1.mean"].astype(np.float64)
    with pytest.raises(TypeError, match=r"state 1\.mean: expected the dtype of params, float32, got float64"):
        net.forward(params, state, np.ones((4, 3), np.float32), train=True)


@pytest.mark.parametrize(
    ("dlogits", "error", "message"),
    [
        (np.zeros((4, 3)), ValueError, r"dy: expected shape \(\.\.\., N, 2\), like the output, got \(4, 3\)"),
        (np.zeros((4, 2), np.float32), TypeError, "dy: expected the dtype of params, float64, got float32"),
        (np.zeros((4, 2)).tolist(), TypeError, "dy: expected an array of a library, got list"),
    ],
)
def test_a_gradient_that_does_not_fit_the_logits_is_refused(dlogits, error, message):
    net = Sequential(Linear(3, 2))
    params, state = net.init(0, like=np.zeros(1))
    _, cache, _ = net.forward(params, state, np.ones((4, 3)), train=True)
    with pytest.raises(error, match=message):
        net.backward(params, cache, dlogits)
