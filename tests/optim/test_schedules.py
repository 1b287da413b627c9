"""Learning rates over the epochs: against their equations and PyTorch's schedulers."""

import math

import numpy as np
import pytest

from anynet.optim.schedules import Constant, Cosine, Exponential, ExponentialDecay, Step, Warmup

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
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def test_each_is_its_equation(case):
    schedule, equation = case
    actual = [schedule(float(t)) for t in EPOCHS]
    np.testing.assert_allclose(actual, [equation(t) for t in EPOCHS], rtol=1e-13, atol=1e-16)
    assert all(isinstance(rate, float) for rate in actual)


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
