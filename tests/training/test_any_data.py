"""Training on features of every kind, for numbers and classes, with weights, without validation or test samples."""

import sys

import numpy as np
import pytest
from few_features import given
from on_backends import compiling, on_backends
from terminals import Terminal

import anynet as an
from anynet.core.history import History
from anynet.data import Batch, Dataset, Split, from_arrays
from anynet.training.weighted_loss import batch_loss

NET = an.Sequential(an.Linear(4, 6), an.Tanh(), an.Linear(6, 3))
SETTINGS = {"batch_size": 5, "epochs": 2, "dtype": "float64", "progress": False}
KINDS = ["uint8", "int64", "bool", "float16", "float32", ">f8"]


@pytest.fixture
def samples(rng):
    """Features and class numbers."""
    return rng.standard_normal((17, 4)), np.arange(17) % 3


def host(run):
    return run.backend.to_host(run.params)


def test_numbers_are_predicted_as_by_least_squares(rng):
    """One layer, whole batches, a rate below 2 over the largest curvature: gradient descent finds the minimum."""
    x = rng.standard_normal((40, 3))
    y = x @ np.asarray([[1.0, -1.0], [2.0, 0.5], [0.0, 3.0]]) + 0.1 * rng.standard_normal((40, 2)) + 5
    run = an.fit(
        an.Sequential(an.Linear(3, 2)),
        (x, y),
        an.SGD(0.5),
        batch_size=40,
        epochs=400,
        dtype="float64",
        normalize="none",
    )
    solution, *_ = np.linalg.lstsq(np.hstack([x, np.ones((40, 1))]), y, rcond=None)
    found = run.net.layout.split(run.params)
    np.testing.assert_allclose(np.vstack([found["0.W"], found["0.b"]]), solution, rtol=1e-8)
    residuals = x @ found["0.W"] + found["0.b"] - y
    assert run.history[-1].train_loss == pytest.approx(np.mean(residuals**2))
    assert run.history.columns == ("epoch", "lr", "train_cost", "train_loss", "seconds")


@pytest.mark.parametrize("kind", KINDS[1:])
def test_features_of_every_dtype_are_those_numbers(kind, rng):
    x = rng.integers(0, 2, (17, 4)).astype(kind)
    runs = [an.fit(NET, (each, np.arange(17) % 3), an.SGD(0.1), **SETTINGS) for each in (x, x.astype("float64"))]
    np.testing.assert_array_equal(*map(host, runs))


@on_backends("budget", [None, 0], compiling(0))
def test_backends_agree_also_where_samples_are_streamed(backend_here, budget, samples):
    x, labels = samples
    for y in (labels, x[:, :3] ** 2):
        settings = SETTINGS | {"val": 0.2, "l2": 0.01}
        here = an.fit(NET, (x, y), an.Adam(0.01), backend=backend_here, memory_budget=budget, **settings)
        numpy = an.fit(NET, (x, y), an.Adam(0.01), backend="numpy", **settings)
        np.testing.assert_allclose(host(here), host(numpy), rtol=1e-9, atol=1e-12)
        for name in numpy.history.columns[:-1]:
            np.testing.assert_allclose(here.history[name], numpy.history[name], rtol=1e-9)


@pytest.mark.parametrize(("library", "name"), [("torch", "torch"), ("jax.numpy", "jax")])
def test_arrays_are_trained_on_in_their_library(library, name, samples):
    xp = pytest.importorskip(library)
    x, y = (xp.asarray(each) for each in (samples[0].astype(np.float32), samples[1]))
    settings = SETTINGS | {"dtype": "float32"}
    run = an.fit(NET, (x, y), an.SGD(0.1), **settings)
    assert run.backend.name == name
    same = an.fit(NET, samples, an.SGD(0.1), backend="numpy", **settings)
    np.testing.assert_allclose(host(run), host(same), rtol=1e-5, atol=1e-6)
    ready = an.setup(NET, (x, y), an.SGD(0.1), batch_size=5)
    assert ready.inputs.train.x is ready.inputs.data.train.x  # no copy
    if name == "torch":
        assert ready.inputs.train.x.data_ptr() == x.data_ptr()


def test_float32_arrays_of_numpy_are_not_copied(samples):
    x = samples[0].astype(np.float32)
    assert np.shares_memory(
        an.setup(NET, (x, samples[1]), an.SGD(0.1), backend="numpy", batch_size=5).inputs.train.x, x
    )


LOSSES = {
    "softmax": (an.losses.softmax_cross_entropy, "classes"),
    "smoothed": (an.losses.CrossEntropy(label_smoothing=0.1), "classes"),
    "hinge": (an.losses.hinge, "classes"),
    "squared error": (an.losses.mean_squared_error, "numbers"),
    "huber": (an.losses.Huber(0.5), "numbers"),
    "binary": (an.losses.binary_cross_entropy, "probabilities"),
}


@pytest.mark.parametrize("members", [(), (2,)], ids=["alone", "members"])
@pytest.mark.parametrize("name", LOSSES)
def test_a_weighted_loss_is_the_weighted_mean_of_the_losses_of_samples(xp, rng, name, members):
    loss, kind = LOSSES[name]
    y = {"classes": np.arange(7) % 3, "numbers": rng.standard_normal((7, 3)), "probabilities": rng.random((7, 3))}[kind]
    outputs, weights = rng.standard_normal((*members, 7, 3)), rng.random(7)
    x = np.zeros((7, 4))

    def run(outputs, x, y, weights):
        return batch_loss(loss, outputs, Batch(x, y, weights))

    value, grad = xp.call(run, outputs, x, y, weights)
    each = [loss(outputs[..., i : i + 1, :], y[i : i + 1]) for i in range(7)]
    share = weights / weights.sum()
    np.testing.assert_allclose(value, sum(w * one for w, (one, _) in zip(share, each, strict=True)), rtol=xp.rtol)
    expected = np.concatenate([w * g for w, (_, g) in zip(share, each, strict=True)], axis=-2)
    np.testing.assert_allclose(grad, expected, rtol=xp.rtol, atol=xp.rtol)
    nothing, none = xp.call(run, outputs, x, y, np.zeros(7))
    assert not nothing.any()
    assert not none.any()


@on_backends("seeds", [None, range(2)], compiling(range(2)))
def test_a_weight_of_0_leaves_a_sample_out_and_one_of_2_repeats_it(backend_here, seeds, samples):
    x, y = samples
    weights = np.asarray([0, 1, 2] * 5 + [1, 2])
    rows = np.repeat(np.arange(17), weights)
    settings = {name: value for name, value in SETTINGS.items() if name != "batch_size"} | {"normalize": "none"}

    def trained(data):
        size = len(data.train)
        found = an.fit(NET, data, an.SGD(0.1), seeds=seeds, backend=backend_here, batch_size=size, **settings)
        return [found] if seeds is None else list(found)

    for targets in (y, x[:, 1:] ** 2):
        weighted = trained(from_arrays(x, targets, weights=weights))
        repeated = trained(from_arrays(x[rows], targets[rows]))
        for one, other in zip(weighted, repeated, strict=True):
            np.testing.assert_allclose(host(one), host(other), rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(one.history["train_loss"], other.history["train_loss"], rtol=1e-10)


@pytest.mark.parametrize("target", ["classes", "numbers"])
@pytest.mark.parametrize("val", [0, 0.3])
def test_what_is_not_measured_is_nowhere(tmp_path, samples, target, val):
    x, y = samples
    y = y if target == "classes" else x[:, :3]
    run = an.fit(NET, (x, y), an.SGD(0.1), val=val, **SETTINGS)
    columns = {"epoch", "lr", "train_cost", "train_loss", "seconds"}
    columns |= {"train_accuracy"} if target == "classes" else set()
    columns |= ({"val_cost", "val_loss"} | ({"val_accuracy"} if target == "classes" else set())) if val else set()
    assert set(run.history.columns) == columns
    assert (run.test, run.best_test) == (None, None)
    score = {"classes": "val_accuracy", "numbers": "val_loss"}[target]
    if val:
        best = run.history[score]
        assert run.best.epoch == 1 + (np.argmax(best) if target == "classes" else np.argmin(best))
        with pytest.raises(KeyError, match='a history has no column "val_acuracy"'):
            _ = run.history["val_acuracy"]
    else:
        assert run.best.epoch == run.last.epoch == 2
        with pytest.raises(KeyError, match='a history has no column "val_loss"'):
            _ = run.history["val_loss"]
    run.history.write_csv(tmp_path / "history.csv", "mine")
    assert History.read_csv(tmp_path / "history.csv") == run.history
    run.save(tmp_path / "net.safetensors")
    same = an.load(tmp_path / "net.safetensors")
    assert (same.history, same.test, same.classes) == (run.history, None, run.classes)
    np.testing.assert_array_equal(host(same), host(run))
    pytest.importorskip("matplotlib")
    panels = run.plot().axes
    titles = ["loss = cost", "accuracy (%)"] if target == "classes" else ["loss = cost"]
    assert [axes.get_title() for axes in panels] == titles
    labels = [line.get_label() for line in panels[0].lines if not line.get_label().startswith("_")]
    assert labels == ["training", *(["validation", f"best epoch, {run.best.epoch}"] if val else [])]


@pytest.mark.parametrize("target", ["classes", "numbers"])
def test_it_goes_on_from_a_checkpoint_with_the_same_bits(tmp_path, samples, target):
    y = samples[1] if target == "classes" else samples[0][:, :3]
    data = from_arrays(samples[0], y, weights=np.arange(17.0))
    settings = SETTINGS | {"epochs": 3}
    whole = an.fit(NET, data, an.Adam(0.01), **settings)
    an.fit(NET, data, an.Adam(0.01), checkpoint=tmp_path / "there", **settings | {"epochs": 1})
    again = an.fit(NET, data, an.Adam(0.01), checkpoint=tmp_path / "there", resume=True, **settings)
    np.testing.assert_array_equal(host(again), host(whole))
    assert again.history["train_loss"].tolist() == whole.history["train_loss"].tolist()
    others = [from_arrays(samples[0], y, weights=np.ones(17))]
    others += [from_arrays(samples[0], y + 5, weights=np.arange(17.0))] if target == "classes" else []  # other labels
    for other in others:
        with pytest.raises(ValueError, match="data"):
            an.fit(NET, other, an.Adam(0.01), checkpoint=tmp_path / "there", resume=True, **settings)


def test_sizes_of_the_input_follow_from_the_data(samples):
    sizeless = an.Sequential(an.Linear(6), an.Tanh(), an.Linear(3))
    for seeds in (None, range(2)):
        found, same = (an.fit(net, samples, an.SGD(0.1), seeds=seeds, **SETTINGS) for net in (sizeless, NET))
        for one, other in zip(*([run] if seeds is None else run for run in (found, same)), strict=True):
            assert one.net == NET
            np.testing.assert_array_equal(host(one), host(other))


def test_the_usual_loss_is_that_of_the_targets(samples):
    x, y = samples
    for targets, named in ((y, "cross-entropy"), (x[:, :3], "mean-squared-error")):
        usual, same = (an.fit(NET, (x, targets), an.SGD(0.1), loss=loss, **SETTINGS) for loss in (None, named))
        np.testing.assert_array_equal(host(usual), host(same))


def part(x, y, **more):
    return Split(np.asarray(x), np.asarray(y), **more)


GOOD = part(np.zeros((6, 4)), [0, 1, 2] * 2)
BAD = {
    "NaN": (
        part([[1.0, np.nan, 0, 0]] * 6, [0, 1, 2] * 2),
        {},
        "the train set of mine: x: expected finite numbers, got nan",
    ),
    "infinity": (part([[0.0] * 4] * 5 + [[0, 0, 0, np.inf]], [0, 1, 2] * 2), {}, "got inf at index 5, 3"),
    "class out of range": (
        part(np.zeros((6, 4)), [0, 1, 3] * 2),
        {},
        "expected labels 0 to 2, one for each class, got 0 to 3",
    ),
    "larger than float32": (
        part(np.full((6, 4), 1e39), [0, 1, 2] * 2),
        {"dtype": "float32"},
        r"x: expected numbers that float32 has, got 1e\+39 at index 0, 0",
    ),
    "squares larger than float64": (
        part(np.full((6, 4), 1e300) * np.arange(6)[:, None], [0, 1, 2] * 2),
        {},
        "normalize: standardize squares the samples, and they are too large for that",
    ),
    "small crop": (part(np.zeros((6, 4)), [0, 1, 2] * 2), {"crop": -1}, "crop: expected 0 to 0 pixels, got -1"),
    "width": (part(np.zeros((6, 5)), [0, 1, 2] * 2), {}, "takes 4 features, but the samples of mine have 5"),
    "loss of numbers": (GOOD, {"loss": "huber"}, "loss: Huber.* does not take the targets of mine, class numbers"),
    "augmentation": (GOOD, {"flip": True}, r"flip, crop, cutout, reverse and tta need samples of shape \(channels"),
    "channels": (GOOD, {"normalize": "center:channel"}, "center:channel needs samples of shape"),
    "weights": (
        part(np.zeros((6, 4)), [0, 1, 2] * 2, weights=np.asarray([-1.0] * 6)),
        {},
        "expected weights of 0 or more",
    ),
    "large weights": (
        part(np.zeros((6, 4)), [0, 1, 2] * 2, weights=np.full(6, 1e38, np.float32)),
        {"dtype": "float32"},
        r"expected weights of 0 or more, not all 0 and none above 3e\+18, got 1e\+38 to 1e\+38",
    ),
    "weights that vanish": (
        part(np.zeros((6, 4)), [0, 1, 2] * 2, weights=np.full(6, 1e-300)),
        {"dtype": "float32"},
        "expected weights of 0 or more, not all 0",
    ),
    "both weights": (
        part(np.zeros((6, 4)), [0, 1, 2] * 2, weights=np.ones(6)),
        {"loss": an.losses.CrossEntropy(class_weights=(1, 2, 3))},
        "expected weights of classes or of samples, got both",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_data_that_do_not_fit_are_refused_in_one_line(name):
    train, settings, message = BAD[name]
    with pytest.raises((TypeError, ValueError), match=message) as error:
        an.fit(NET, Dataset("mine", ("a", "b", "c"), train), an.SGD(0.1), **SETTINGS | settings)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("data", "settings", "message"),
    [
        ([[1.0]], {}, r"data: expected a Dataset, \(x, y\) or \(x, y, x_val, y_val\), got a list"),
        ((1, 2, 3), {}, r"data: expected a Dataset, .*, got a tuple of 3"),
        (Dataset("mine", ("a", "b", "c"), GOOD), {"val": 0.1}, "val: expected 0 with a Dataset"),
        (
            (np.zeros((6, 4)), np.zeros((6, 3))),
            {"loss": "hinge"},
            "loss: hinge does not take the targets of arrays, float",
        ),
        (
            (np.zeros((6, 4)), np.zeros(6)),
            {},
            r"but y has 1 number to predict for each sample; floats are numbers to predict, integers are classes",
        ),
        (
            (np.zeros((6, 4)), np.zeros((6, 3)), np.zeros((6, 4)), np.full((6, 3), 2.0)),
            {"loss": "binary-cross-entropy"},
            "expected probabilities, 0 to 1, got 2",
        ),
        (
            (np.zeros((6, 4)), np.full((6, 3), 2.0)),
            {"loss": "binary-cross-entropy"},
            "expected probabilities, 0 to 1, got 2",
        ),
        ((np.zeros((6, 4)), [0, 1] * 3), {}, "gives 3 outputs, but y has 2 classes$"),
        (
            (np.zeros((6, 4)), [0, 1, 2] * 2),
            {"batch_size": 7},
            "batch_size: expected 1 to 6, the number of training samples",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused_in_one_line(data, settings, message):
    with pytest.raises((TypeError, ValueError), match=message) as error:
        an.fit(NET, data, an.SGD(0.1), **SETTINGS | settings)
    assert "\n" not in str(error.value)


def test_the_bar_counts_samples(samples, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    an.fit(NET, samples, an.SGD(0.1), **SETTINGS | {"progress": None})
    assert "sample/s" in terminal.getvalue()


def test_the_default_batch_size_is_cut_to_the_number_of_samples(samples):
    ready = an.setup(NET, samples, an.SGD(0.1))
    assert (ready.settings.batch_size, ready.inputs.steps) == (17, 1)
    assert an.find_rate(NET, samples, an.SGD()).suggestion > 0


def test_integers_for_a_net_with_one_output_may_be_meant_as_numbers():
    net = an.Sequential(an.Linear(4, 1))
    with pytest.raises(ValueError, match="but y has 3 classes; if they are numbers to predict, make them floats"):
        an.fit(net, (np.zeros((6, 4)), [20, 30, 40] * 2), an.SGD(0.1), **SETTINGS)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
@pytest.mark.parametrize("source", ["numpy", "torch", "jax"])
def test_steps_are_recorded_whatever_integers_class_numbers_are(source, dtype, samples):
    y = given(samples[1].astype(dtype), source)
    split = Split(given(samples[0].astype(np.float32), source), y)
    run = an.fit(
        NET, Dataset("numbered", (0, 1, 2), split), an.SGD(0.1), compile="on", **SETTINGS | {"dtype": "float32"}
    )
    assert run.last.epoch == 2
