"""Kinks are left out and counted; a wrong gradient is never taken for one."""

import numpy as np
import pytest
from formulas import ABSOLUTE, RELU, SMOOTH, Formula

from anynet import BatchNorm, GlobalPool, LeakyReLU, Linear, MaxPool2d, ReLU, Sequential
from anynet.gradcheck import METHODS, GradientError, check, of_layer, of_loss, of_net
from anynet.nn.losses import hinge

ELEMENTWISE = [name for name, method in METHODS.items() if not method.directions]
FAR = [-2.0, -1.0, -0.5, 0.5, 1.0, 2.0]

WRONG = {
    "sign": lambda g: -g,
    "factor 2": lambda g: 2 * g,
    "factor 1 / 2": lambda g: g / 2,
    "factor 1.001": lambda g: 1.001 * g,
    "factor 1 + 3e-4": lambda g: (1 + 3e-4) * g,
    "nought": lambda g: 0 * g,
    "offset 1": lambda g: g + 1,
    "offset 1e-3": lambda g: g + 1e-3,
}


@pytest.fixture(params=ELEMENTWISE)
def method(request):
    return request.param


@pytest.fixture(params=METHODS)
def any_method(request):
    return request.param


@pytest.fixture(params=WRONG)
def spoil(request):
    return WRONG[request.param]


# ---- what is left out


@pytest.mark.parametrize("formula", [RELU, ABSOLUTE], ids=["relu", "absolute value"])
def test_an_input_at_the_kink_itself_is_left_out(method, formula):
    entry = check(formula.at(np.asarray([*FAR, 0.0])), method=method).entries["x"]
    assert entry.passed
    # Central differences of |x| at 0 give 0, and so does its sign: nothing to leave out.
    expected = [False] * 6 + [not (formula is ABSOLUTE and method == "central")]
    # The ReLU's slope backwards from 0 is the one promised, and one-sided differences go forwards.
    assert entry.kinks.tolist() == expected
    assert entry.row()["kinks"] == sum(expected)
    assert entry.row()["probes"] == 7


@pytest.mark.parametrize("formula", [RELU, ABSOLUTE], ids=["relu", "absolute value"])
@pytest.mark.parametrize("part", [0.9, 0.5, 0.2, 0.08, 0.03, 8e-3, 2e-3, 9e-4, 5e-4, 2e-4, 1e-5])
def test_a_kink_within_the_step_is_left_out(method, formula, part):
    step = 1e-5
    entry = check(formula.at(np.asarray([*FAR, -part * step])), method=method, step=step).entries["x"]
    assert entry.passed
    assert entry.kinks.tolist() == [False] * 6 + [True]


def test_a_kink_beyond_the_step_is_compared(method):
    entry = check(RELU.at(np.asarray([*FAR, -1.1e-5, 1.1e-5])), method=method, step=1e-5).entries["x"]
    assert entry.passed
    assert not entry.kinks.any()


@pytest.mark.parametrize("layer", [ReLU(), LeakyReLU(0.1)], ids=str)
def test_the_layers_with_kinks_are_checked_around_them(method, layer, rng):
    x = rng.choice([-1, 1], (6, 5)) * rng.uniform(0.1, 2, (6, 5))
    x[1, 2], x[4, 0] = 0, -1e-10
    entry = check(of_layer(layer, x), method=method).entries["input"]
    assert entry.passed
    assert np.flatnonzero(entry.kinks).tolist() == [7, 20]


def test_logits_at_the_hinges_margin_are_left_out(method):
    logits = [[0.3, -0.7, 2.0], [1.5, 0.0, 0.4]]  # of the first row, -0.7 is at the margin below 0.3
    entry = check(of_loss(hinge, logits, [0, 1]), method=method).entries["logits"]
    assert entry.passed
    # Moving either of the two moves across the kink; forwards, the first moves to the flat side, as promised.
    assert np.flatnonzero(entry.kinks).tolist() == ([0, 1] if method == "central" else [1])


def test_a_net_with_a_unit_at_its_kink_passes_with_the_kinks_counted(method, rng):
    net = Sequential(Linear(3, 4), ReLU(), Linear(4, 3))
    params = rng.standard_normal(net.layout.size)
    x = rng.standard_normal((5, 3))
    parts = net.layout.split(params)
    parts["0.b"][1] = -(x @ parts["0.W"])[2, 1]  # sample 2 has its unit 1 within rounding of 0
    assert np.abs(x @ parts["0.W"] + parts["0.b"]).min() < 1e-15
    result = check(of_net(net, x, [0, 1, 2, 0, 1], params=net.layout.join(parts, params)), method=method)
    result.require()
    through = {"0.W": 3, "0.b": 1, "2.W": 0, "2.b": 0, "input": 3}  # the ways to that unit
    kinks = {name: int(entry.kinks.sum()) for name, entry in result.entries.items()}
    if method == "central":
        assert kinks == through
    else:  # forwards, some go to the side that the gradient is of
        assert all(kinks[name] <= through[name] for name in through)
        assert kinks["0.b"] + kinks["0.W"] > 0


@pytest.mark.parametrize("seed", [1, 3, 4, 5])
def test_a_net_of_many_units_passes_with_a_step_across_many_kinks(seed):
    rng = np.random.default_rng(seed)
    net = Sequential(Linear(8, 20), BatchNorm(20), ReLU(), Linear(20, 20), ReLU(), Linear(20, 5))
    subject = of_net(net, 0.1 * rng.standard_normal((40, 8)), rng.integers(0, 5, 40), seed=seed)
    result = check(subject, step=1e-3, probes=30)
    result.require()
    assert sum(int(entry.kinks.sum()) for entry in result.entries.values()) > 3


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        (Formula(RELU.f, lambda x: np.zeros_like(x)).at(np.zeros(3)), "x"),
        (of_layer(ReLU(), x=np.zeros((2, 3)), backend="numpy"), "input"),
    ],
    ids=["formula", "layer"],
)
def test_where_all_is_at_kinks_nothing_passes_and_the_message_says_so(any_method, subject, name):
    result = check(subject, method=any_method)
    entry = result.entries[name]
    assert entry.kinks.all()
    assert not entry.passed
    message = f"nothing could be compared with respect to {name}, because every probe is at a kink, as where"
    with pytest.raises(GradientError, match=f"^{message}") as error:
        result.require()
    assert f"{len(entry.lines)} probes, all at kinks" in str(error.value)
    assert "largest relative error" not in str(error.value)  # it would be 0, and pass
    assert message in " ".join(str(result).split())
    assert ('or single elements, method="central"' in str(error.value)) == (any_method == "directional")


def test_noise_parts_the_equal_pixels_of_max_pooling(rng):
    """As the message says."""
    net = Sequential(MaxPool2d(2), GlobalPool(), Linear(2), input_shape=(1, 4, 4))
    white, labels = np.ones((2, 1, 4, 4)), [0, 1]
    assert check(of_net(net, white, labels), method="directional").entries["input"].kinks.all()
    check(of_net(net, white + 1e-3 * rng.standard_normal(white.shape), labels), method="directional").require()


# ---- what is not


def test_a_wrong_gradient_of_a_smooth_function_is_no_kink(any_method, spoil, rng):
    for formula in SMOOTH.values():
        entry = check(formula.spoilt(spoil).at(rng.uniform(0.5, 1.5, 20)), method=any_method).entries["x"]
        assert not entry.passed
        assert not entry.kinks.any()


@pytest.mark.parametrize("method", ["central", "directional"])
@pytest.mark.parametrize("error", [1.1e-6, 1.5e-6, 2e-6, 3e-6, 1e-5, 1e-4])
def test_an_error_just_above_the_tolerance_is_no_kink(method, error, rng):
    for formula in SMOOTH.values():
        wrong = formula.spoilt(lambda g: g * (1 + error))
        entry = check(wrong.at(rng.uniform(0.5, 1.5, 50)), method=method).entries["x"]
        assert not entry.passed
        assert not entry.kinks.any()


@pytest.mark.parametrize("step", [1e-2, 1e-3, 1e-4])
@pytest.mark.parametrize("part", [1, 0.1, 1e-2, 1e-3])
@pytest.mark.parametrize("sign", [-1, 1])
def test_an_error_the_size_of_what_one_sided_slopes_are_off_by_is_no_kink(step, part, sign):
    # exp' = exp'': a one-sided slope over part of the step is off by the factor 1 + part * step / 2
    wrong = SMOOTH["exp"].spoilt(lambda g: g * (1 + sign * part * step / 2))
    entry = check(wrong.at(np.linspace(0, 1, 5)), method="central", step=step, tolerance=1e-7).entries["x"]
    assert entry.passed == (part * step / 2 <= 1e-7)
    assert not entry.kinks.any()


def test_a_wrong_gradient_with_kinks_nearby_still_fails(method, spoil):
    x = np.asarray([*FAR, 0.0, 3e-6, -3e-6])
    entry = check(ABSOLUTE.spoilt(spoil).at(x), method=method, step=1e-5).entries["x"]
    assert not entry.passed
    assert not entry.kinks[:6].any()


@pytest.mark.parametrize("method", METHODS)
def test_a_wrong_gradient_of_a_net_with_kinks_still_fails(method, rng):
    class Doubled(Linear):
        def backward(self, params, cache, dy):
            dx, grads = super().backward(params, cache, dy)
            return dx, grads | {"W": 2 * grads["W"]}

    net = Sequential(Linear(3, 8), BatchNorm(8), ReLU(), Doubled(8, 3))
    x = rng.standard_normal((20, 3))
    result = check(of_net(net, x, rng.integers(0, 3, 20)), method=method, step=1e-3, tolerance=1e-3)
    assert [name for name, entry in result.entries.items() if not entry.passed] == ["3.W"]


def test_a_wrong_gradient_far_from_0_fails_where_small_steps_are_lost_in_rounding():
    shifted = Formula(lambda x: np.sin(x - 4e8), lambda x: 2 * np.cos(x - 4e8))
    entry = check(shifted.at(4e8 + np.asarray([0.25, 0.5, 0.75])), method="central", step=1e-5, tolerance=1e-3)
    assert not entry.passed
