"""Random numbers in training steps: keyed by seed, step and layer, the same however steps are run."""

from dataclasses import dataclass

import numpy as np
import pytest
from array_api_compat import array_namespace
from loops import PLAIN, RECORDED, own
from numerical import assert_close

import anynet as an
from anynet.backends.numpy import Numpy
from anynet.core.random import at_step, fold, key, uniform
from anynet.data import Dataset, Split
from anynet.nn.chain import STREAMS
from anynet.nn.initializers import Zeros

BATCH, WIDTH = 10, 6


@dataclass(frozen=True)
class Dropout(an.Layer):
    """Dropout that keeps its last mask in the state, for tests to see."""

    rate: float = 0.5

    def state(self):
        return {"mask": an.Parameter((BATCH, WIDTH), Zeros())}

    def forward(self, params, state, x, *, train, rng=None):
        if not train:
            assert rng is None
            return x, None, state
        keep = uniform(rng, (BATCH, WIDTH), x.dtype) >= self.rate
        mask = array_namespace(x).astype(keep, x.dtype) / (1 - self.rate)
        return x * mask, mask, {"mask": mask}

    def backward(self, params, cache, dy):
        return dy * cache, {}


NET = an.Sequential(
    an.Linear(3072, WIDTH), an.Sequential(an.BatchNorm(WIDTH), an.ReLU(), Dropout(0.25)), an.Linear(WIDTH, 10)
)
PLACE, MASK = 3, "1.2.mask"
"""Number of the layer among all that are no Sequential, and the name of its mask."""
SETTINGS = {"batch_size": BATCH, "epochs": 3, "drop_last": True, "seed": 7, "order_seed": 1}
SGD = an.SGD(0.05, momentum=0.5)


@pytest.fixture(scope="module")
def data() -> Dataset:
    images = np.random.default_rng(0).integers(0, 256, (25, 3072), dtype=np.uint8)
    return Dataset("drawn", tuple("0123456789"), *[Split(images, np.arange(25) % 10)] * 3)


def masks(data, here, net=NET, **settings):
    """The mask of every second step, on the host, and the last parameters."""
    ready = an.setup(net, data, SGD, backend=here, **SETTINGS | settings)
    carry, seen = ready.carry, []
    for epoch in range(2):
        carry = ready.loop(carry, ready.fixed, ready.batches(epoch), ready.rates(epoch))
        seen.append(here.to_host(carry.state[MASK]))
    assert np.all(here.to_host(carry.step) == 4)
    return seen, here.to_host(carry.params)


def expected(seed, step):
    """The mask by the definition of its numbers: key of the seed, step from 0, place of the layer."""
    rng = fold(at_step(key(seed), np.asarray(step)), PLACE * STREAMS)
    return (uniform(rng, (BATCH, WIDTH), np.dtype("float32")) >= 0.25) / np.float32(0.75)


def test_masks_are_the_same_on_every_backend(data, backend_here):
    (second, fourth), params = masks(data, own(backend_here))
    np.testing.assert_array_equal(second, expected(7, 1))
    np.testing.assert_array_equal(fourth, expected(7, 3))
    assert_close(params, masks(data, PLAIN)[1], 1e-4)


def test_every_step_has_another_mask(data):
    ready, seen = an.setup(NET, data, SGD, backend=RECORDED, **SETTINGS), []
    carry, batches, lr = ready.carry, ready.batches(0), ready.rates(0)[0]
    step = an.training.step.train_step(NET, ready.inputs.loss, SGD)
    for batch in batches:
        carry = step(carry, ready.fixed, batch, lr)
        seen.append(carry.state[MASK])
    np.testing.assert_array_equal(seen, [expected(7, 0), expected(7, 1)])
    assert not np.array_equal(*seen)


def test_counts_stay_exact_where_float32_ends(data):
    ready = an.setup(NET, data, SGD, backend=PLAIN, **SETTINGS)
    carry = ready.carry._replace(step=np.asarray(2**24, np.int32))
    carry = ready.loop(carry, ready.fixed, ready.batches(0), ready.rates(0))
    np.testing.assert_array_equal(carry.state[MASK], expected(7, 2**24 + 1))


@pytest.mark.parametrize("here", [PLAIN, RECORDED], ids=["plain", "recorded"])
def test_members_have_the_masks_that_they_have_alone(data, here):
    seen, params = masks(data, here, seeds=[3, 4])
    for k, seed in enumerate((3, 4)):
        alone, own_params = masks(data, here, seed=seed)
        for stacked, single in zip(seen, alone, strict=True):
            np.testing.assert_array_equal(stacked[k], single)
        assert_close(params[k], own_params, 1e-4)
    assert not np.array_equal(*seen[0])


@pytest.mark.parametrize("workers", [1, 2])
def test_whole_trainings_of_members_are_those_alone(data, monkeypatch, workers):
    """Also of those that go on when another is dropped."""
    monkeypatch.setattr(Numpy, "workers", workers)
    runs = an.fit(NET, data, SGD, seeds=[3, 4, 5], on_epoch=lambda rows: {0} & rows.keys(), **SETTINGS)
    assert [run.last.epoch for run in runs] == [1, 3, 3]
    for run in runs:
        alone = an.fit(NET, data, SGD, **SETTINGS | {"seed": run.seed, "epochs": run.last.epoch})
        assert_close(run.params, alone.params, 1e-4)
        np.testing.assert_array_equal(run.last.state[MASK], alone.last.state[MASK])
        np.testing.assert_allclose(run.test, alone.test, rtol=1e-4)


def test_streamed_is_resident(data):
    for one, other in zip(*(masks(data, RECORDED, memory_budget=most) for most in (0, 10**9)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_evaluation_drops_nothing(data):
    run = an.fit(NET, data, SGD, **SETTINGS)
    without = an.Sequential(NET[0], *NET[1][:2], NET[2])
    state = {"1.mean": run.best.state["1.0.mean"], "1.var": run.best.state["1.0.var"]}
    logits = without(run.best.params, state, run.normalization(data.test.x))
    np.testing.assert_array_equal(run.predict_proba(data.test.x).argmax(axis=1), logits.argmax(axis=1))
    assert run.best_test.accuracy == pytest.approx(np.mean(logits.argmax(axis=1) == data.test.y))


def test_other_nets_have_no_key_and_count_in_their_dtype(data):
    plain, drawing = (an.setup(net, data, SGD, **SETTINGS) for net in (an.Sequential(an.Linear(3072, 10)), NET))
    assert plain.fixed.key is None
    assert plain.carry.step.dtype == np.float32
    np.testing.assert_array_equal(drawing.fixed.key, key(7))
    assert drawing.carry.step.dtype == np.int32
