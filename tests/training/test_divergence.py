"""Reports on a cost that is no longer finite, held against PyTorch's autograd and against faults put in place."""

import json
import math
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from array_api_compat import array_namespace
from on_backends import on_backends

import anynet as an
from anynet.data import Dataset, split
from anynet.data.synthetic import draw
from anynet.training import divergence

NET = an.Sequential(an.Linear(3072, 8), an.Tanh(), an.Linear(8, 10))
SETTINGS = {"batch_size": 10, "epochs": 3, "l2": 0.01, "seed": 3, "progress": False}
RECTIFIED = an.Sequential(an.Linear(3072, 8), an.ReLU(), an.Linear(8, 10))
BAD_EPOCH, BAD_STEP = 2, 12


@pytest.fixture(scope="module")
def data() -> Dataset:
    return split("drawn", draw(0, per_batch=40), train=150, val=50)


def jump(t):
    """A rate that makes step 12 of epoch 2 (of 15 steps) the last with a finite cost."""
    return 1e38 if 1 + (BAD_STEP - 1.5) / 15 < t < 1 + (BAD_STEP - 0.5) / 15 else 0.001


def diverged(data, net=NET, optimizer=None, **settings):
    with pytest.raises(an.DivergedError) as error:
        an.fit(net, data, optimizer or an.SGD(jump), **SETTINGS | settings)
    return error.value


def test_norms_are_pytorchs(data):
    """With the state that a training of one epoch ends with, and 15 steps of 10 images."""
    torch = pytest.importorskip("torch")
    settings = {name: value for name, value in SETTINGS.items() if name != "progress"}
    error = diverged(data, normalize="none", dtype="float64", optimizer=an.SGD(lambda t: 1e305 if t > 1.7 else 0.05))
    ready = an.setup(NET, data, an.SGD(0.05), normalize="none", dtype="float64", **settings)
    carry = ready.loop(ready.carry, ready.fixed, ready.batches(0), ready.rates(0))
    rows = error.report["steps_before"]
    assert [row["step"] for row in rows] == list(range(error.step - 10, error.step + 1))
    checked = 0
    for s, (images, labels, *_) in enumerate(ready.batches(1)):
        row = next((row for row in rows if row["step"] == s + 1), None)
        if row is not None and row["lr"] == 0.05:
            leaves = {n: torch.nn.Parameter(torch.tensor(a)) for n, a in NET.layout.split(carry.params).items()}
            hidden = torch.tanh(torch.tensor(images / 255) @ leaves["0.W"] + leaves["0.b"])
            loss = torch.nn.functional.cross_entropy(hidden @ leaves["2.W"] + leaves["2.b"], torch.tensor(labels))
            (loss + 0.01 * sum((leaves[name] ** 2).sum() for name in ("0.W", "2.W"))).backward()
            assert row["loss"] == pytest.approx(float(loss.detach()), rel=1e-9)
            for name, leaf in leaves.items():
                assert row["gradient_norms"][name] == pytest.approx(float(leaf.grad.norm()), rel=1e-9)
                assert row["parameter_norms"][name] == pytest.approx(float(leaf.detach().norm()), rel=1e-9)
            total = torch.cat([leaf.grad.ravel() for leaf in leaves.values()]).norm()
            assert row["gradient_norm"] == pytest.approx(float(total), rel=1e-9)
            checked += 1
        carry = ready.loop(carry, ready.fixed, ready.batches(1).part(s, s + 1), ready.rates(1)[:1])
    assert checked >= 8


@on_backends("members", [False, True], fast={"torch:cpu": [False, True], "emulated cupy": [True], "jax": []})
def test_every_backend_reports_the_same(data, backend_here, members):
    expected = diverged(data, backend="numpy")
    if members:
        several = [{"lr": 0.01}, {"lr": jump}, {}]
        runs = an.fit(NET, data, an.SGD(0.05), members=several, backend=backend_here, **SETTINGS)
        assert list(runs.diverged) == [1]
        error = runs.diverged[1]
    else:
        error = diverged(data, backend=backend_here)
    assert (error.epoch, error.step) == (BAD_EPOCH, BAD_STEP + 1)
    assert error.report["first_not_finite"] == expected.report["first_not_finite"]
    for ours, theirs in zip(error.report["steps_before"][:10], expected.report["steps_before"], strict=False):
        assert ours["gradient_norm"] == pytest.approx(theirs["gradient_norm"], rel=1e-3)
        assert ours["parameter_norm"] == pytest.approx(theirs["parameter_norm"], rel=1e-3)


@dataclass(frozen=True)
class Overflow(an.Layer):
    """Multiplies by infinity where the first image of a batch is bright."""

    def forward(self, params, state, x, *, train):
        xp = array_namespace(x)
        return xp.where(xp.mean(x, axis=(-1, -2), keepdims=True) > 0.62, x * math.inf, x), None, state

    def backward(self, params, cache, dy):
        return dy, {}


def loss_with(gradient):
    def loss(logits, labels):
        value, grad = an.losses.softmax_cross_entropy(logits, labels)
        return (value, grad * math.nan) if gradient else (value * math.inf, grad)

    return loss


class Breaking(an.SGD):
    def update(self, params, grads, state, lr):
        return params * math.inf, state


@pytest.mark.parametrize(
    ("changes", "first", "step"),
    [
        ({"optimizer": an.SGD(1e38), "normalize": "none"}, "updated parameter 0.W (step 2)", 3),
        ({"optimizer": an.SGD(30.0), "net": RECTIFIED}, "output of layer 2, Linear, counted from 0 (step 10)", 10),
        ({"loss": loss_with(gradient=False)}, "the loss (step 1)", 1),
        ({"loss": loss_with(gradient=True)}, "gradient of 0.W (step 1)", 2),
        ({"optimizer": Breaking()}, "updated parameter 0.W (step 1)", 2),
    ],
)
def test_the_first_array_that_is_not_finite_is_named(data, changes, first, step):
    error = diverged(data, **changes)
    assert (error.epoch, error.step) == (1, step)
    assert error.report["first_not_finite"] == first
    assert f"; first not finite: {first}; try {error.report['try'][0]}, or " in str(error)
    assert "\n" not in str(error)
    json.dumps(error.report, allow_nan=False)


def test_a_layer_that_overflows_is_named(data):
    bright = data.train.x.astype(float).mean(axis=1).max() / 255
    assert bright > 0.5
    images = data.train.x.copy()
    images[7] = 255
    changed = Dataset("bright", data.classes, type(data.train)(images, data.train.y), data.val, data.test)
    net = an.Sequential(Overflow(), *NET)
    error = diverged(changed, net=net, optimizer=an.SGD(0.01), normalize="none", batch_size=1)
    assert error.report["first_not_finite"] == f"output of layer 0, Overflow, counted from 0 (step {error.step})"
    assert error.report["steps_before"][-1]["loss"] == "nan"


def test_what_to_try_depends_on_the_settings(data):
    advice = diverged(data, normalize="none", optimizer=an.SGD(1e38)).report["try"]
    assert advice[1].startswith("clip_norm=")
    assert advice[2:] == ["a warm-up of an epoch (--warmup 1)", 'normalize="standardize"', "batch normalization"]
    later = diverged(data).report["try"]
    assert later[2:] == ["batch normalization"]


@pytest.mark.parametrize(
    ("lr", "advice"),
    [
        (1e38, "a much lower learning rate (0.01 is a common start)"),
        (2.0, "a much lower learning rate (0.01 is a common start)"),
        (0.5, "a tenth of the learning rate, 0.05"),
    ],
)
def test_the_rate_to_try_is_one_that_people_train_with(data, lr, advice):
    assert diverged(data, loss=loss_with(gradient=True), optimizer=an.SGD(lr)).report["try"][0] == advice


def test_the_rate_is_not_blamed_for_what_was_so_before_the_first_update(data):
    first, second, *_ = diverged(data, loss=loss_with(gradient=False), optimizer=an.SGD(0.5)).report["try"]
    assert first.startswith("smaller samples, targets or initial weights")
    assert second == "a tenth of the learning rate, 0.05"


def test_the_limit_to_clip_at_is_the_smallest_usual_norm(data):
    report = diverged(data).report
    norms = [row["gradient_norm"] for row in report["steps_before"]]
    smallest = f"{min(norm for norm in norms if isinstance(norm, float)):.2g}"
    assert 0.01 < float(smallest) < 100
    assert report["try"][1] == (
        f"clip_norm={smallest} (--clip-norm {smallest}), the smallest norm of the gradient before"
    )


def test_a_single_advice_is_a_whole_sentence():
    report = {"first_not_finite": "the loss (step 1)", "try": ["a tenth of the learning rate, 0.05"]}
    error = an.DivergedError(2, 1, 7, 0.5, report)
    assert str(error).endswith("; first not finite: the loss (step 1); try a tenth of the learning rate, 0.05")


@dataclass(frozen=True)
class Steep:
    """Cross-entropy whose gradient is far too long, or far too short."""

    factor: float

    def __call__(self, logits, labels):
        value, grad = an.losses.softmax_cross_entropy(logits, labels)
        return value * math.inf, grad * self.factor


@pytest.mark.parametrize("factor", [1e13, 1e-13])
def test_no_limit_is_taken_from_norms_that_are_not_usual(data, factor):
    report = diverged(data, loss=Steep(factor), l2=0.0).report
    assert report["steps_before"][0]["gradient_norm"] != 0
    assert "clip_norm=1 (--clip-norm 1)" in report["try"]


def test_a_report_that_cannot_be_made_hides_nothing(data, monkeypatch):
    def fail(*args):
        raise MemoryError

    monkeypatch.setattr(divergence, "_repeat", fail)
    error = diverged(data)
    assert (error.epoch, error.step, error.report) == (BAD_EPOCH, BAD_STEP + 1, None)
    assert str(error).endswith("; a lower rate, a warm-up or normalized inputs may help")


@pytest.mark.parametrize("memory_budget", [None, 0], ids=["resident", "streamed"])
def test_a_report_changes_no_number_and_warns_of_nothing(data, memory_budget):
    settings = SETTINGS | {"memory_budget": memory_budget, "flip": True, "crop": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        runs = an.fit(NET, data, an.SGD(0.05), members=[{}, {"lr": jump}], **settings)
        alone = an.fit(NET, data, an.SGD(0.05), **settings)
    np.testing.assert_allclose(runs[0].params, alone.params, rtol=1e-5, atol=1e-6)
    assert runs.diverged[1].report["step"] == BAD_STEP + 1
