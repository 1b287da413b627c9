"""Learning rates over the epochs: against their equations and PyTorch's schedulers."""

import math
import re
from dataclasses import fields, replace

import numpy as np
import pytest

from anynet import SGD, Adam
from anynet.optim.schedules import (
    Constant,
    Cosine,
    Exponential,
    ExponentialDecay,
    OneCycle,
    Step,
    Triangular,
    Warmup,
)

EPOCHS = [0, 0.25, 0.5, 0.999, 1, 1.5, 2, 2.75, 3, 3.999, 4, 4.5, 5, 6, 7.3, 8, 9, 9.9, 10, 11, 12.25, 15, 20, 25.5]


def whole_part(epoch):
    return max(n for n in range(100) if n <= epoch)


CASES = {
    "Constant": (Constant(0.3), lambda t: 0.3),
    "Exponential": (Exponential(0.3, gamma=0.9), lambda t: 0.3 * math.prod([0.9] * whole_part(t))),
    "ExponentialDecay": (ExponentialDecay(0.3, k=0.1), lambda t: 0.3 / math.e ** (whole_part(t) / 10)),
    "Step": (Step(0.3, factor=0.2, every=4), lambda t: 0.3 * math.prod([0.2] * whole_part(t / 4))),
    "Step, fraction": (Step(0.3, factor=0.2, every=2.5), lambda t: 0.3 * math.prod([0.2] * whole_part(t / 2.5))),
    # Half a cosine wave is a cosine squared over a quarter of one.
    "Cosine": (Cosine(0.3, epochs=10), lambda t: 0.3 * math.cos(math.pi / 2 * t / 10) ** 2 if t < 10 else 0),
    "Triangular": (
        Triangular(0.3, 10, peak=0.25, start=1.0, end=0.1),
        lambda t: 0.3 * np.interp(t, [2.5, 10], [1, 0.1]),
    ),
    "Triangular, falling": (Triangular(0.3, 10, peak=0, end=0), lambda t: 0.3 * max(0, 1 - t / 10)),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def test_each_is_its_equation(case):
    schedule, equation = case
    actual = [schedule(float(t)) for t in EPOCHS]
    np.testing.assert_allclose(actual, [equation(t) for t in EPOCHS], rtol=1e-13, atol=1e-16)
    assert all(isinstance(rate, float) for rate in actual)


def test_airbenchs_triangle():
    """The factors of airbench94, step by step, where its warm-up ends with a step."""

    def factor(step, total=400):
        warmup_steps = int(total * 0.23)
        if step < warmup_steps:
            frac = step / warmup_steps
            return 0.2 * (1 - frac) + 1.0 * frac
        frac = (step - warmup_steps) / (total - warmup_steps)
        return 1.0 * (1 - frac) + 0.07 * frac

    schedule = Triangular(0.5, epochs=8)
    actual = [schedule(step / 50) for step in range(401)]
    np.testing.assert_allclose(actual, [0.5 * factor(step) for step in range(401)], rtol=1e-13)


def test_pytorchs_one_cycle_agrees():
    """Its peak and its end are at steps, so it counts one step less."""
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    theirs, expected = (
        torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.3, total_steps=101, pct_start=31 / 101),
        [],
    )
    for _ in range(101):
        expected.append(theirs.get_last_lr()[0])
        optimizer.step()
        if len(expected) < 101:
            theirs.step()
    ours = OneCycle(0.3, epochs=10, peak=0.3)
    np.testing.assert_allclose([ours(step / 10) for step in range(101)], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "expected epochs > 0"),
        ({"peak": 1}, "expected peak, a fraction of the epochs, below 1"),
        ({"start": -1}, "expected start finite, 0 or more"),
        ({"end": math.inf}, "expected end finite, 0 or more"),
    ],
)
@pytest.mark.parametrize("kind", [Triangular, OneCycle])
def test_triangles_that_are_none_are_refused(kind, settings, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        kind(**{"rate": 0.1, "epochs": 5} | settings)


def test_whole_epochs_may_be_integers(case):
    schedule, _ = case
    assert [schedule(t) for t in range(12)] == [schedule(float(t)) for t in range(12)]


@pytest.mark.parametrize("epochs", [1, 2.5, 5])
def test_warmup_rises_in_a_line_to_where_the_next_one_starts(case, epochs):
    then, equation = case
    schedule = Warmup(epochs, then)
    assert schedule(0) == 0
    for part in (0.1, 0.25, 0.5, 0.9):
        assert schedule(part * epochs) == pytest.approx(part * equation(0), rel=1e-13)
    assert schedule(epochs) == then(0) == pytest.approx(0.3)
    assert schedule(epochs * (1 - 1e-9)) == pytest.approx(schedule(epochs), rel=1e-8)  # no jump where they meet


@pytest.mark.parametrize("epochs", [0, 1, 2.5, 5])
def test_after_the_warmup_the_next_one_runs_from_its_own_start(case, epochs):
    then, equation = case
    schedule = Warmup(epochs, then)
    for t in EPOCHS:
        assert schedule(epochs + t) == pytest.approx(equation((epochs + t) - epochs), rel=1e-13, abs=1e-16)


def test_warmups_nest():
    schedule = Warmup(2, then=Warmup(2, then=Constant(0.3)))
    assert [schedule(t) for t in (0, 1, 2, 3, 4)] == [0, 0, 0, 0.15, 0.3]


PYTORCH = {
    "ExponentialLR": (Exponential(0.3, gamma=0.9), {"gamma": 0.9}),
    "StepLR": (Step(0.3, factor=0.2, every=4), {"step_size": 4, "gamma": 0.2}),
    "CosineAnnealingLR": (Cosine(0.3, epochs=10), {"T_max": 10}),
}


@pytest.mark.parametrize("name", PYTORCH)
def test_pytorchs_schedulers_agree_at_whole_epochs(name):
    torch = pytest.importorskip("torch")
    schedule, settings = PYTORCH[name]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    scheduler = getattr(torch.optim.lr_scheduler, name)(optimizer, **settings)
    for epoch in range(11):
        assert schedule(epoch) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12, abs=1e-16)
        optimizer.step()
        scheduler.step()


def test_two_ways_of_writing_exponential_decay_agree():
    one, other = ExponentialDecay(0.3, k=0.1), Exponential(0.3, gamma=math.exp(-0.1))
    np.testing.assert_allclose([one(t) for t in EPOCHS], [other(t) for t in EPOCHS], rtol=1e-13)


def test_exponential_decay_is_exponential():
    schedule = ExponentialDecay(0.3, 0.1)
    assert isinstance(schedule, Exponential)
    assert schedule.gamma == math.exp(-0.1)
    assert repr(schedule) == "ExponentialDecay(rate=0.3, k=0.1)"
    assert schedule == ExponentialDecay(0.3, k=0.1) == replace(ExponentialDecay(0.3, k=0.2), k=0.1)
    assert schedule != ExponentialDecay(0.3, k=0.2)
    assert schedule != Exponential(0.3, math.exp(-0.1))


@pytest.mark.parametrize("n", range(60))
def test_powers_are_rounded_as_they_always_were(n):
    """A power and an exponential function of a product: neither may be computed as the other."""
    assert Exponential(0.3, gamma=0.9)(n) == 0.3 * 0.9**n
    assert ExponentialDecay(0.3, k=0.1)(n) == 0.3 * math.exp(-0.1 * n)
    assert Step(0.3, factor=0.9, every=2)(2 * n) == 0.3 * 0.9**n


STEPWISE = {
    "Exponential": Exponential(0.1, gamma=0.5),
    "ExponentialDecay": ExponentialDecay(0.1, k=math.log(2)),
    "Step": Step(0.1, factor=0.5, every=1),
}


@pytest.mark.parametrize("name", STEPWISE)
@pytest.mark.parametrize("epochs", [0.1, 0.3, 0.7, 1.1, 2.3])
def test_epochs_after_a_fractional_warmup_are_whole(name, epochs):
    """2.3 - 0.3 is less than 2."""
    schedule = Warmup(epochs, STEPWISE[name])
    for n in range(1, 40):
        assert schedule(epochs + n) == pytest.approx(0.1 * 0.5**n, rel=1e-12)
        assert schedule(epochs + n - 1e-6) == pytest.approx(0.1 * 0.5 ** (n - 1), rel=1e-12)
    assert Warmup(0.3, STEPWISE[name])(2.3) == pytest.approx(0.025, rel=1e-15)


@pytest.mark.parametrize("every", [0.1, 0.3, 0.7])
def test_steps_of_a_fraction_of_an_epoch_are_whole(every):
    """0.3 / 0.1 is less than 3."""
    for n in range(1, 40):
        assert Step(0.1, factor=0.5, every=every)(n * every) == pytest.approx(0.1 * 0.5**n, rel=1e-12)


@pytest.mark.parametrize(
    ("schedule", "settings", "message"),
    [
        (Step, {"rate": 0.1, "factor": 0.5, "every": 0}, "Step(rate=0.1, factor=0.5, every=0): expected every > 0"),
        (Step, {"rate": 0.1, "factor": 0.5, "every": -1}, "Step(rate=0.1, factor=0.5, every=-1): expected every > 0"),
        (Cosine, {"rate": 0.1, "epochs": 0}, "Cosine(rate=0.1, epochs=0): expected epochs > 0"),
        (Cosine, {"rate": 0.1, "epochs": math.nan}, "Cosine(rate=0.1, epochs=nan): expected epochs > 0"),
        (
            Warmup,
            {"epochs": -0.1, "then": Constant(0.1)},
            "Warmup(epochs=-0.1, then=Constant(rate=0.1)): expected epochs finite, 0 or more",
        ),
        (
            Warmup,
            {"epochs": math.inf, "then": Constant(0.1)},
            "Warmup(epochs=inf, then=Constant(rate=0.1)): expected epochs finite, 0 or more",
        ),
    ],
)
def test_lengths_out_of_range_are_refused(schedule, settings, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        schedule(**settings)


@pytest.mark.parametrize("bad", [-0.1, math.nan, math.inf])
@pytest.mark.parametrize(
    ("schedule", "settings", "name"),
    [
        (Constant, {}, "rate"),
        (Exponential, {"gamma": 0.5}, "rate"),
        (Exponential, {"rate": 0.1}, "gamma"),
        (ExponentialDecay, {"k": 0.1}, "rate"),
        (Step, {"factor": 0.5, "every": 1}, "rate"),
        (Step, {"rate": 0.1, "every": 1}, "factor"),
        (Cosine, {"epochs": 2}, "rate"),
    ],
)
def test_rates_and_factors_that_are_negative_or_not_finite_are_refused(schedule, settings, name, bad):
    with pytest.raises(ValueError, match=rf"^{schedule.__name__}\(.*\): expected {name} finite, 0 or more$"):
        schedule(**settings, **{name: bad})
    with pytest.raises(TypeError, match=rf"^{schedule.__name__}\(.*\): {name}: expected a number, got '0.1'$"):
        schedule(**settings, **{name: "0.1"})


@pytest.mark.parametrize("k", [math.nan, math.inf, -math.inf, -1000])
def test_decay_constants_that_overflow_are_refused(k):
    with pytest.raises(ValueError, match=r"ExponentialDecay\(.*\): expected k finite, and more than -700"):
        ExponentialDecay(0.1, k)


def test_a_warmup_to_a_number_is_refused():
    with pytest.raises(TypeError, match=r"^then: expected a schedule, such as Constant\(0.1\), got 0.1$"):
        Warmup(1, 0.1)


@pytest.mark.parametrize("optimizer", [SGD, Adam])
@pytest.mark.parametrize("lr", [0.0, -0.1, math.nan, math.inf])
def test_optimizers_take_positive_finite_rates(optimizer, lr):
    with pytest.raises(ValueError, match=r"expected a positive learning rate"):
        optimizer(lr)
    with pytest.raises(TypeError, match=r"^lr: expected a number, got '0.1'$"):
        optimizer("0.1")


@pytest.mark.parametrize("scalar", [np.float32, np.float64, np.int64])
def test_numpys_scalars_are_as_good_as_numbers(scalar):
    """All settings are whole here, exact in every type."""
    for kind in (Constant, Exponential, ExponentialDecay, Step, Cosine, Warmup):
        names = [field.name for field in fields(kind) if field.init and field.name != "then"]
        then = {"then": Constant(0.5)} if kind is Warmup else {}
        schedule, same = (kind(**{name: number(2) for name in names}, **then) for number in (float, scalar))
        assert repr(same) == repr(schedule)
        rates = [same(t) for t in (0, 0.5, 1, 3)]
        assert rates == [schedule(t) for t in (0, 0.5, 1, 3)]
        assert {type(rate) for rate in rates} == {float}


def test_schedules_cannot_be_changed():
    for schedule in (*(schedule for schedule, _ in CASES.values()), Warmup(1, Constant(0.1))):
        assert hash(schedule) == hash(replace(schedule))
        with pytest.raises(AttributeError):
            schedule.rate = 1.0
