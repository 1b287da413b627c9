"""What a check refuses, and in which words: what cannot be differentiated, or held to the tolerance asked for."""

import re
from dataclasses import dataclass, field

import numpy as np
import pytest
from formulas import SMOOTH, Formula

from anynet import Linear, ReLU, Sequential
from anynet.gradcheck import METHODS, Subject, check, of_layer, of_loss, of_net, sweep
from anynet.nn import Layer
from anynet.nn.losses import softmax_cross_entropy

SINE = SMOOTH["sin"].at(np.asarray([[0.5, 1.0, 1.5]]))


def refused(subject, message, **settings):
    with pytest.raises(ValueError, match=re.escape(message)) as refusal:
        check(subject, **settings)
    return str(refusal.value)


# ---- settings


@pytest.mark.parametrize("wrong", ["centered", "Central", "direction", "finit"])
def test_an_unknown_method_is_refused_with_the_nearest(wrong):
    nearest = {"centered": "central", "Central": "central", "direction": "directional", "finit": "finite"}[wrong]
    assert f'"{nearest}"' in refused(SINE, f'method: there is no "{wrong}"; did you mean ', method=wrong)


def test_a_method_like_no_other_is_refused_with_all_of_them():
    message = 'method: there is no "xyz"; there are "central", "directional", "finite"'
    assert refused(SINE, message, method="xyz") == message


@pytest.mark.parametrize("step", [0, 0.0, -1e-5, float("nan"), float("inf")])
def test_a_step_that_is_not_positive_is_refused(step):
    refused(SINE, f"step: expected a positive number, got {step}", step=step)


@pytest.mark.parametrize("probes", [0, -3])
def test_no_probes_are_refused(probes):
    refused(SINE, f"probes: expected 1 or more, got {probes}", probes=probes)


@pytest.mark.parametrize("method", METHODS)
def test_a_tolerance_that_float64_cannot_hold_is_refused(method):
    best = {"finite": "1.5e-06", "central": "3.7e-09", "directional": "3.7e-09"}[method]
    message = f"tolerance: expected {best} or more, which {method} differences attain in float64, got "
    for tolerance in (float(best) / 2, 0, -1, float("nan")):
        assert refused(SINE, message, method=method, tolerance=tolerance).endswith(f"{tolerance:g}; use it")
    check(SINE, method=method, tolerance=1.01 * float(best))


@pytest.mark.parametrize("method", METHODS)
def test_the_default_tolerance_is_refused_in_float32_with_what_it_can_hold(method):
    best = {"finite": "3.5e-02", "central": "2.4e-03", "directional": "2.4e-03"}[method]
    message = f"tolerance: expected {best} or more, which {method} differences attain in float32, got "
    assert refused(of_layer(Linear(3, 2), dtype="float32"), message, method=method).endswith("use it, or float64")


@pytest.mark.parametrize("method", METHODS)
def test_a_step_lost_in_rounding_is_refused(method):
    refused(SMOOTH["sin"].at(np.full(3, 1e9)), "is lost in rounding next to", method=method, step=1e-9)


# ---- numbers that are not finite


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_parameters_and_inputs_that_are_not_finite_are_refused_with_their_place(number, rng):
    W, x = rng.standard_normal((3, 2)), rng.standard_normal((4, 3))
    W[2, 1] = number
    refused(
        of_layer(Linear(3, 2), x, params={"W": W, "b": np.zeros(2)}),
        f"W: expected finite numbers, got {number} at (2, 1), one of 1",
    )
    x[1, 0] = x[3, 2] = number
    refused(of_layer(ReLU(), x), f"input: expected finite numbers, got {number} at (1, 0), one of 2")
    refused(of_loss(softmax_cross_entropy, x, [0, 1, 2, 0]), f"logits: expected finite numbers, got {number} at (1, 0)")


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_value_that_is_not_finite_is_refused():
    refused(Formula(np.log, np.reciprocal).at(np.asarray([1.0, 0.0])), "the value: expected finite numbers, got -inf")


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_is_refused(number):
    subject = SMOOTH["sin"].spoilt(lambda g: np.where(g == g[1], number, g)).at(np.asarray([0.5, 1.0]))
    refused(subject, f"the gradient with respect to x: expected finite numbers, got {number} at (1,)")


def test_an_array_without_elements_is_refused():
    refused(of_layer(ReLU(), np.zeros((0, 5))), "input: expected one number or more, got shape (0, 5)")


# ---- gradients that do not fit


def test_a_missing_gradient_is_refused():
    def subject(gradients):
        point = {"x": np.ones(2), "y": np.ones(2)}
        return Subject(lambda p: p["x"] * p["y"], lambda p: gradients, point)

    refused(subject({"y": np.ones(2)}), "gradients: expected one with respect to x, got those for y")
    refused(subject({}), "gradients: expected one with respect to x, got those for no array")


def test_a_gradient_of_another_shape_is_refused():
    refused(SMOOTH["sin"].spoilt(np.sum).at(np.ones(3)), "the gradient with respect to x: expected shape (3,), got ()")

    class PerSample(Linear):
        def backward(self, params, cache, dy):
            dx, grads = super().backward(params, cache, dy)
            return dx, grads | {"b": dy}

    refused(
        of_layer(PerSample(3, 2)), "backward returns gradients of shapes {'W': (3, 2), 'b': (6, 2)}, parameter_grad"
    )


# ---- forwards that are not functions


@dataclass(frozen=True)
class Dropout(Layer):
    """Draws its mask inside."""

    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def forward(self, params, state, x, *, train):
        mask = self.rng.uniform(size=x.shape) > 0.5
        return x * mask, mask, state

    def backward(self, params, cache, dy):
        return dy * cache, {}


@dataclass(frozen=True)
class Counting(Layer):
    """Scales by how often it has been called."""

    calls: list = field(default_factory=list)

    def forward(self, params, state, x, *, train):
        self.calls.append(None)
        return x * len(self.calls), len(self.calls), state

    def backward(self, params, cache, dy):
        return dy * cache, {}


@pytest.mark.parametrize("layer", [Dropout, Counting])
def test_a_forward_that_is_random_or_remembers_is_refused(layer, rng):
    message = "a forward that draws random numbers or keeps state between calls cannot be checked"
    assert refused(of_layer(layer()), message).startswith("the value: expected the same in every call, got ")
    net = Sequential(Linear(3, 3), layer(), Linear(3, 2))
    refused(of_net(net, rng.standard_normal((4, 3)), [0, 1, 0, 1]), message)
    with pytest.raises(ValueError, match="draws random numbers or keeps state"):
        sweep(of_layer(layer()), [1e-5])


class InPlaceReLU(ReLU):
    def forward(self, params, state, x, *, train):
        x[x < 0] = 0
        return x, x, state


class InPlaceBackward(Linear):
    """Writes its input's gradient over the input, to save memory."""

    def backward(self, params, cache, dy):
        dx, grads = super().backward(params, cache, dy)
        cache[...] = dx
        return cache, grads


class Decaying(Linear):
    """Takes the step of weight decay in the middle of a forward."""

    def forward(self, params, state, x, *, train):
        w = params["W"]
        w *= 0.9
        return super().forward(params, state, x, train=train)


@pytest.mark.parametrize("backend", ["numpy", "torch:cpu"])
@pytest.mark.parametrize(
    ("layer", "array"), [(InPlaceReLU(), "input"), (InPlaceBackward(3, 3), "input"), (Decaying(3, 3), "W")]
)
def test_a_layer_that_writes_into_an_argument_is_refused(backend, layer, array):
    if backend != "numpy":
        pytest.importorskip("torch")
    refused(
        of_layer(layer, backend=backend),
        f"{layer} modifies its argument {array}; let it work on a copy",
    )


class InPlaceGradient(ReLU):
    def backward(self, params, cache, dy):
        dy *= cache > 0
        return dy, {}


def test_a_backward_that_writes_into_the_outputs_gradient_is_refused():
    refused(of_layer(InPlaceGradient()), "InPlaceGradient() modifies its argument dy; let it work on a copy")


class HalfAsMuch(Linear):
    """Takes one gradient where a net's first layer is trained, another everywhere else."""

    def parameter_gradients(self, params, cache, dy):
        return {name: gradient / 2 for name, gradient in super().parameter_gradients(params, cache, dy).items()}

    def backward(self, params, cache, dy):
        return Linear(self.n_in, self.n_out).backward(params, cache, dy)


def test_labels_that_are_texts_are_refused(rng):
    with pytest.raises(
        TypeError, match=r"^labels: expected class numbers from 0 on, or floats, got <U3; .*\[1\] are the"
    ):
        of_net(Sequential(Linear(3, 2)), rng.standard_normal((2, 3)), np.asarray(["cat", "dog"]))


def test_two_ways_to_a_gradient_must_agree(rng):
    message = "backward and parameter_gradients return different gradients with respect to"
    assert message in refused(of_layer(HalfAsMuch(3, 2)), message)
    assert message in refused(of_net(Sequential(HalfAsMuch(3, 2)), rng.standard_normal((4, 3)), [0, 1, 0, 1]), message)
