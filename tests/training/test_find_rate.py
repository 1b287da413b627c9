"""The learning-rate finder, against least squares, whose largest stable rate is known, and against steps by hand."""

import numpy as np
import pytest
from loops import own
from numerical import assert_close
from on_backends import on_backends

import anynet as an
from anynet.data import Dataset, split
from anynet.data.synthetic import draw
from anynet.training.find_rate import RateCurve, smooth
from anynet.training.step import train_step

NET = an.Sequential(an.Linear(6, 3))
FULL = {"batch_size": 60, "normalize": "none", "dtype": "float64", "backend": "numpy"}


@pytest.fixture(scope="module")
def least_squares():
    rng = np.random.default_rng(3)
    return rng.uniform(0, 1, (60, 6)), rng.uniform(0, 1, (60, 3))


def critical_rate(x, y):
    """2 / L, with the largest eigenvalue L of the second derivatives: beyond, each step enlarges that error.

    The loss is the mean of all squares, so they are 2 / (N m) times the products of features and the bias's ones.
    """
    x = np.column_stack([x, np.ones(len(x))])
    return 2 / np.linalg.eigvalsh(2 * x.T @ x / y.size).max()


@pytest.mark.parametrize("steps", [30, 100, 300])
def test_full_batches_fall_below_the_critical_rate_and_turn_up_above(least_squares, steps):
    curve = an.find_rate(NET, least_squares, an.SGD(), low=1e-4, high=1e3, steps=steps, **FULL)
    critical = critical_rate(*least_squares)
    below = np.flatnonzero(curve.rates < critical)
    assert (np.diff(curve.losses[: below[-1] + 2]) < 0).all()
    assert curve.losses.argmin() > below[-1]
    assert curve.diverged
    assert curve.losses[-1] > 4 * curve.losses.min()
    assert curve.rates[-1] > critical
    assert critical / 200 < curve.suggestion < critical


def test_too_high_rates_are_refused(least_squares):
    critical = critical_rate(*least_squares)
    with pytest.raises(
        ValueError, match=r"^low: expected a learning rate at which the loss falls, got .*; choose a low"
    ):
        an.find_rate(NET, least_squares, an.SGD(), low=5 * critical, high=100 * critical, **FULL)


@pytest.fixture(scope="module")
def images() -> Dataset:
    return split("drawn", draw(0, per_batch=60), train=240, val=60)


def losses_by_hand(data, net, optimizer, rates, here, **settings):
    """Losses of plain steps, one after another, each with its rate."""
    ready = an.setup(net, data, optimizer, backend=here, drop_last=True, **settings)
    step = train_step(net, ready.inputs.loss, optimizer)
    carry, found, epoch = ready.carry, [], 0
    while len(found) < len(rates):
        for batch in list(ready.batches(epoch))[: len(rates) - len(found)]:
            x = ready.fixed.normalization(batch.x)
            rng = None if ready.fixed.key is None else an.random.at_step(ready.fixed.key, len(found))
            logits, _, _ = net.forward(carry.params, carry.state, x, train=True, rng=rng)
            found.append(float(ready.inputs.loss(logits, batch.y)[0]))
            lr = here.asarray(np.asarray(rates[len(found) - 1], settings["dtype"]))
            carry = step(carry, ready.fixed, batch, lr)
        epoch += 1
    return np.asarray(found)


NETS = {
    "plain": (an.Sequential(an.Linear(3072, 10)), an.SGD(momentum=0.9), {}),
    "random": (an.Sequential(an.Linear(3072, 8), an.Dropout(0.2), an.BatchNorm(8), an.Linear(8, 10)), an.Adam(), {}),
    "augmented, streamed": (an.Sequential(an.Linear(3072, 10)), an.SGD(), {"flip": True, "memory_budget": 0}),
}


@on_backends("name", NETS, fast={"jax": [], "torch:cpu": ["plain"], "emulated cupy": ["random"]})
def test_losses_are_those_of_single_steps(images, backend_here, name):
    net, optimizer, more = NETS[name]
    here, settings = own(backend_here), {"batch_size": 50, "dtype": "float64", "seed": 3, **more}
    curve = an.find_rate(net, images, optimizer, low=1e-5, high=1e-2, steps=14, backend=here, **settings)
    np.testing.assert_allclose(curve.rates, 1e-5 * 10 ** (np.arange(14) * 3 / 13), rtol=1e-12)
    expected = losses_by_hand(images, net, optimizer, curve.rates, backend_here, **settings)
    assert_close(curve.losses, expected, 1e-9)


@pytest.mark.parametrize("optimizer", [an.SGD(momentum=0.9), an.Adam()], ids=["SGD", "Adam"])
def test_on_images_the_suggestion_trains_well(images, optimizer):
    """Better than a hundredth of it and than thirty times it, in as many epochs."""
    net = an.Sequential(an.Linear(3072, 20), an.ReLU(), an.Linear(20, 10))
    settings = {"batch_size": 20, "backend": "numpy"}
    curve = an.find_rate(net, images, optimizer, **settings)
    losses = {}
    for factor in (0.01, 1, 30):
        members = [{"lr": factor * curve.suggestion}]
        (run,) = an.fit(net, images, optimizer, members=members, epochs=3, progress=False, **settings)
        losses[factor] = run.history[-1].train_loss if run.diverged is None else np.inf
    assert losses[1] < min(losses[0.01], losses[30])


def test_suggestion_is_the_steepest_descent_to_a_new_low():
    """Not the steepest of all, which leads from a loss that rose before."""
    t = np.linspace(0, 1, 200)
    losses = 2 - 1 / (1 + np.exp(-40 * (t - 0.4))) + 2 * np.exp(-(((t - 0.8) / 0.02) ** 2))
    curve = RateCurve(10 ** (4 * t - 5), losses, losses, False, "made up")
    assert curve.suggestion == pytest.approx(10 ** (4 * 0.4 - 5), rel=0.1)


def test_losses_are_smoothed_by_means(rng):
    """A constant and, between the ends, a straight line stay; noise has a tenth of its variance left or less."""
    np.testing.assert_allclose(smooth(np.full(30, 3.0), 10), 3.0)
    line = np.arange(30.0)
    np.testing.assert_allclose(smooth(line, 7)[7:-7], line[7:-7])
    assert smooth(rng.standard_normal(5000), 10).var() < 0.1
    np.testing.assert_array_equal(smooth(line, 0), line)


def test_a_hard_batch_is_no_divergence(images):
    """Of batches of one, losses differ by more than a factor of four."""
    settings = {"batch_size": 1, "backend": "numpy"}
    curve = an.find_rate(an.Sequential(an.Linear(3072, 10)), images, an.SGD(), high=1e-3, **settings)
    assert curve.losses.max() > 4 * curve.losses.min()
    assert not curve.diverged
    assert len(curve.rates) == 100


def test_the_picture_has_the_curve_and_the_suggestion():
    rates, losses = np.geomspace(1e-3, 1, 40), np.append(np.linspace(3, 1, 39), 1e30)
    curve = RateCurve(rates, losses, losses[:-1], True, "made up")
    figure = curve.plot()
    (axes,) = figure.axes
    points, smoothed, mark = axes.lines
    np.testing.assert_array_equal(points.get_xydata(), np.column_stack([rates, losses]))
    assert len(smoothed.get_xdata()) == 39
    assert mark.get_xdata()[0] == curve.suggestion
    assert axes.get_ylim()[1] < 10
    assert (axes.get_xscale(), figure.get_suptitle()) == ("log", "made up")


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"low": 0.0}, ValueError, "low, high: expected 0 < low < high, finite, got 0 and 10"),
        ({"low": 2, "high": 1}, ValueError, "low, high: expected 0 < low < high, finite, got 2 and 1"),
        ({"high": np.inf}, ValueError, "low, high: expected 0 < low < high, finite, got 1e-06 and inf"),
        ({"low": "a"}, TypeError, "low: expected a number, got 'a'"),
        ({"steps": 9}, ValueError, "steps: expected 10 or more, got 9"),
        ({"steps": 50.0}, TypeError, "steps: expected a whole number, got 50.0"),
        ({"seeds": [1, 2]}, TypeError, 'there is no setting "seeds"; did you mean "seed"'),
        ({"batch_size": 500}, ValueError, "batch_size: expected 1 to 240"),
    ],
)
def test_bad_arguments_are_refused(images, settings, error, message):
    with pytest.raises(error, match=f"^{message}"):
        an.find_rate(an.Sequential(an.Linear(3072, 10)), images, an.SGD(), **settings)


def test_a_loss_that_is_not_finite_at_the_start_is_refused(rng):
    x = rng.standard_normal((20, 2))
    with pytest.raises(ValueError, match=r"^data: expected a finite loss before any update, got inf; scale the"):
        an.find_rate(an.Sequential(an.Linear(2, 1)), (x, x[:, 0] * 1e30), an.SGD(), batch_size=10)
