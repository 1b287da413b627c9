"""Nets that are trained at once, held against the same nets trained alone."""

import inspect
import itertools
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from array_api_compat import array_namespace
from numerical import assert_close
from on_backends import compiling, on_backends
from terminals import Terminal

import anynet as an
from anynet.backends.numpy import Numpy
from anynet.compiler import loop
from anynet.data import Dataset, split
from anynet.data.synthetic import draw
from anynet.training import TrainSettings
from anynet.training.members import OWN, SHARED, Member, check_nets

SETTINGS = {"l2": 1e-3, "epochs": 2, "batch_size": 60, "order_seed": 5, "dtype": "float64"}
MEMBERS = [
    {"seed": 1},
    {"seed": 2, "lr": 0.05, "momentum": 0.0, "l2": 0.0},
    {"seed": 1, "lr": an.schedules.Cosine(0.03, 2), "momentum": 0.5, "l2": 1e-2},
]
CASES = {
    "momentum": (an.SGD(0.02, momentum=0.9), MEMBERS),
    "rates": (an.SGD(0.02), [{"lr": 0.01}, {"lr": 0.1}]),
    "nesterov": (an.SGD(0.02, momentum=0.9, nesterov=True), [{"momentum": 0.5}, {"lr": 0.01}]),
    "adam": (an.Adam(0.001, eps=1e-4), [{"seed": 3, "lr": 0.01}, {"seed": 4, "l2": 0.1}]),
    "adamw": (an.AdamW(0.001, eps=1e-4), [{"lr": 0.01}, {"weight_decay": 0.5}, {"seed": 4, "weight_decay": 0.0}]),
    "one": (an.SGD(0.02), [{"seed": 9}]),
}


@pytest.fixture(autouse=True)
def workers(request, monkeypatch):
    """On how many cores NumPy trains members; one, on which it stacks them, unless a test says otherwise."""
    monkeypatch.setattr(Numpy, "workers", getattr(request, "param", 1))


both_ways = pytest.mark.parametrize("workers", [1, 2, 3], indirect=True)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return split("drawn", draw(0, per_batch=60), train=240, val=60)


def make_net(init=an.He()):  # noqa: B008
    return an.Sequential(an.Linear(3072, 12, init), an.BatchNorm(12), an.ReLU(), an.Linear(12, 10))


def fit(data, backend="numpy", optimizer=None, net=None, **settings):
    optimizer = optimizer or an.SGD(0.02, momentum=0.9)
    return an.fit(net or make_net(), data, optimizer, backend=backend, **SETTINGS | settings)


def alone(data, backend, optimizer, member, **settings):
    """The same net by itself: what a member's settings mean, spelt out."""
    kind, own = type(optimizer), {name: member[name] for name in ("lr", "momentum", "weight_decay") if name in member}
    given = {name: getattr(optimizer, name) for name in kind.__match_args__}
    rest = {name: member[name] for name in ("seed", "l2", "net") if name in member}
    return fit(data, backend, kind(**given | own), **settings | rest)


def numbers(run):
    """The history without the times."""
    return np.asarray([row[:-1] for row in run.history])


def assert_same_run(run, expected, data, rtol=1e-10):
    host, theirs = run.backend.to_host, expected.backend.to_host
    assert (run.seed, run.last.epoch, run.best.epoch) == (expected.seed, expected.last.epoch, expected.best.epoch)
    for one, other in ((run.last, expected.last), (run.best, expected.best)):
        assert_close(host(one.params), theirs(other.params), rtol)
        for name in other.state:
            assert_close(host(one.state[name]), theirs(other.state[name]), rtol)
    np.testing.assert_allclose(numbers(run), numbers(expected), rtol=rtol)
    np.testing.assert_allclose(run.test, expected.test, rtol=rtol)
    np.testing.assert_allclose(run.best_test, expected.best_test, rtol=rtol)
    np.testing.assert_allclose(run.predict_proba(data.test.x), expected.predict_proba(data.test.x), atol=rtol)


@on_backends("case", CASES, fast=compiling("adam") | {"torch:cpu": ["momentum", "adam"]})
def test_a_member_is_the_net_trained_alone(data, backend_here, case):
    optimizer, members = CASES[case]
    runs = fit(data, backend_here, optimizer, members=members)
    assert len(runs) == len(members)
    for run, member in zip(runs, members, strict=True):
        assert_same_run(run, alone(data, backend_here, optimizer, member), data)


@both_ways
@pytest.mark.parametrize("settings", [{"flip": True, "crop": 2}, {"memory_budget": 0}, {"loss": an.losses.hinge}])
def test_whatever_they_are_trained_on(data, settings):
    runs = fit(data, members=MEMBERS, **settings)
    for run, member in zip(runs, MEMBERS, strict=True):
        assert_same_run(run, alone(data, "numpy", an.SGD(0.02, momentum=0.9), member, **settings), data)


@both_ways
def test_nets_may_start_otherwise(data):
    members = [{"net": make_net(an.Normal(0.1))}, {"net": make_net(an.Xavier())}, {}]
    runs = fit(data, members=members)
    for run, member in zip(runs, members, strict=True):
        assert_same_run(run, alone(data, "numpy", an.SGD(0.02, momentum=0.9), member), data)
    assert repr(runs[0].net) == repr(members[0]["net"])


def test_whole_optimizers(data):
    members = [{"optimizer": an.SGD(0.1)}, {"optimizer": an.SGD(0.05, momentum=0.5), "lr": 0.01}]
    runs = fit(data, optimizer=an.Adam(), members=members)
    assert_same_run(runs[0], fit(data, optimizer=an.SGD(0.1)), data)
    assert_same_run(runs[1], fit(data, optimizer=an.SGD(0.01, momentum=0.5)), data)


def test_seeds_are_members(data):
    runs = fit(data, seeds=range(3, 6), seed=7, order_seed=None)
    assert [run.seed for run in runs] == [3, 4, 5]
    assert_same_run(runs[1], fit(data, seed=4, order_seed=7), data)
    assert not np.allclose(runs[1].params, fit(data, seed=4, order_seed=4).params)


def test_the_order_is_the_seeds_by_default(data):
    np.testing.assert_array_equal(fit(data, seed=4, order_seed=None).params, fit(data, seed=4, order_seed=4).params)


def diverging(epoch):
    """A rate that is too high from the middle of the second epoch on."""
    return 1e300 if epoch > 1.3 else 0.02


@on_backends("kept", [0, 1], fast=compiling(1) | {"jax": []})
def test_a_member_that_diverges_leaves_the_others_bit_for_bit(data, backend_here, kept):
    broken = {"lr": diverging if kept else 1e300}

    def train(middle):
        return fit(data, backend_here, members=[{"seed": 1}, {"seed": 2} | middle, {"seed": 3, "lr": 0.01}], epochs=3)

    runs, fine = train(broken), train({})
    for k in (0, 2):
        np.testing.assert_array_equal(*(r.backend.to_host(r.params) for r in (runs[k], fine[k])))
        np.testing.assert_array_equal(numbers(runs[k]), numbers(fine[k]))
        np.testing.assert_array_equal(
            *(list(map(r.backend.to_host, r.last.state.values())) for r in (runs[k], fine[k]))
        )
        assert runs[k].diverged is None
    run = runs[1]
    assert run.last.epoch == len(run.history) == kept
    if kept:
        before = fit(data, backend_here, seed=2, epochs=kept)
        assert_close(*(r.backend.to_host(r.params) for r in (run, before)), 1e-10)
    else:
        like = backend_here.asarray(np.zeros(1))
        np.testing.assert_array_equal(*map(backend_here.to_host, (run.params, make_net().init(2, like)[0])))
    assert np.isfinite(run.predict_proba(data.test.x)).all()
    with pytest.raises(an.DivergedError) as error:
        fit(data, backend_here, an.SGD(broken["lr"], momentum=0.9), seed=2, epochs=3)
    assert str(runs.diverged[1]) == str(error.value)
    assert list(runs.diverged) == [1]
    assert runs.diverged[1].epoch == kept + 1


def test_training_ends_where_all_diverge(data):
    seen = []
    runs = fit(data, members=[{"lr": 1e300}, {"lr": diverging}], epochs=5, on_epoch=seen.append)
    assert [list(rows) for rows in seen] == [[1]]
    with pytest.raises(
        ValueError, match="all 2 runs ended early, the first because the cost is no longer finite in epoch 1"
    ):
        _ = runs.best


def test_no_runs_have_no_best(data):
    none = fit(data, seeds=[1], epochs=1)[0:0]
    for name in ("best", "histories", "finished", "ensemble"):
        with pytest.raises(ValueError, match="there are no runs; expected one or more"):
            getattr(none, name)


def test_what_is_said_of_all(data):
    runs = fit(data, members=[{"seed": 1}, {"lr": 1e300}, {"seed": 2}, {"seed": 3}], epochs=3)
    sound = [runs[k] for k in (0, 2, 3)]
    table = np.stack([[row for row in run.history] for run in sound])
    np.testing.assert_allclose(list(runs.histories.mean), table.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(
        np.asarray(list(runs.histories.deviation))[:, 1:-1], table.std(axis=0, ddof=1)[:, 1:-1], rtol=1e-9, atol=1e-15
    )
    assert [row.epoch for row in runs.histories.deviation] == [1, 2, 3]
    heights = [max(row.val_accuracy for row in run.history) for run in sound]
    assert runs.best is sound[int(np.argmax(heights))]
    chances = np.mean([run.predict_proba(data.test.x) for run in sound], axis=0)
    np.testing.assert_allclose(runs.ensemble.predict_proba(data.test.x), chances, atol=1e-12)
    right = np.mean(chances.argmax(axis=1) == data.test.y)
    assert runs.ensemble.test_accuracy == pytest.approx(right)
    assert len(runs[1:]) == 3
    assert runs[-1] is runs[3]


def test_runs_are_drawn_as_bands(data):
    runs = fit(data, members=[{"seed": 1}, {"lr": 1e300}, {"seed": 2}, {"lr": 0.1}])
    whole, grouped = runs.plot(), runs.plot(["low", "high", "low", "middle"])
    loss = next(axes for axes in whole.axes if axes.get_title().startswith("loss"))
    np.testing.assert_allclose(loss.lines[1].get_ydata(), [row.val_loss for row in runs.histories.mean])
    assert {text.get_text() for text in grouped.legends[0].texts} == {"low", "middle"}
    with pytest.raises(ValueError, match="labels: expected one for each of the 4 runs, got 2"):
        runs.plot(["low", "high"])
    with pytest.raises(ValueError, match="all 1 runs ended early"):
        runs[1:2].plot()


def test_the_deviation_of_one_is_zero(data):
    assert {row.val_loss for row in fit(data, seeds=[1]).histories.deviation} == {0}


def test_the_ensemble_is_tested_in_parts(data, monkeypatch):
    runs = fit(data, seeds=[1, 2], epochs=1)
    whole = runs.ensemble.predict_proba(data.test.x).argmax(axis=1) == data.test.y
    monkeypatch.setattr("anynet.training.predictor.BLOCK", 7 * 3072)
    assert runs.ensemble.test_accuracy == pytest.approx(whole.mean())


@pytest.mark.parametrize("workers", [2, 3], indirect=True)
def test_members_on_cores_of_their_own_are_what_they_are_in_a_stack(data, monkeypatch):
    members = [*MEMBERS, {"lr": diverging}, {"lr": 1e300}]
    runs = fit(data, members=members, epochs=3)
    monkeypatch.setattr(Numpy, "workers", 1)
    stacked = fit(data, members=members, epochs=3)
    assert list(runs.diverged) == list(stacked.diverged) == [3, 4]
    for error, other in zip(runs.diverged.values(), stacked.diverged.values(), strict=True):
        assert str(error) == str(other)
        for row, same in zip(error.report["steps_before"], other.report["steps_before"], strict=True):
            for name in ("loss", "gradient_norm", "parameter_norm"):  # products on several cores round otherwise
                assert row[name] == (same[name] if isinstance(same[name], str) else pytest.approx(same[name], rel=1e-9))
    for run, other in zip(runs, stacked, strict=True):
        assert_same_run(run, other, data, 1e-9)


def test_threads_record_a_step_once(data, monkeypatch):
    recorded, record = [], loop.record_for
    monkeypatch.setattr(loop, "record_for", lambda *args: recorded.append(args[1]) or record(*args))
    numbers = []
    for workers, members in ((1, 2), (2, 4)):  # stacks of two
        recorded.clear()
        monkeypatch.setattr(Numpy, "workers", workers)
        fit(data, seeds=range(members))
        numbers.append(len(recorded))
    assert numbers[0] == numbers[1] > 0


@both_ways
def test_lines_come_by_number_after_every_epoch(data):
    seen = []
    runs = fit(data, members=MEMBERS, on_epoch=seen.append)
    for k, run in enumerate(runs):
        assert [rows[k] for rows in seen if k in rows] == list(run.history)
    assert sum(map(len, seen)) == 6


@both_ways
def test_control_c_keeps_what_there_was(data):
    def stop(rows):
        if 0 in rows and rows[0].epoch == 2:
            raise KeyboardInterrupt

    runs = fit(data, members=MEMBERS, epochs=50, on_epoch=stop)
    assert runs[0].last.epoch == 2
    assert len(runs.histories.mean) == min(len(run.history) for run in runs)
    for k, run in enumerate(runs):
        assert run.interrupted
        expected = fit(data, members=MEMBERS, epochs=run.last.epoch)[k]
        np.testing.assert_array_equal(run.params, expected.params)


@both_ways
def test_what_goes_wrong_ends_all(data):
    def fail(rows):
        if 1 in rows:
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        fit(data, members=MEMBERS, epochs=50, on_epoch=fail)


@both_ways
def test_the_bar_counts_all_members(data, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    fit(data, members=MEMBERS)
    assert "1.44k/1.44k" in terminal.getvalue()  # 2 epochs, 4 batches, 60 images, 3 members


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"members": []}, "members: expected settings for one member at least, got none"),
        ({"seeds": []}, "members: expected settings for one member at least, got none"),
        ({"seeds": range(10**11)}, "members: expected at most 10,000 nets, got more; train those in a separate fit"),
        ({"seeds": itertools.count()}, "members: expected at most 10,000 nets, got more"),
        ({"members": [{}] * 10_001}, "members: expected at most 10,000 nets, got more"),
        ({"members": [{}], "seeds": [1]}, "members and seeds: expected one of them"),
        ({"members": [{}, {"sed": 1}]}, 'member 1: no setting "sed"; did you mean "seed"'),
        ({"members": [{"optimizer": an.Adam(), "momentum": 0.1}]}, 'member 0: no setting "momentum"; there are'),
        ({"members": [{}, {"batch_size": 9}]}, "member 1: batch_size is the same for all.*in a separate fit"),
        ({"members": [{"epochs": 9}]}, "member 0: epochs is the same for all"),
        ({"members": [{}, {"l2": -1.0}]}, "member 1: l2: expected 0 or more, got -1.0"),
        ({"members": [{}, {"lr": -1.0}]}, "member 1: SGD.*expected a positive learning rate"),
        ({"members": [{}, {"momentum": 1.0}]}, r"member 1: SGD.*expected momentum in \[0, 1\)"),
        ({"optimizer": an.SGD(momentum=(0.5, 0.9)), "seeds": [1, 2]}, "member 0: SGD.*momentum of a net is one number"),
        ({"members": [{}, {"seed": -1}]}, "member 1: seed: expected 0 to"),
        ({"members": [{}, {"nesterov": True}]}, "members 0 and 1 .* another nesterov.*in a separate fit"),
        ({"members": [{}, {"optimizer": an.Adam()}]}, "members 0 and 1 have optimizers of two kinds, SGD.* and Adam"),
        ({"members": [{}, {"net": an.Sequential(an.Linear(3072, 10))}]}, "members 0 and 1 have nets of 4 and 1 layers"),
        (
            {
                "members": [
                    {"net": make_net()},
                    {"net": an.Sequential(*make_net().layers[:2], an.Tanh(), an.Linear(12, 10))},
                ]
            },
            r"members 0 and 1 differ in layer 2, ReLU\(\) and Tanh\(\); train those in a separate fit",
        ),
        ({"members": [{}, {"net": an.Sequential(an.Linear(9, 10))}]}, "member 1: .* takes 9 features"),
    ],
)
def test_what_cannot_be_trained_at_once_is_refused(data, change, message):
    with pytest.raises(ValueError, match=message):
        fit(data, **change)


def test_nets_are_compared_layer_by_layer():
    def nested(activation, init=None):
        inner = an.Sequential(an.BatchNorm(12), activation)
        return an.Sequential(an.Linear(3072, 12, init or an.He()), inner, an.Linear(12, 10))

    def check(*nets):
        check_nets([Member(net, an.SGD(), TrainSettings()) for net in nets])

    check(nested(an.ReLU()), nested(an.ReLU()), nested(an.ReLU(), an.Xavier()))
    with pytest.raises(ValueError, match=r"^members 0 and 1 differ in layer 1\.1, ReLU\(\) and Tanh\(\); train"):
        check(nested(an.ReLU()), nested(an.Tanh()))
    around = [an.Sequential(an.Linear(3, 3), kind(an.ReLU())) for kind in (an.Residual, an.Sequential)]
    with pytest.raises(
        ValueError, match=r"^members 0 and 1 differ in layer 1, Residual\(.*\) and Sequential\(.*; train"
    ):
        check(*around)
    with pytest.raises(ValueError, match=r"^members 0 and 1 have nets with layers in other places, 1 and 1\.0; train"):
        check(make_net(), nested(an.ReLU()))


@dataclass(frozen=True)
class Weighted(an.Layer):
    """A parameter for each feature, and an array among the settings."""

    fixed: np.ndarray
    init: Any = an.Normal(0.1)  # noqa: RUF009

    def parameters(self):
        return {"scale": an.Parameter(self.fixed.shape, self.init)}

    def forward(self, params, state, x, *, train):
        x = x * float(self.fixed[0])
        return x * params["scale"][..., None, :], x, state

    def backward(self, params, cache, dy):
        return dy * params["scale"][..., None, :], {"scale": array_namespace(dy).sum(cache * dy, axis=-2)}


class Plain(an.Layer):
    """No dataclass."""

    def forward(self, params, state, x, *, train):
        return x, None, state

    def backward(self, params, cache, dy):
        return dy, {}


def with_first(layer):
    return an.Sequential(layer, an.Linear(3072, 10))


def test_layers_may_hold_arrays(data):
    def weighted(value=2.0, init=an.Normal(0.1)):  # noqa: B008
        return with_first(Weighted(np.full(3072, value), init))

    run = fit(data, net=weighted())
    runs = fit(data, members=[{}, {"net": weighted()}, {"net": weighted(init=an.Normal(0.2))}], net=weighted(), seed=1)
    assert_same_run(runs[1], fit(data, net=weighted(), seed=1), data)
    assert run.last.epoch == 2
    with pytest.raises(ValueError, match="members 0 and 1 differ in layer 0, Weighted"):
        fit(data, members=[{}, {"net": weighted(3.0)}], net=weighted())


def test_layers_that_are_no_dataclasses_are_never_compared(data):
    assert fit(data, net=with_first(Plain())).last.epoch == 2
    assert len(fit(data, net=with_first(Plain()), seeds=[1, 2])) == 2
    with pytest.raises(TypeError, match=r"^layer 0, Plain\(\): make it a frozen dataclass, so that nets can be"):
        fit(data, members=[{}, {"net": with_first(Plain())}], net=with_first(Plain()))


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (3, 'member 0: expected settings by name, such as {"seed": 1, "lr": 0.1}, got 3'),
        ({"optimizer": an.SGD}, r"member 0: optimizer: expected an optimizer, such as SGD\(0.01\), got the class SGD"),
        ({"net": an.ReLU()}, "member 0: net: expected a Sequential"),
    ],
)
def test_what_is_of_another_kind_is_refused(data, member, message):
    with pytest.raises(TypeError, match=message):
        fit(data, members=[member])


def test_every_argument_is_a_members_own_or_shared():
    arguments = list(inspect.signature(an.fit).parameters)
    assert sorted(arguments) == sorted({*OWN, *SHARED, "members", "seeds"})


@on_backends("dropped", [(1,), (0, 2), (0, 1, 2)], fast=compiling((0, 2)) | {"jax": []})
def test_dropped_members_keep_what_they_have_and_the_others_go_on(data, backend_here, dropped):
    seen = []

    def drop(rows):
        seen.append(list(rows))
        return dropped if rows[min(rows)].epoch == 2 else None

    runs, whole = fit(data, backend_here, members=MEMBERS, epochs=4, on_epoch=drop), {}
    for epochs in (2, 4):  # a constant rate, so that two epochs of four are two
        whole[epochs] = fit(data, backend_here, members=MEMBERS, epochs=epochs)
    left = [k for k in range(3) if k not in dropped]
    assert seen == [[0, 1, 2]] * 2 + [left] * (2 if left else 0)
    for k, run in enumerate(runs):
        assert run.dropped == (k in dropped)
        assert_same_run(run, whole[2 if k in dropped else 4][k], data)


def test_members_are_dropped_one_after_another(data):
    seen = []

    def drop(rows):
        seen.append(list(rows))
        return {min(rows)}

    runs = fit(data, members=[{"seed": 1, "lr": 1e300}, *MEMBERS], epochs=5, on_epoch=drop)
    assert seen == [[1, 2, 3], [2, 3], [3]]
    assert [run.dropped for run in runs] == [False, True, True, True]
    assert [run.last.epoch for run in runs] == [0, 1, 2, 3]
    assert list(runs.diverged) == [0]
    with pytest.raises(ValueError, match="all 4 runs ended early, the first because the cost is no longer finite"):
        _ = runs.best


def test_what_was_dropped_counts_in_no_mean(data):
    runs = fit(data, members=MEMBERS, on_epoch=lambda rows: {1} if len(rows) == 3 else ())
    assert runs.finished.runs == (runs[0], runs[2])
    assert len(runs[1].history) < len(runs[0].history)
    loss = next(axes for axes in runs.plot().axes if axes.get_title().startswith("loss"))
    np.testing.assert_allclose(loss.lines[1].get_ydata(), [row.val_loss for row in runs.histories.mean])


def test_only_members_in_training_can_be_dropped(data):
    with pytest.raises(ValueError, match=r"numbers of members to drop, of \[0, 1, 2\], got \[3\]"):
        fit(data, members=MEMBERS, on_epoch=lambda rows: [3])
