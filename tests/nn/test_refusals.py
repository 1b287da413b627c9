"""What nets refuse, and in which words."""

import math
import re

import numpy as np
import pytest
from nets import FEATURES, NET, NETS, N

from anynet import (
    ELU,
    GELU,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    GroupNorm,
    He,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    PartialIdentity,
    PatchWhitening,
    ReLU,
    Residual,
    Scale,
    Sequential,
    Tanh,
)
from anynet.core.random import key, uniform
from anynet.nn.initializers import Constant, Normal

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


def test_a_residual_gives_the_features_that_it_takes():
    with pytest.raises(
        ValueError,
        match=r"^Residual\(Linear\(5, 4\)\): expected .* the 5 features they take, got 4; give shortcut=Linear\(4\)$",
    ):
        Residual(Linear(5, 4))
    with pytest.raises(ValueError, match=r"^layer 1\.0, Linear\(n_in=5, .* give 4$"):
        Sequential(Linear(5, 4), Residual(Linear(5, 5)))
    with pytest.raises(ValueError, match=r"^a Residual needs at least one layer$"):
        Residual()

    class Sum(Layer):
        def features(self):
            return None, 1

        def forward(self, params, state, x, *, train):
            return x.sum(axis=-1, keepdims=True), None, state

    with pytest.raises(ValueError, match=r"^Residual\(.*\): expected .* shape \(\.\.\., 2, 3\), got \(\.\.\., 2, 1\)$"):
        Sequential(Residual(Sum())).forward(np.zeros(0), {}, np.ones((2, 3)), train=True)


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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Linear(3, 1.5), r"Linear\(n_in=3, n_out=1.5, .*\): n_out: expected a whole number, got 1.5"),
        (lambda: Linear(True, 2), r"Linear\(.*\): n_in: expected a whole number, got True"),
        (lambda: BatchNorm(2.0), r"BatchNorm\(.*\): n: expected a whole number, got 2.0"),
        (lambda: BatchNorm(2, momentum="0.1"), r"BatchNorm\(.*\): momentum: expected a number, got '0.1'"),
        (lambda: LeakyReLU("0.1"), r"LeakyReLU\(.*\): slope: expected a number, got '0.1'"),
        (lambda: ELU("1"), r"ELU\(.*\): alpha: expected a number, got '1'"),
        (lambda: Dropout("0.5"), r"Dropout\(.*\): p: expected a number, got '0.5'"),
        (lambda: LayerNorm(2.0), r"LayerNorm\(.*\): n: expected a whole number, got 2.0"),
        (lambda: GroupNorm(True, 4), r"GroupNorm\(.*\): groups: expected a whole number, got True"),
        (lambda: GroupNorm(2, 4, "0"), r"GroupNorm\(.*\): eps: expected a number, got '0'"),
        (lambda: Scale(2.5), r"Scale\(.*\): n: expected a whole number, got 2.5"),
        (lambda: Scale(2, "1"), r"Scale\(.*\): value: expected a number, got '1'"),
        (lambda: Flatten((3, 2.5)), r"Flatten\(shape=\(3, 2.5\)\): shape: expected a whole number, got 2.5"),
        (lambda: Linear("ab"), r"Linear\(n_in=None, n_out='ab', .*\): n_out: expected a whole number, got 'ab'"),
        (lambda: Linear(), r"Linear\(.*\): n_out: expected a whole number, got None"),
        (lambda: Sequential(Linear(2), input_shape=2.5), "input_shape: expected a whole number, got 2.5"),
        (lambda: Constant(None), r"Constant\(.*\): value: expected a number, got None"),
        (lambda: Normal(None), r"Normal\(.*\): std: expected a number, got None"),
        (
            lambda: Linear(8, init=3),
            r"Linear: init: expected an initializer, such as He\(\), .* or Constant\(0.1\), got 3",
        ),
        (lambda: Conv2d(8, init="he"), "Conv2d: init: expected an initializer, such as .*, got 'he'"),
        (lambda: PatchWhitening(bias_init=He), "PatchWhitening: bias_init: expected an initializer, .* the class He"),
        (lambda: PartialIdentity(None), "PartialIdentity: others: expected an initializer, such as .*, got None"),
        (lambda: NET.init(1.5), "seed: expected a whole number, got 1.5"),
        (lambda: NET.init([1, "2"]), "seed: expected a whole number, got '2'"),
    ],
)
def test_settings_of_another_type_are_refused(make, message):
    with pytest.raises(TypeError, match=f"^{message}$"):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BatchNorm(2, eps=-1e-5), "expected eps finite, 0 or more"),
        (lambda: BatchNorm(2, eps=math.nan), "expected eps finite, 0 or more"),
        (lambda: BatchNorm(2, momentum=math.nan), r"in \(0, 1\]"),
        (lambda: LeakyReLU(math.nan), "expected a finite slope"),
        (lambda: LeakyReLU(math.inf), "expected a finite slope"),
        (lambda: ELU(-0.1), "expected alpha finite, 0 or more"),
        (lambda: ELU(math.inf), "expected alpha finite, 0 or more"),
        (lambda: GELU("erf"), r"^GELU\(approximate='erf'\): expected approximate \"tanh\" or \"none\"$"),
        (lambda: Dropout(1.0), r"expected p, the probability of 0, in \[0, 1\)"),
        (lambda: Dropout(-0.1), r"expected p, the probability of 0, in \[0, 1\)"),
        (lambda: Dropout(math.nan), r"expected p, the probability of 0, in \[0, 1\)"),
        (lambda: LayerNorm(1), "expected 2 features or more in each group"),
        (lambda: LayerNorm(2, eps=-1.0), "expected eps finite, 0 or more"),
        (lambda: GroupNorm(3, 3), "expected 2 features or more in each group"),
        (lambda: GroupNorm(2, 5), "expected 2 features or more in each group, the same number in all"),
        (lambda: GroupNorm(0, 4), "expected 2 features or more in each group"),
        (
            lambda: Flatten((3, 0)),
            r"^Flatten\(.*\): shape: expected sizes of 1 or more, such as 3072 .*, got \(3, 0\)$",
        ),
        (lambda: Flatten(()), r"^Flatten\(.*\): shape: expected sizes of 1 or more, .*, got \(\)$"),
        (lambda: Flatten((1, 5)), r"^Flatten\(.*\): expected a size above 1 ahead of the last, got none; use \(5,\)$"),
        (lambda: Linear(0), "expected 1 feature or more"),
        (lambda: GroupNorm(0), "expected 2 features or more in each group"),
        (lambda: Scale(0), "expected 1 feature or more"),
        (lambda: Scale(2, math.inf), "expected a finite initial value"),
        (lambda: Constant(math.nan), "expected a finite value"),
        (lambda: Normal(-1.0), "expected std finite, 0 or more"),
        (lambda: Normal(math.nan), "expected std finite, 0 or more"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


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
    x = np.zeros((4, 3), np.float32)
    with pytest.raises(ValueError, match=r"^state 1\.mean: expected shape \(2, 2\), got \(2,\)$"):
        net.forward(params, net.init(1)[1], x, train=True)
    with pytest.raises(ValueError, match=r"^state: expected arrays named .*, got \['1.mean'\]$"):
        net.forward(params, {"1.mean": state["1.mean"]}, x, train=True)
    with pytest.raises(TypeError, match=r"^state: expected a dict of arrays named .*, got NoneType$"):
        net.forward(params, None, x, train=True)


def test_state_of_another_dtype_is_refused():
    net = Sequential(Linear(3, 2), BatchNorm(2))
    params, state = net.init(0)
    state["1.mean"] = state["1.mean"].astype(np.float64)
    with pytest.raises(TypeError, match=r"state 1\.mean: expected the dtype of params, float32, got float64"):
        net.forward(params, state, np.ones((4, 3), np.float32), train=True)


@pytest.mark.parametrize(
    ("dlogits", "error", "message"),
    [
        (np.zeros((4, 3)), ValueError, r"dy: expected shape \(N, 2\), like the output, got \(4, 3\)"),
        (np.zeros((4, 2), np.float32), TypeError, r"dy: expected the dtype of params( 0\.W)?, float64, got float32"),
        (np.zeros((4, 2)).tolist(), TypeError, "dy: expected an array of a library, got list"),
        (np.zeros(()), ValueError, r"dy: expected shape \(N, 2\), like the output, got \(\)"),
        (np.zeros(2), ValueError, r"dy: expected shape \(N, 2\), like the output, got \(2,\)"),
        (np.zeros((3, 4, 2)), ValueError, r"dy: expected shape \(N, 2\), like the output, got \(3, 4, 2\)"),
    ],
)
def test_a_gradient_that_does_not_fit_the_logits_is_refused(dlogits, error, message):
    net = Sequential(Linear(3, 2))
    params, state = net.init(0, like=np.zeros(1))
    _, cache, _ = net.forward(params, state, np.ones((4, 3)), train=True)
    with pytest.raises(error, match=message):
        net.backward(params, cache, dlogits)
    with pytest.raises(error, match=message):
        net.backward(net.layout.split(params), cache, dlogits)


def test_a_gradient_needs_members_where_there_are_parameters():
    dy, net = np.zeros((4, 2)), Sequential(Tanh(), Linear(2, 2))
    _, cache, _ = net.forward(np.zeros((3, 32)), {}, dy, train=True)
    with pytest.raises(ValueError, match=r"^dy: expected shape \(3, N, 2\), like the output, got \(4, 2\)$"):
        net.backward(np.zeros((3, 32)), cache, dy)
    _, cache, _ = net[:1].forward(np.zeros((3, 0)), {}, dy, train=True)
    net[:1].backward(np.zeros((3, 0)), cache, dy)


# ---- parameters by name


def named(members=()):
    net = Sequential(Linear(2, 3), BatchNorm(3))
    params, state = net.init([1] * members[0] if members else 1)
    return net, net.layout.split(params), state, np.ones((4, 2), np.float32)


@pytest.mark.parametrize(
    ("kind", "name", "change", "error", "message"),
    [
        ("state", "1.mean", lambda a: a[..., :1], ValueError, "state 1.mean: expected shape (3,), got (1,)"),
        ("params", "0.b", lambda a: a[..., :1], ValueError, "params 0.b: expected shape (3,), got (1,)"),
        ("params", "0.W", lambda a: a[0], ValueError, "params 0.W: expected shape (2, 3), got (3,)"),
        ("params", "0.b", lambda a: a[None], ValueError, "params 0.b: expected shape (3,), got (1, 3)"),
        (
            "params",
            "0.b",
            lambda a: a.astype(float),
            TypeError,
            "params 0.b: expected the dtype of params 0.W, float32",
        ),
        ("params", "0.b", lambda a: a.tolist(), TypeError, "params 0.b: expected an array of a library, got list"),
        ("state", "1.var", lambda a: a.astype(float), TypeError, "state 1.var: expected the dtype of params 0.W"),
        ("x", "x", lambda a: a.astype(int), TypeError, "x: expected the dtype of params 0.W, float32, got int64"),
        ("x", "x", lambda a: np.stack([a, a]), ValueError, "x of shape (2, 4, 2) is neither shared by the members"),
    ],
)
def test_arrays_by_name_are_checked(kind, name, change, error, message):
    net, params, state, x = named()
    given = {"params": params, "state": state, "x": {"x": x}}
    given[kind][name] = change(given[kind][name])
    with pytest.raises(error, match=re.escape(message)):
        net.forward(params, state, given["x"]["x"], train=True)


def test_parameters_of_two_libraries_are_refused():
    torch = pytest.importorskip("torch")
    net, params, state, x = named()
    params["0.b"] = torch.asarray(params["0.b"])
    with pytest.raises(TypeError, match=r"^params 0\.W is an array of numpy, params 0\.b one of torch: bring both"):
        net.forward(params, state, x, train=True)


def test_names_are_checked_backward():
    net, params, state, x = named(members=(2,))
    y, cache, _ = net.forward(params, state, x, train=True)
    net.backward(params, cache, y)
    del params["0.b"]
    with pytest.raises(ValueError, match=r"^params: expected arrays named \['0\.W', '0\.b', .*, got \['0\.W', "):
        net.backward(params, cache, y)


# ---- rng


class Shift(Layer):
    def forward(self, params, state, x, *, train, rng=None):
        return x + uniform(rng, x.shape[-2:], x.dtype), None, state


@pytest.mark.parametrize(
    ("rng", "members", "error", "message"),
    [
        (5, (), TypeError, "rng: expected int32 of shape (..., 2), got int"),
        (key(0).astype(np.int64), (), TypeError, "rng: expected int32 of shape (..., 2), got int64 of shape (2,)"),
        (np.stack([key(0)] * 3), (2,), ValueError, "rng: expected shape (2, 2), a key for each member, got (3, 2)"),
        (np.stack([key(0)] * 2), (), ValueError, "rng: expected shape (2,), a key for each member, got (2, 2)"),
        (key(0), (2,), ValueError, "rng: expected shape (2, 2), a key for each member, got (2,)"),
    ],
)
def test_an_rng_that_does_not_fit_is_refused(rng, members, error, message):
    net = Sequential(Linear(2, 3), Shift())
    params, x = np.zeros((*members, net.layout.size)), np.ones((4, 2))
    for form in (params, net.layout.split(params)):
        with pytest.raises(error, match="^" + re.escape(message)):
            net.forward(form, {}, x, train=True, rng=rng)


def test_an_rng_of_another_library_is_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match=r"^x is an array of numpy, rng one of torch: bring both"):
        Sequential(Shift()).forward(np.zeros(0), {}, np.ones((4, 2)), train=True, rng=torch.asarray(key(0)))


def test_a_layer_alone_names_the_rng_that_it_misses():
    with pytest.raises(TypeError, match=r"^rng: expected int32 of shape \(\.\.\., 2\), got NoneType$"):
        Shift().forward({}, {}, np.ones((4, 2)), train=True)
