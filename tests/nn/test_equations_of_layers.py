"""Layers on NumPy against their equations, element by element, and at the edges of their settings."""

import math
from dataclasses import FrozenInstanceError, dataclass, field, replace

import numpy as np
import pytest
from numerical import assert_close

from anynet import (
    ELU,
    GELU,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    GlobalPool,
    GroupNorm,
    Hardswish,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    MaxPool2d,
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
from anynet.nn.draw import dtype_name
from anynet.nn.initializers import Constant, He, Normal, Ones, Xavier, Zeros
from anynet.nn.layer_text import short
from anynet.nn.normal_cdf import normal_cdf
from anynet.nn.summary import Output, summary


def running_statistics(N, momentum, rng, batches=3):
    """The running statistics after each batch, and what the equations say of them."""
    layer = BatchNorm(2, momentum=momentum)
    params = {"gamma": rng.standard_normal(2), "beta": rng.standard_normal(2)}
    state = {"mean": rng.standard_normal(2), "var": rng.uniform(0.5, 2, 2)}
    mean, var = state["mean"], state["var"]
    for _ in range(batches):
        x = 3 + 2 * rng.standard_normal((N, 2))
        _, _, state = layer.forward(params, state, x, train=True)
        mean = mean + momentum * (sum(x) / N - mean)
        unbiased = sum((x - sum(x) / N) ** 2) / (N - 1) if N > 1 else np.zeros(2)
        var = var + momentum * (unbiased - var)
        yield state, mean, var


@pytest.mark.parametrize("momentum", [0.1, 0.7, 1.0])
@pytest.mark.parametrize("N", [2, 3, 9])
def test_running_statistics_are_weighted_means_of_batches(N, momentum, rng):
    for state, mean, var in running_statistics(N, momentum, rng):
        assert_close(state["mean"], mean, 1e-12)
        assert_close(state["var"], var, 1e-12)


def test_batch_norm_in_evaluation_uses_the_running_statistics(rng):
    layer, x = BatchNorm(2, eps=0.25), rng.standard_normal((4, 2))
    params = {"gamma": np.asarray([2.0, -1.0]), "beta": np.asarray([0.5, 3.0])}
    state = {"mean": np.asarray([1.0, -2.0]), "var": np.asarray([3.75, 0.0])}
    y, _, after = layer.forward(params, state, x, train=False)
    assert_close(y[:, 0], 2 * (x[:, 0] - 1) / 2 + 0.5, 1e-13)
    assert_close(y[:, 1], -(x[:, 1] + 2) / 0.5 + 3, 1e-13)
    assert after is state


def test_batch_norm_in_training_uses_the_biased_variance_of_the_batch():
    layer, params = BatchNorm(1, eps=0.0), {"gamma": np.ones(1), "beta": np.zeros(1)}
    x = np.asarray([[1.0], [3.0], [5.0], [7.0]])
    y, _, _ = layer.forward(params, {"mean": np.ones(1), "var": np.ones(1)}, x, train=True)
    assert_close(y, (x - 4) / 5**0.5, 1e-13)


def test_the_edges_of_the_settings_are_allowed():
    assert BatchNorm(1, momentum=1).features() == (1, 1)
    assert Linear(1, 3).features() == (1, 3)
    assert Linear(3, 1).features() == (3, 1)


@pytest.mark.parametrize("momentum", [0.0, -0.1, 1.01, 1.9, 2.0, float("nan")])
def test_momentum_of_batch_norm_out_of_range_is_refused(momentum):
    with pytest.raises(ValueError, match=rf"^BatchNorm\(n=1, momentum={momentum}, .*: expected momentum, .*\(0, 1\]$"):
        BatchNorm(1, momentum=momentum)


def test_default_settings():
    assert BatchNorm(3) == BatchNorm(3, momentum=0.1, eps=1e-5)
    assert LeakyReLU() == LeakyReLU(slope=0.01)
    assert ELU() == ELU(alpha=1.0)
    assert GELU() == GELU(approximate="tanh")
    assert LayerNorm(3) == LayerNorm(3, eps=1e-5)
    assert GroupNorm(2, 4) == GroupNorm(2, 4, eps=1e-5)
    assert Scale(3) == Scale(3, value=1.0)
    assert Dropout() == Dropout(p=0.5)


def mapped(layer, points):
    return layer.forward({}, {}, np.asarray([points]), train=True)[0][0].tolist()


EQUATIONS = {
    ELU(0.7): lambda x: x if x > 0 else 0.7 * (math.exp(x) - 1),
    GELU(): lambda x: x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2,
    GELU("none"): lambda x: x * math.erfc(-x / math.sqrt(2)) / 2,
    SiLU(): lambda x: x / (1 + math.exp(-x)),
    Hardswish(): lambda x: 0 if x < -3 else x if x > 3 else x * (x + 3) / 6,
    Softplus(): lambda x: math.log1p(math.exp(x)),
    Softsign(): lambda x: x / (1 + abs(x)),
}


@pytest.mark.parametrize("layer", EQUATIONS, ids=repr)
def test_activations_are_their_equations(layer):
    points = [-7.0, -3.5, -3.0, -2.5, -1.0, -0.25, 0.0, 1e-9, 0.5, 2.5, 3.0, 3.5, 7.0]
    assert mapped(layer, points) == pytest.approx([EQUATIONS[layer](x) for x in points], rel=1e-13, abs=1e-15)


@pytest.mark.parametrize(("dtype", "rtol", "atol"), [("float32", 3e-6, 1e-40), ("float64", 1e-13, 0)])
def test_the_normal_distribution_function_is_erfcs(dtype, rtol, atol):
    """With a small relative error also where it is small."""
    x = np.concatenate([np.linspace(-10, 10, 2001), [-37.0, 37.0, 1e-30]]).astype(dtype)
    x = x[(x > -10) | (dtype == "float64")]
    cdf, density = normal_cdf(x)
    assert cdf.dtype == density.dtype == dtype
    np.testing.assert_allclose(cdf, [math.erfc(-v / math.sqrt(2)) / 2 for v in x.tolist()], rtol, atol)
    np.testing.assert_allclose(cdf, 1 - normal_cdf(-x)[0], rtol=0, atol=2 * np.finfo(dtype).eps)
    np.testing.assert_allclose(density, [math.exp(-v * v / 2) / math.sqrt(2 * math.pi) for v in x.tolist()], rtol, atol)


@pytest.mark.parametrize(
    ("layer", "kink", "derivative"),
    [
        (ReLU(), 0.0, 0.0),
        (LeakyReLU(0.3), 0.0, 0.3),
        (ELU(0.3), 0.0, 0.3),
        (Hardswish(), -3.0, 0.0),
        (Hardswish(), 3.0, 1.5),
    ],
)
def test_derivatives_at_kinks_are_those_of_the_left(layer, kink, derivative):
    y, cache, _ = layer.forward({}, {}, np.full((1, 1), kink), train=True)
    dx, _ = layer.backward({}, cache, np.full((1, 1), 2.0))
    assert y == max(kink, 0)
    assert dx == 2 * derivative


def test_the_penalty_is_on_the_weights_of_linear_layers_alone():
    net = Sequential(Linear(3, 2), BatchNorm(2), Linear(2, 4), LayerNorm(4), GroupNorm(2, 4), Scale(4))
    assert {name for name, p in net.parameters().items() if p.is_weight is True} == {"0.W", "2.W"}
    assert {name for name, p in net.parameters().items() if p.is_weight is False} == {
        "0.b", "1.gamma", "1.beta", "2.b", "3.gamma", "3.beta", "4.gamma", "4.beta", "5.s"
    }  # fmt: skip
    assert net.layout.n_weights == net.layout.slots["0.b"].start == 32


def test_scales_begin_with_their_value():
    net = Sequential(Scale(3, 1e-4), Scale(3))
    parts = net.layout.split(net.init([0, 1], like=np.zeros(1))[0])
    np.testing.assert_array_equal(parts["0.s"], np.full((2, 3), 1e-4))
    np.testing.assert_array_equal(parts["1.s"], np.ones((2, 3)))


def test_multiply_adds():
    assert [layer.multiply_adds() for layer in (Linear(3, 4), BatchNorm(5), ReLU(), Tanh(), Sigmoid())] == [
        12, 5, 0, 0, 0
    ]  # fmt: skip
    layers = LayerNorm(5), GroupNorm(2, 4), Scale(3), Dropout(), Residual(Linear(3, 4), Linear(4, 3))
    assert [layer.multiply_adds() for layer in layers] == [5, 4, 3, 0, 24]


# ---- what layers are given


class Witness(Layer):
    """Keeps what it was given as ``train``."""

    def __init__(self):
        self.given = []

    def forward(self, params, state, x, *, train):
        self.given.append(train)
        return x, None, state


class RandomWitness(Witness):
    """The same, of a layer with random numbers."""

    def forward(self, params, state, x, *, train, rng=None):
        return super().forward(params, state, x, train=train)


@pytest.mark.parametrize("kind", [Witness, RandomWitness])
def test_layers_are_told_whether_they_are_trained(kind):
    witness, x, rng = kind(), np.ones((1, 1)), np.zeros(2, np.int32)
    net = Sequential(witness, Sequential(witness))
    net(np.zeros(0), {}, x)
    net.forward(np.zeros(0), {}, x, train=True, rng=rng)
    net.forward(np.zeros(0), {}, x, train=False, rng=rng)
    assert [str(given) for given in witness.given] == ["False"] * 2 + ["True"] * 2 + ["False"] * 2


def test_a_layer_without_random_numbers_is_named():
    net = Sequential(ReLU(), Sequential(ReLU(), RandomWitness()))
    with pytest.raises(ValueError, match=r"^layer 1\.1, RandomWitness\(\): needs random numbers in training; "):
        net.forward(np.zeros(0), {}, np.ones((1, 1)), train=True)


# ---- values and text


class Table(Layer):
    """A layer that cannot be hashed, such as one that holds an array."""

    __hash__ = None


def test_hashes_tell_nets_apart():
    assert hash(Sequential(Linear(2, 3))) != hash(Sequential(Linear(2, 4)))
    assert hash(Sequential(Table(), ReLU())) != hash(Sequential(Table(), Tanh()))


@pytest.mark.parametrize(
    "value",
    [
        ReLU(),
        LeakyReLU(),
        Sigmoid(),
        Tanh(),
        ELU(),
        GELU(),
        SiLU(),
        Hardswish(),
        Softplus(),
        Softsign(),
        Linear(2, 3),
        BatchNorm(2),
        Dropout(),
        Flatten((3, 2)),
        LayerNorm(2),
        GroupNorm(1, 2),
        Scale(2),
        Residual(ReLU()),
        Residual(Conv2d(2), shortcut=Conv2d(2, 1)),
        Sequential(ReLU()),
        Conv2d(3, (1, 2), stride=2),
        MaxPool2d(2, padding=1),
        AvgPool2d(3, image=(4, 4)),
        GlobalPool(),
        Flatten().with_image(3, 4),
        He(),
        Constant(0.5),
        Normal(),
        Xavier(),
        Zeros(),
        Ones(),
    ],
    ids=repr,
)
def test_layers_and_initializers_are_values(value):
    assert hash(value) == hash(replace(value) if not isinstance(value, Residual | Sequential) else value[:])
    with pytest.raises(FrozenInstanceError):
        value.anything = 1


def test_a_repr_has_eight_layers_at_most():
    eight, nine = repr(Sequential(*[ReLU()] * 8)), repr(Sequential(*[ReLU()] * 9))
    assert (eight.count("ReLU()"), nine.count("ReLU()")) == (8, 8)
    assert ("more" in eight, "... 1 more ..." in nine) == (False, True)


@dataclass(frozen=True)
class Settings(Layer):
    """A layer with fields of all kinds."""

    n: int
    hidden: int = field(default=1, repr=False)
    derived: int = field(default=2, init=False)
    scales: tuple = field(default_factory=tuple)
    rate: float = field(kw_only=True)
    other: float = field(default=0.5, kw_only=True)


def test_short_has_the_fields_that_make_the_layer():
    layer = Settings(3, 7, rate=0.1)
    object.__setattr__(layer, "derived", 5)
    assert short(layer) == "Settings(3, scales=(), rate=0.1)"
    assert short(replace(layer, other=0.25)) == "Settings(3, scales=(), rate=0.1, other=0.25)"


class Short(Layer):
    def __repr__(self):
        return "A"


def test_a_summary_is_as_wide_as_its_names():
    assert summary([Output("0", Short(), None)]).splitlines() == [
        "layer  output    parameters  multiply-adds",
        "0  A   (N, n)             0              0",
        "total                     0              0",
    ]


@pytest.mark.parametrize("name", ["float32", "float64"])
def test_dtypes_are_named_as_in_numpy(name):
    """Other libraries put their own name ahead."""

    @dataclass
    class Like:
        dtype: str

    assert dtype_name(Like(f"library.{name}")) == dtype_name(Like(name)) == name
    with pytest.raises(
        TypeError, match=r"^like: expected an array of float32 or float64, the dtype of .*, got bfloat16$"
    ):
        dtype_name(Like("library.bfloat16"))


# ---- devices


@pytest.fixture
def second_device():
    """The array API's reference library, and another device than its default."""
    library = pytest.importorskip("array_api_strict")
    return library, library.Device("device1")


def test_a_net_starts_and_runs_on_the_device_of_its_arrays(second_device):
    library, device = second_device
    net = Sequential(Linear(3, 2), BatchNorm(2))
    params, state = net.init([1, 2], like=library.zeros(1, dtype=library.float64, device=device))
    x = library.ones((4, 3), dtype=library.float64, device=device)
    y, cache, state = net.forward(params, state, x, train=True)
    dx, grads = net.backward(params, cache, library.ones((2, 4, 2), dtype=library.float64, device=device))
    for array in (params, y, dx, grads, *state.values()):
        assert array.device == device
