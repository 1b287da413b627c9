"""Lookahead, against a plain loop of its equations and a few lines of PyTorch."""

import re

import numpy as np
import pytest
from loops import own
from numerical import assert_close
from on_backends import on_backends

import anynet as an
from anynet.data import Dataset, split
from anynet.data.synthetic import draw
from anynet.optim.lookahead import Lookahead
from anynet.training.step import train_step

NET = an.Sequential(an.Linear(3072, 8), an.BatchNorm(8), an.ReLU(), an.Linear(8, 10))
SETTINGS = {"batch_size": 30, "epochs": 3, "dtype": "float64"}
LOOKAHEAD = "2:0.4"  # every second step, of three in an epoch
SGD = an.SGD(0.1, momentum=0.9)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return split("drawn", draw(0, per_batch=20), train=80, val=20)


def slow_weights(data, optimizer=SGD, **settings):
    """Return the slow weights after each epoch, by steps that know nothing of them."""
    ready = an.setup(NET, data, optimizer, **SETTINGS | settings)
    step, carry, t, ends = train_step(NET, ready.inputs.loss, optimizer), ready.carry, 0, []
    slow = carry.params
    for epoch in range(ready.settings.epochs):
        rates = ready.rates(epoch)
        for i, batch in enumerate(ready.batches(epoch)):
            carry, t = step(carry, ready.fixed, batch, rates[i, ...]), t + 1
            if t % 2 == 0:
                slow = slow + 0.4 * (carry.params - slow)
                carry = carry._replace(params=slow)
        ends.append(slow)
    return ends


@pytest.mark.parametrize("k", [1, 3])
def test_every_k_steps_both_weights_are_set(xp, rng, k):
    start, moves = rng.standard_normal((2, 4)), rng.standard_normal((7, 2, 4))

    def run(start, moves, since):
        slow = params = start
        for i in range(7):
            slow, params, since = Lookahead(k, 0.7).update(slow, params + moves[i, ...], since)
        return slow, params, since

    found = xp.call(run, start, moves, np.asarray(0.0))
    slow = params = start
    for t, move in enumerate(moves, 1):
        params = params + move
        if t % k == 0:
            slow = params = 0.3 * slow + 0.7 * params
    for each, expected in zip(found, (slow, params, np.asarray(7.0 % k)), strict=True):
        assert_close(each, expected, xp.rtol)


def test_a_few_lines_of_pytorch_agree(rng):
    torch = pytest.importorskip("torch")
    hessian, start = np.linspace(0.1, 2, 5), rng.standard_normal(5)
    theirs, their_slow, velocity = torch.tensor(start), torch.tensor(start), torch.zeros(5, dtype=torch.float64)
    params, slow, since, state = start, start, np.zeros(()), SGD.init(start)
    for t in range(1, 13):
        velocity.mul_(0.9).add_(torch.tensor(hessian) * theirs)
        theirs.sub_(velocity, alpha=0.1)
        if t % 5 == 0:
            theirs.copy_(their_slow.lerp_(theirs, 0.8))
        params, state = SGD.update(params, hessian * params, state)
        slow, params, since = Lookahead(5, 0.8).update(slow, params, since)
    assert_close(slow, their_slow.numpy(), 1e-12)
    assert_close(params, theirs.numpy(), 1e-12)


@on_backends("members", ["one", "two"], fast={"jax": [], "torch:cpu": ["two"], "emulated cupy": []})
def test_slow_weights_are_evaluated_and_kept(data, backend_here, members):
    """Those of members are the same as alone."""
    many = [{"optimizer": an.SGD(0.05, momentum=0.9)}, {"seed": 1}] if members == "two" else None
    settings = SETTINGS | {"lookahead": LOOKAHEAD, "backend": own(backend_here), "progress": False}
    made = an.fit(NET, data, SGD, members=many, **settings)
    for run, alone in zip(made if many else [made], many or [{}], strict=True):
        expected = slow_weights(data, **{"order_seed": 42} | alone)
        assert_close(run.backend.to_host(run.last.params), expected[-1], 1e-9)
        assert_close(run.backend.to_host(run.best.params), expected[run.best.epoch - 1], 1e-9)
        found = np.argmax(run.predict_proba(data.val.x), axis=1) == data.val.y
        assert run.history.best.val_accuracy == found.mean()


def test_a_member_that_diverges_keeps_its_slow_weights(data):
    """Of the epoch before: a rate that is too high comes after the first epoch."""
    members = [{"lr": 0.05}, {"lr": lambda epoch: 0.05 if epoch < 1 else 1e300}]
    with np.errstate(all="ignore"):
        fine, broken = an.fit(NET, data, an.SGD(), members=members, lookahead=LOOKAHEAD, **SETTINGS, progress=False)
    ends = slow_weights(data, an.SGD(0.05))
    assert_close(fine.last.params, ends[-1], 1e-9)
    assert_close(broken.last.params, ends[0], 1e-9)


def test_more_steps_than_the_training_has_are_refused(data):
    with pytest.raises(
        ValueError, match=re.escape("lookahead: expected at most the 9 steps of the training, got 10:1")
    ):
        an.fit(NET, data, SGD, lookahead="10:1", **SETTINGS)
