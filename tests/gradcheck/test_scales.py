"""Values and arrays of unusual size, shape and dtype: compared where that is possible, said where it is not."""

from dataclasses import dataclass

import numpy as np
import pytest
from array_api_compat import array_namespace

from anynet import BatchNorm, Layer, Linear, Parameter, Sequential
from anynet.gradcheck import Subject, check, of_layer, of_net, sweep
from anynet.nn.initializers import Ones


def one(value, gradient, **point):
    return Subject(lambda p: value(p["x"]), lambda p: {"x": gradient(p["x"])}, point)


def test_a_gradient_that_rounding_hides_is_not_said_to_agree():
    result = check(one(lambda x: 1e14 + np.sin(x), np.cos, x=np.asarray([0.5, 1.0])))
    assert result.entries["x"].unresolved
    assert "0: smaller than rounding errors: x" in " ".join(str(result).split())
    assert "✓" not in str(result)


def test_a_bias_ahead_of_batch_norm_is_said_to_be_zero(rng):
    net = Sequential(Linear(3, 4), BatchNorm(4), Linear(4, 2))
    result = check(of_net(net, rng.standard_normal((6, 3)), rng.integers(0, 2, 6)))
    assert [name for name, entry in result.entries.items() if entry.unresolved] == ["0.b"]


def test_a_value_that_overflows_is_refused():
    with pytest.raises(ValueError, match=r"expected terms whose squares are finite, got terms of up to 4.79426e\+199"):
        check(one(lambda x: 1e200 * np.sin(x), lambda x: 1e200 * np.cos(x), x=np.asarray([0.5])))


@pytest.mark.parametrize("offset", [300.0, 1e3, 1e4])
def test_inputs_far_from_zero_pass_batch_norm(rng, offset):
    assert check(of_layer(BatchNorm(5), rng.standard_normal((20, 5)) + offset)).passed


@pytest.mark.parametrize("frequency", [1e-3, 1.0, 1e3])
def test_a_function_that_bends_soon_or_late_passes(frequency):
    subject = one(lambda x: np.sin(frequency * x), lambda x: frequency * np.cos(frequency * x), x=np.linspace(0, 1, 9))
    assert check(subject).passed
    wrong = subject._replace(gradients=lambda p: {"x": 1.01 * frequency * np.cos(frequency * p["x"])})
    assert not check(wrong).passed


@dataclass(frozen=True)
class Slope(Layer):
    """y = s x, with one s for everything."""

    def parameters(self):
        return {"s": Parameter((), Ones())}

    def forward(self, params, state, x, *, train):
        return params["s"] * x, x, state

    def backward(self, params, cache, dy):
        return params["s"] * dy, {"s": array_namespace(dy).sum(dy * cache)}


@pytest.mark.parametrize("method", ["finite", "central", "directional"])
def test_a_parameter_may_be_a_single_number(method):
    assert check(of_layer(Slope()), method=method).passed


def test_an_input_may_be_shared_by_members(rng):
    assert check(of_layer(Linear(5, 4), rng.standard_normal((3, 5)), members=2)).passed


def test_what_is_not_given_is_drawn(rng):
    W = rng.standard_normal((3, 2))
    result = check(of_layer(Linear(3, 2), params={"W": W}))
    np.testing.assert_array_equal(result.point["W"], W)
    assert result.point["b"].shape == (2,)
    assert result.passed


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ({}, "point: expected one array or more, got none"),
        ({"x": np.ones(2, int)}, "x: expected a NumPy array of float32 or float64, got int"),
        ({"x": np.ones(2, np.float16)}, "x: expected a NumPy array of float32 or float64, got float16"),
        ({"x": [1.0]}, "x: expected a NumPy array of float32 or float64, got list"),
    ],
)
def test_what_is_no_floating_point_array_is_refused(point, message):
    with pytest.raises(ValueError, match=message):
        check(one(np.sin, np.cos, **point))


def test_a_function_that_writes_into_its_argument_is_refused():
    def value(x):
        x *= 2
        return x

    with pytest.raises(ValueError, match="the function modifies its argument x"):
        check(one(value, np.ones_like, x=np.ones(3)))


class Misshapen(Linear):
    def parameter_gradients(self, params, cache, dy):
        return {"W": super().parameter_gradients(params, cache, dy)["W"]}

    def backward(self, params, cache, dy):
        return Linear(self.n_in, self.n_out).backward(params, cache, dy)


def test_both_ways_must_give_the_same_arrays():
    with pytest.raises(
        ValueError, match=r"backward returns gradients of shapes .*'b'.* parameter_gradients of \{'W': \(3, 2\)\}"
    ):
        check(of_layer(Misshapen(3, 2)))


def test_labels_without_a_class_are_refused(rng):
    with pytest.raises(ValueError, match="labels: expected 0 to 1, got 0 to 2"):
        of_net(Sequential(Linear(3, 2)), rng.standard_normal((3, 3)), [0, 1, 2])


def test_a_tolerance_of_one_is_refused():
    with pytest.raises(ValueError, match="tolerance: expected less than 1"):
        check(one(np.sin, np.cos, x=np.ones(1)), tolerance=1.0)


def test_a_sweep_leaves_out_steps_that_are_lost():
    errors = sweep(one(np.sin, np.cos, x=np.asarray([1e8])), [1e-3, 1e-12])
    for values in errors.values():
        assert np.isfinite(values).tolist() == [True, False]


@pytest.mark.parametrize(("steps", "probes"), [([0.0], 1), ([-1e-3], 1), ([1e-3], 0)])
def test_a_sweep_of_nothing_is_refused(steps, probes):
    with pytest.raises(ValueError, match="expected positive steps and 1 probe or more"):
        sweep(one(np.sin, np.cos, x=np.ones(1)), steps, probes=probes)
