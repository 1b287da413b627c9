"""One training step and one evaluation, on every array library."""

import numpy as np
import pytest
from numerical import assert_close

import anynet as an
from anynet.data import Normalization
from anynet.data.batch import Batch
from anynet.training.evaluation_step import Trained, evaluation_step, zero_totals
from anynet.training.step import Carry, Fixed, start, train_step

NET = an.Sequential(an.Linear(6, 5), an.BatchNorm(5), an.ReLU(), an.Linear(5, 3))
OPTIMIZERS = {"momentum": an.SGD(momentum=0.9), "adam": an.Adam(), "adamw": an.AdamW(weight_decay=0.5)}


@pytest.fixture
def batch(rng):
    normalization = Normalization(np.full(6, 1 / 64), rng.standard_normal(6))
    return normalization, rng.integers(0, 256, (8, 6), dtype=np.uint8), rng.integers(0, 3, 8)


def two_steps(optimizer, with_penalty):
    step = train_step(NET, an.losses.softmax_cross_entropy, optimizer)

    def run(params, state, normalization, images, labels, lr, l2):
        carry = start(NET, optimizer, params, state)
        for _ in range(2):
            carry = step(carry, Fixed(normalization, l2 if with_penalty else None), Batch(images, labels), lr)
        return carry

    return run


def settings(members):
    return (np.full(members, 0.1), np.full(members, 0.01)) if members else (np.asarray(0.1), np.asarray(0.01))


@pytest.mark.parametrize("with_penalty", [False, True])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_libraries_agree_and_nothing_is_read_on_the_host(xp, optimizer, with_penalty, batch):
    inputs = (*NET.init(0, like=np.zeros(1)), *batch, *settings(()))
    expected = two_steps(optimizer, with_penalty)(*inputs)
    actual = xp.call(two_steps(optimizer, with_penalty), *inputs)
    ours, theirs = NET.layout.split(actual.params), NET.layout.split(expected.params)
    # A bias ahead of batch normalisation has no gradient but rounding, and Adam makes steps of full size of it.
    del ours["0.b"], theirs["0.b"]
    for name in ours:
        assert_close(ours[name], theirs[name], 1e-9 if xp.dtype == "float64" else 1e-4)
    assert actual.step == 2
    assert actual.diverged == 0


def test_the_penalty_pulls_on_weights_alone(batch):
    params, state = NET.init(0, like=np.zeros(1))
    lr, l2 = settings(())
    step = train_step(NET, an.losses.softmax_cross_entropy, an.SGD())
    normalization, *one = batch
    free = step(start(NET, an.SGD(), params, state), Fixed(normalization, None), Batch(*one), lr)
    pulled = step(start(NET, an.SGD(), params, state), Fixed(normalization, l2), Batch(*one), lr)
    n = NET.layout.n_weights
    np.testing.assert_allclose(free.params[:n] - pulled.params[:n], 0.1 * 2 * 0.01 * params[:n], atol=1e-15)
    np.testing.assert_array_equal(free.params[n:], pulled.params[n:])


class Plain(an.Optimizer):
    """Optimizer of a user, which needs no layout."""

    def init(self, params):
        return {}

    def update(self, params, grads, state, lr):
        return params - lr[..., None] * grads, state


class Placed(Plain):
    """Optimizer of a user, which stops with the layout."""

    def update(self, params, grads, state, lr, layout):
        raise NotImplementedError(layout)


def test_layouts_are_passed_to_optimizers_that_take_them(batch):
    inputs = (*NET.init(0, like=np.zeros(1)), *batch, *settings(()))
    own, expected = (two_steps(optimizer, False)(*inputs) for optimizer in (Plain(), an.SGD()))
    np.testing.assert_array_equal(own.params, expected.params)
    with pytest.raises(NotImplementedError) as stopped:
        two_steps(Placed(), False)(*inputs)
    assert stopped.value.args == (NET.layout,)


@pytest.mark.parametrize("seed", [0, [1, 2]], ids=["single", "members"])
def test_parameters_of_another_shape_are_refused_by_the_optimizers_name(batch, seed):
    class Cut(Plain):
        def update(self, params, grads, state, lr):
            return params[..., :5], state

    params, state = NET.init(seed, like=np.zeros(1))
    message = rf"^Cut: expected update to return params of shape \({params.shape[0]}.*\), got \(.*5.*\)$"
    with pytest.raises(ValueError, match=message):
        two_steps(Cut(), False)(params, state, *batch, *settings(params.shape[:-1]))


def test_members_are_nets_of_their_own(xp, batch):
    params, state = NET.init([1, 2], like=np.zeros(1))
    lr, l2 = np.asarray([0.1, 0.2]), np.asarray([0.01, 0.0])
    run = two_steps(an.SGD(momentum=0.9), True)
    stacked = xp.call(run, params, state, *batch, lr, l2)
    for k in range(2):
        alone = xp.call(run, params[k], {name: s[k] for name, s in state.items()}, *batch, lr[k], l2[k])
        assert_close(stacked.params[k], alone.params, xp.rtol)
        assert_close(stacked.state["1.var"][k], alone.state["1.var"], xp.rtol)


def test_the_first_step_that_is_not_finite_is_kept(xp, batch):
    """Member 0 breaks before step 2, member 1 never, member 2 before step 1."""
    step = train_step(NET, an.losses.softmax_cross_entropy, an.SGD())
    params, state = NET.init([1, 2, 3], like=np.zeros(1))
    params[2] = np.nan

    def run(params, state, normalization, images, labels, lr, poison):
        carry = start(NET, an.SGD(), params, state)
        for i in range(3):
            carry = step(carry, Fixed(normalization, None), Batch(images, labels), lr)
            carry = Carry(carry.params + poison, *carry[1:]) if i == 0 else carry
        return carry.diverged

    poison = np.asarray([[np.nan], [0.0], [0.0]])
    with np.errstate(invalid="ignore"):
        diverged = xp.call(run, params, state, *batch, np.full(3, 0.1), poison)
    np.testing.assert_array_equal(diverged, [2, 0, 1])


def test_evaluation_sums_over_all_batches(xp, batch):
    params, state = NET.init(0, like=np.zeros(1))
    normalization, images, labels = batch
    step = evaluation_step(NET, an.losses.softmax_cross_entropy)

    def twice(params, state, normalization, images, labels):
        totals = zero_totals(params, labels)
        for _ in range(2):
            totals = step(totals, Trained(params, state, normalization), Batch(images, labels), None)
        return totals

    totals = xp.call(twice, params, state, *batch)

    p = NET.layout.split(params)
    x = images * normalization.scale + normalization.shift
    hidden = (x @ p["0.W"] + p["0.b"]) / np.sqrt(1 + 1e-5)  # the running statistics as they start: 0 and 1
    logits = np.maximum(hidden, 0) @ p["3.W"] + p["3.b"]
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert_close(totals.loss, -2 * np.log(chances[np.arange(8), labels]).sum(), max(xp.rtol, 1e-10))
    assert totals.correct == 2 * (logits.argmax(axis=1) == labels).sum()
