"""Training as a whole, on small sets of drawn pictures."""

import sys

import numpy as np
import pytest
from loops import PLAIN, RECORDED, own
from on_backends import compiling, on_backends
from terminals import Terminal

import anynet as an
from anynet.backends.numpy import Numpy
from anynet.core.seeding import Purpose, generator
from anynet.data import Dataset, Loader, Split, split
from anynet.data import sample_pass as loading
from anynet.data.synthetic import draw
from anynet.training.step import Fixed, start, train_step

SETTINGS = {"l2": 1e-3, "epochs": 2, "batch_size": 64, "seed": 7, "dtype": "float64"}


@pytest.fixture(scope="module")
def data() -> Dataset:
    return split("drawn", draw(0, per_batch=100), train=400, val=100)


def make_net():
    return an.Sequential(an.Linear(3072, 20), an.BatchNorm(20), an.ReLU(), an.Linear(20, 10))


def fit(data, backend="numpy", optimizer=None, **settings):
    return an.fit(make_net(), data, optimizer or an.SGD(lr=0.02, momentum=0.9), backend=backend, **SETTINGS | settings)


def costs(run):
    return np.asarray([[row.train_cost, row.val_cost] for row in run.history])


def test_it_learns(data):
    run = fit(data, epochs=15)
    assert run.history[-1].train_accuracy > 0.9
    assert run.history[-1].train_cost < run.history[0].train_cost < 3
    assert run.test.accuracy > 0.25  # chance is 0.1


EVERYTHING = "adam, penalty, flips and crops"
RUNS = {
    "momentum, penalty": {},
    "adam": {"optimizer": an.Adam(an.schedules.Cosine(0.002, 5)), "l2": 0.0},
    "nesterov, hinge, flips": {
        **{"optimizer": an.SGD(0.005, momentum=0.9, nesterov=True), "loss": an.losses.hinge, "flip": True},
        "normalize": "standardize:channel",
    },
    EVERYTHING: {"optimizer": an.Adam(0.002), "flip": True, "crop": 3, "reverse": True},
    "the same, streamed": {
        **{"optimizer": an.Adam(0.002), "flip": True, "crop": 3, "reverse": True},
        "memory_budget": 0,
    },
}


@pytest.fixture(scope="module")
def plain_runs(data):
    """Results of NumPy's plain steps, as they are asked for."""
    known = {}

    def plain_run(name):
        if name not in known:
            known[name] = fit(data, PLAIN, **RUNS[name] | {"memory_budget": None})
        return known[name]

    return plain_run


@on_backends(
    "name",
    RUNS,
    fast=compiling(EVERYTHING) | {"torch:cpu": [EVERYTHING, "nesterov, hinge, flips"]},
)
def test_backends_agree(data, backend_here, name, plain_runs):
    """With NumPy's plain steps, in both epochs, of six whole batches and a short one."""
    run, expected = fit(data, own(backend_here), **RUNS[name]), plain_runs(name)
    assert costs(run).shape == (2, 2)
    np.testing.assert_allclose(costs(run), costs(expected), rtol=1e-8)
    assert run.params.shape == expected.params.shape
    np.testing.assert_allclose(run.predict_proba(data.test.x), expected.predict_proba(data.test.x), atol=1e-8)


def test_an_epoch_is_pytorchs(data):
    """The same weights, the same batches; everything else is PyTorch's: layers, autograd, loss and optimizer."""
    torch = pytest.importorskip("torch")
    run = fit(data, RECORDED, epochs=1)

    net = make_net()
    parts = net.layout.split(net.init(7, like=np.zeros(1))[0])
    theirs = torch.nn.Sequential(
        torch.nn.Linear(3072, 20), torch.nn.BatchNorm1d(20), torch.nn.ReLU(), torch.nn.Linear(20, 10)
    ).double()
    for i in (0, 3):
        theirs[i].weight.data, theirs[i].bias.data = torch.tensor(parts[f"{i}.W"].T), torch.tensor(parts[f"{i}.b"])
    weights = [theirs[0].weight, theirs[3].weight]
    others = [p for p in theirs.parameters() if all(p is not w for w in weights)]
    groups = [{"params": weights, "weight_decay": 2 * SETTINGS["l2"]}, {"params": others}]
    optimizer = torch.optim.SGD(groups, lr=0.02, momentum=0.9)
    pixels = data.train.x.astype(float)
    x = torch.tensor((pixels - pixels.mean(axis=0)) / pixels.std(axis=0))
    y = torch.tensor(data.train.y)
    for index in torch.tensor(generator(7, Purpose.ORDER, 0).permutation(400)).split(64):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(theirs(x[index]), y[index]).backward()
        optimizer.step()

    theirs.eval()
    with torch.no_grad():
        loss = torch.nn.functional.cross_entropy(theirs(x), y)
        cost = loss + SETTINGS["l2"] * sum((w**2).sum() for w in weights)
        accuracy = (theirs(x).argmax(1) == y).double().mean()
    assert run.history[0].train_loss == pytest.approx(float(loss), rel=1e-9)
    assert run.history[0].train_cost == pytest.approx(float(cost), rel=1e-9)
    assert run.history[0].train_accuracy == pytest.approx(float(accuracy))


@on_backends("at_once", [1, 3, 100], fast=compiling(3) | {"jax": []})
def test_streamed_is_resident(data, backend_here, at_once, monkeypatch):
    """However many of the 14 batches make a block."""
    monkeypatch.setattr(loading, "BLOCK_BYTES", at_once * 30 * 3072)
    settings = {"flip": True, "crop": 2, "reverse": True, "batch_size": 30}
    streamed = fit(data, backend_here, memory_budget=0, **settings)
    np.testing.assert_array_equal(costs(streamed), costs(fit(data, backend_here, memory_budget=10**9, **settings)))


def test_the_device_is_read_once_an_epoch_and_once_at_the_end(data, backend_here):
    """For a GPU has to finish all its work whenever it is read."""
    kind, reads = type(backend_here), []

    def to_host(self, array):
        reads.append(array)
        return kind.to_host(self, array)

    counting = type("Counting", (kind,), {"to_host": to_host})(backend_here.name, backend_here.device)
    fit(data, counting)
    assert len(reads) == 3


def test_the_seed_decides(data):
    np.testing.assert_array_equal(fit(data).params, fit(data).params)
    assert not np.array_equal(fit(data).params, fit(data, seed=8).params)


@pytest.mark.parametrize(
    "change", [{"flip": True}, {"crop": 2}, {"reverse": True}, {"normalize": "none"}, {"loss": an.losses.hinge}]
)
def test_settings_reach_training(data, change, plain_runs):
    assert not np.allclose(costs(fit(data, **change)), costs(plain_runs("momentum, penalty")))


def test_a_float32_run_stays_float32(data):
    run = fit(data, dtype="float32", optimizer=an.Adam(an.schedules.Cosine(0.001, 2)))
    assert run.params.dtype == np.float32
    assert all(array.dtype == np.float32 for array in run.last.state.values())


def test_the_precision_is_the_backend_s_unless_it_is_said(data, monkeypatch):
    monkeypatch.setattr(Numpy, "precisions", ("float32", "tf32", "bf16"))
    settings = {"epochs": 1, "dtype": "float32"}
    assert fit(data, "numpy", **settings).backend.precision == "float32"
    assert fit(data, an.backend("numpy", "bf16"), **settings).backend.precision == "bf16"
    assert fit(data, an.backend("numpy", "bf16"), precision="tf32", **settings).backend.precision == "tf32"
    assert fit(data, precision="tf32", seeds=range(2), **settings)[1].backend.precision == "tf32"


def test_a_precision_that_is_not_here_is_refused(data):
    with pytest.raises(an.BackendError, match="numpy on cpu multiplies in float32 only"):
        fit(data, precision="tf32", dtype="float32")


@pytest.mark.parametrize("drop_last", [False, True])
def test_the_last_short_batch_is_kept_or_dropped(data, drop_last):
    """Six batches of 64, and 16 images more."""
    net, optimizer, backend = make_net(), an.SGD(lr=0.02, momentum=0.9), an.backend("numpy")
    run = fit(data, optimizer=optimizer, epochs=1, drop_last=drop_last)
    step = train_step(net, an.losses.softmax_cross_entropy, optimizer)
    carry = start(net, optimizer, *net.init(7, like=np.zeros(1)))
    batches = Loader(data.train, backend).shuffled(64, 7, 0, drop_last=drop_last)
    for batch in batches:
        carry = step(carry, Fixed(run.normalization, np.asarray(SETTINGS["l2"])), batch, np.asarray(0.02))
    assert carry.step == (6 if drop_last else 7)
    np.testing.assert_allclose(run.params, carry.params, rtol=1e-9, atol=1e-12)


def test_rates_follow_the_schedule(data):
    seen = []

    class Recording(an.SGD):
        def update(self, params, grads, state, lr):
            seen.append(float(lr))
            return super().update(params, grads, state, lr)

    schedule = an.schedules.Warmup(1, an.schedules.Step(0.1, 0.5, 1))
    run = fit(data, PLAIN, Recording(schedule), epochs=3, batch_size=200)
    np.testing.assert_allclose(seen, [0, 0.05, 0.1, 0.1, 0.05, 0.05])
    assert [row.lr for row in run.history] == [seen[1], seen[3], seen[5]]


def test_the_best_epoch_is_the_first_of_the_highest_validation_accuracy(data):
    """Here not the last: what is kept of it is what a training of so many epochs ends with."""
    run = fit(data, epochs=3, optimizer=an.SGD(0.5))
    accuracies = [row.val_accuracy for row in run.history]
    assert run.best.epoch == 1 + int(np.argmax(accuracies)) == 2
    shorter = fit(data, epochs=2, optimizer=an.SGD(0.5))
    np.testing.assert_array_equal(run.best.params, shorter.last.params)
    for name, array in shorter.last.state.items():
        np.testing.assert_array_equal(run.best.state[name], array)
    assert run.best_test == shorter.test
    assert run.best_test.accuracy != run.test.accuracy
    assert not np.array_equal(run.best.params, run.last.params)
    found = run.predict_proba(data.val.x).argmax(axis=1)
    assert np.mean(found == data.val.y) == pytest.approx(max(accuracies))
    found = run.predict_proba(data.test.x).argmax(axis=1)
    assert np.mean(found == data.test.y) == pytest.approx(run.best_test.accuracy)


def test_the_test_images_validate_where_they_are_named():
    run = fit(split("drawn", draw(0, per_batch=100), train=500, val="test_batch"))
    last = run.history[-1]
    assert (last.val_loss, last.val_accuracy) == (run.test.loss, run.test.accuracy)
    assert run.best_test.accuracy == max(row.val_accuracy for row in run.history)


def test_divergence_names_epoch_step_and_rate(data):
    class Breaking(an.SGD):
        def init(self, params):
            return {"step": np.zeros(())}

        def update(self, params, grads, state, lr):
            step = state["step"] + 1
            return params * (np.nan if step == 9 else 1), {"step": step}

    # 7 steps an epoch: the ninth spoils the parameters, so the tenth has no loss.
    schedule = an.schedules.Exponential(0.5, 0.5)
    with pytest.raises(an.DivergedError, match=r"epoch 2, at step 3 of 7, with learning rate 0.25"):
        fit(data, PLAIN, Breaking(schedule))


def test_control_c_keeps_what_there_was(data):
    def stop(row):
        if row.epoch == 2:
            raise KeyboardInterrupt

    run = fit(data, epochs=5, on_epoch=stop)
    assert run.interrupted
    np.testing.assert_array_equal(run.params, fit(data, epochs=2).params)
    assert run.test == fit(data, epochs=2).test


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs: expected 1 or more, got 0"),
        ({"batch_size": 401}, "batch_size: expected 1 to 400, the number of training samples, got 401"),
        ({"batch_size": 0}, "batch_size: expected 1 to 400"),
        ({"l2": -0.1}, "l2: expected 0 or more, got -0.1"),
        ({"dtype": "float16"}, 'expected one of float32, float64, got "float16"'),
        ({"precision": "half"}, 'precision: expected one of float32, tf32, bf16, got "half"'),
        ({"normalize": "standard"}, 'did you mean "standardize"'),
        ({"optimizer": an.SGD(lambda epoch: 0.5 - epoch)}, "the learning rate of epoch 1, step 5 of 7, is -0.07"),
    ],
)
def test_settings_out_of_range_are_refused(data, change, message):
    with pytest.raises(ValueError, match=message):
        fit(data, **change)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros(4, np.uint8), np.zeros(4, int), r"x: expected shape \(N, features\) or .*, got \(4,\); x\[:, None\]"),
        (np.zeros((4, 3072), np.uint8), np.zeros(5, int), r"y: expected 4 class numbers, .*, got shape \(5,\)"),
        (np.zeros((4, 3072), np.uint8), np.zeros(5), r"y: expected 4 numbers or 4 rows of them, .* got \(5,\)"),
    ],
)
def test_images_and_labels_of_another_form_are_refused(images, labels, message):
    with pytest.raises(ValueError, match=message):
        Split(images, labels)


def test_a_backend_that_is_not_here_is_refused(data):
    with pytest.raises(an.BackendError, match='no backend "nunpy"'):
        fit(data, "nunpy")


def test_no_bar_where_there_is_no_terminal(data, capsys):
    fit(data)
    assert capsys.readouterr() == ("", "")


def test_the_bar_shows_loss_accuracy_and_rate(data, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    fit(data)
    shown = terminal.getvalue()
    assert "img/s" in shown
    assert "loss" in shown
    assert "accuracy" in shown
