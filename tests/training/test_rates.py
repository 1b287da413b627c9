"""Learning rates: bad ones are named by epoch and step, before training where a bounded number of looks finds them."""

import math
import time

import numpy as np
import pytest

import anynet as an
from anynet.data import Dataset, Split
from anynet.optim.schedules import Cosine, Exponential, Step, Warmup
from anynet.training.rates import SAMPLES, check_rates

NET = an.Sequential(an.Linear(3072, 10))
MANY = 100_000_000


@pytest.fixture(scope="module")
def data() -> Dataset:
    images = np.random.default_rng(0).integers(0, 256, (30, 3072), dtype=np.uint8)
    split = Split(images, np.arange(30) % 10)
    return Dataset("drawn", tuple("0123456789"), split, split, split)


BAD = [
    (lambda t: math.nan, "epoch 1, step 1 of 3, is nan"),
    (lambda t: math.inf if t >= 3 else 0.1, "epoch 4, step 1 of 3, is inf"),
    (lambda t: 0.5 - t, "epoch 1, step 3 of 3, is -0.16666666666666663"),
    (lambda t: 0.1 if t < 4.5 else -0.1, "epoch 5, step 3 of 3, is -0.1"),  # in the last epoch alone
    (Exponential(0.1, 1e100), "epoch 5, step 1 of 3, is inf"),
]


@pytest.mark.parametrize(("schedule", "message"), BAD)
def test_epoch_step_and_rate_are_named_before_training(data, schedule, message):
    with pytest.raises(ValueError, match=f"the learning rate of {message}; expected 0 or more, finite$"):
        an.setup(NET, data, an.SGD(schedule), epochs=5, batch_size=10)
    with pytest.raises(ValueError, match=f"^member 1: .*the learning rate of {message}"):
        an.setup(NET, data, an.SGD(0.1), epochs=5, batch_size=10, members=[{}, {"lr": schedule}])


@pytest.mark.parametrize("value", [None, "0.1", 1j, [0.1], np.ones(2)], ids=str)
def test_rates_that_are_no_numbers_are_refused(data, value):
    with pytest.raises(TypeError, match=r"the learning rate of epoch 1, step 1 of 3: expected a number, got "):
        an.setup(NET, data, an.SGD(lambda t: value), epochs=5, batch_size=10)


def test_arrays_of_one_number_are_rates(data):
    ready = an.setup(NET, data, an.SGD(lambda t: np.asarray(0.5)), epochs=1, batch_size=10)
    np.testing.assert_array_equal(ready.rates(0), np.full(3, 0.5, "float32"))


def test_one_that_only_an_epoch_of_many_shows_is_named_when_its_epoch_begins(data):
    ready = an.setup(NET, data, an.SGD(lambda t: 0.1 if int(t) != 12_345 else -1.0), epochs=MANY, batch_size=10)
    ready.rates(12_344)
    with pytest.raises(ValueError, match=r"the learning rate of epoch 12346, step 1 of 3, is -1.0; expected 0 or more"):
        ready.rates(12_345)


@pytest.mark.parametrize(
    "schedule", [Exponential(0.1, 0.999), Cosine(0.1, MANY), Warmup(1e6, Step(0.1, 0.5, 1e7)), lambda t: 0.1]
)
def test_many_epochs_are_checked_without_stepping(data, schedule):
    began, calls = time.perf_counter(), 0

    def counting(t):
        nonlocal calls
        calls += 1
        return schedule(t)

    an.setup(NET, data, an.SGD(counting), epochs=MANY, batch_size=10)
    assert calls <= 4 * SAMPLES
    check_rates(an.SGD(schedule), MANY, 10**6)
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("epochs", [1, 2, 199, 200, 201, 12_345, MANY])
@pytest.mark.parametrize("steps", [1, 7, 10**6])
def test_the_first_bad_step_of_a_growing_rate_is_found(epochs, steps):
    """Wherever it is, here where the rate passes a limit, also at the last step of all."""
    for place in {0, (epochs * steps) // 3, epochs * steps - 1}:
        epoch, step = divmod(place, steps)
        optimizer = an.SGD(lambda t, since=epoch + step / steps: math.inf if t >= since else 0.1)
        with pytest.raises(ValueError, match=f"epoch {epoch + 1}, step {step + 1} of {steps}, is inf"):
            check_rates(optimizer, epochs, steps)


def test_a_member_that_is_trained_meets_its_bad_rate(data):
    schedule = {"lr": lambda t: 0.1 if t != 150 else math.nan}
    ready = an.setup(NET, data, an.SGD(0.1), members=[{}, schedule], epochs=10**6, batch_size=10)
    assert ready.rates(149).shape == (3, 2)
    with pytest.raises(ValueError, match="epoch 151, step 1 of 3, is nan"):
        ready.rates(150)
