"""Trainings of nets of images: sizes from the data, forms of the data, members, results, refusals."""

import re
from functools import cache

import numpy as np
import pytest

import anynet as an
from anynet import gradcheck
from anynet.data import Dataset, Split

SHAPE, CLASSES = (3, 8, 6), 3
SGD = an.SGD(0.05, momentum=0.5)


def net(**sizes):
    return an.Sequential(
        *(an.Conv2d(4, 3, stride=2), an.BatchNorm(), an.ReLU()),
        an.Residual(
            an.Conv2d(6, 3, stride=2), shortcut=an.Sequential(an.MaxPool2d(2, padding="same"), an.Conv2d(6, 1))
        ),
        *(an.Flatten(), an.Linear(CLASSES)),
        **sizes,
    )


@cache
def samples():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (50, *SHAPE), np.uint8), rng.integers(0, CLASSES, 50)


def fit(given=None, x=None, optimizer=SGD, data=None, **settings):
    images, labels = samples()
    data = data or (images if x is None else x, labels)
    settings = {"epochs": 2, "batch_size": 20, "backend": "numpy", "compile": "off", "progress": False} | settings
    return an.fit(given or net(), data, optimizer, **settings)


@cache
def trained():
    return fit()


def assert_same(run, other=None):
    other = other or trained()
    assert run.net == other.net
    assert [row[:-1] for row in run.history] == [row[:-1] for row in other.history]
    np.testing.assert_array_equal(run.last.params, other.last.params)


# ---- forms of the data


def test_sizes_are_those_of_the_data():
    assert trained().net == net(input_shape=SHAPE)
    assert_same(fit(net(input_shape=SHAPE)))


def test_rows_of_planar_values_are_images():
    images, labels = samples()
    assert_same(fit(net(input_shape=SHAPE), images.reshape(50, -1)))
    run = fit(net(input_shape=SHAPE), images.reshape(50, -1), normalize="standardize:channel", flip=True)
    assert run.score(images, labels) == run.score(images.reshape(50, -1), labels)
    run.plot_feature_maps(images[:2], "0")
    part = Split(images.reshape(50, -1), labels, SHAPE)
    assert_same(fit(data=Dataset("rows", tuple("012"), part)))


@pytest.mark.parametrize("settings", [{}, {"flip": True, "crop": 2, "cutout": 3}], ids=["plain", "augmented"])
def test_streamed_samples_are_the_same(settings):
    assert_same(fit(memory_budget=0, **settings), fit(**settings))


def test_images_are_flipped_as_images():
    images, _ = samples()
    ready = an.setup(net(), samples(), an.SGD(0.05), flip=True, batch_size=50, backend="numpy")
    (batch,), (plan,) = ready.batches(0), ready.batches(0).plans()
    order, flipped = plan.index[0], plan.draws["flipped"][0]
    expected = np.where(flipped[:, None, None, None], images[order][..., ::-1], images[order])
    np.testing.assert_array_equal(batch.x, expected.transpose(0, 2, 3, 1).reshape(50, -1))


def test_normalization_is_by_value_of_the_data_set():
    """Kept for predictions in the order of the data set, in batches with the channels last."""
    ready = an.setup(net(), samples(), an.SGD(0.05), batch_size=50, backend="numpy")
    plain, batches = ready.inputs.normalization, ready.inputs.batch_normalization
    for one, other in zip(plain, batches, strict=True):
        np.testing.assert_array_equal(np.reshape(one, SHAPE).transpose(1, 2, 0).ravel(), other)


def test_images_are_standardized_by_channel():
    """Unless the net begins with Flatten, or the setting says another kind."""

    def scales(given, **settings):
        inputs = an.setup(given, samples(), an.SGD(0.05), batch_size=50, backend="numpy", **settings).inputs
        return inputs.settings.normalize, len(np.unique(inputs.normalization.scale))

    values = np.prod(SHAPE)
    assert scales(net()) == scales(net(input_shape=SHAPE)) == ("standardize:channel", 3)
    assert scales(net(), normalize="standardize") == ("standardize", values)
    flat = an.Flatten(), an.Linear(CLASSES)
    for given in (an.Sequential(*flat, input_shape=SHAPE), an.Sequential(an.Sequential(*flat)), an.Sequential(flat[1])):
        assert scales(given) == ("standardize", values)


# ---- results


def test_members_are_trainings_of_their_own():
    runs = fit(members=[{"seed": 1}, {"seed": 2, "lr": 0.01}], order_seed=0, dtype="float64")
    for run, (seed, lr) in zip(runs, [(1, 0.05), (2, 0.01)], strict=True):
        alone = fit(optimizer=an.SGD(lr, momentum=0.5), seed=seed, order_seed=0, dtype="float64")
        np.testing.assert_allclose(run.last.params, alone.last.params, rtol=1e-9, atol=1e-12)


def test_a_training_is_that_of_the_equations():
    """Step by step, with images as they are: forward, loss, backward, update."""
    images, labels = samples()
    ready = an.setup(net(), (images, labels), an.SGD(0.05), batch_size=20, backend="numpy", dtype="float64")
    own, normalization = ready.members[0].net, ready.inputs.normalization
    params, state = own.init(ready.settings.seed, like=np.zeros(1))
    for plan in ready.batches(0).plans():
        for index in np.asarray(plan.index):
            x = normalization(images[index].reshape(len(index), -1)).reshape(-1, *SHAPE)
            outputs, cache, state = own.forward(params, state, x, train=True)
            _, dy = an.losses.softmax_cross_entropy(outputs, labels[index])
            params = params - 0.05 * own.backward(params, cache, dy)[1]
    run = fit(optimizer=an.SGD(0.05), epochs=1, dtype="float64")
    np.testing.assert_allclose(run.last.params, params, rtol=1e-9, atol=1e-12)


def test_predictions_take_images_and_rows(tmp_path):
    run, (images, labels) = trained(), samples()
    probabilities = run.predict_proba(images)
    np.testing.assert_array_equal(run.predict_proba(images.reshape(50, -1)), probabilities)
    assert run.score(images, labels) == np.mean(probabilities.argmax(1) == labels)
    assert run.score(images, labels) == run.history[-1].train_accuracy
    with pytest.raises(ValueError, match=r"or \(N, 3, 8, 6\), .*, got shape \(50, 8, 6, 3\), with ch"):
        run.predict(images.transpose(0, 2, 3, 1))


@pytest.mark.parametrize("given", [None, net(), net(input_shape=SHAPE)], ids=["no net", "without sizes", "with sizes"])
def test_a_saved_net_is_loaded(tmp_path, given):
    trained().save(tmp_path / "net")
    loaded = an.load(tmp_path / "net", net=given)
    assert_same(loaded)
    np.testing.assert_array_equal(loaded.predict_proba(samples()[0]), trained().predict_proba(samples()[0]))


@pytest.mark.parametrize("shape", [(12, 20, 1), (8, 8, 4)], ids=["signals", "square images of four columns"])
def test_a_shape_that_the_net_says_is_not_channels_last(shape):
    layers = an.Conv2d(4, (5, 1)), an.GlobalPool(), an.Linear(CLASSES)
    x = np.random.default_rng(0).random((50, *shape))
    data = x[10:], samples()[1][10:], x[:10], samples()[1][:10]
    run = fit(an.Sequential(*layers, input_shape=shape), data=data)
    assert run.net[0].n_in == shape[0]
    assert run.predict(x).shape == (50,)
    with pytest.raises(ValueError, match="with channels last"):
        fit(an.Sequential(*layers), data=data)


def test_rates_gradients_and_divergence():
    images, labels = samples()
    curve = an.find_rate(net(), (images, labels), an.SGD(0.05), batch_size=20, backend="numpy", steps=10)
    assert len(curve.rates) == len(curve.losses)
    gradcheck.check(gradcheck.of_net(trained().net, images[:4] / 255, labels[:4]), probes=5).require()
    with pytest.raises(an.DivergedError, match="the cost is no longer finite in epoch 1"):
        fit(optimizer=an.SGD(1e30))


@pytest.mark.parametrize("optimizer", [an.Adam(0.01), an.Muon(0.01), an.Lion(0.001, weight_decay=0.1)], ids=repr)
def test_other_optimizers_learn(optimizer):
    first, *_, last = fit(optimizer=optimizer, epochs=15, batch_size=10).history
    assert last.train_loss < 0.9 * first.train_loss


# ---- refusals


@pytest.mark.parametrize(
    ("given", "x", "message"),
    [
        (
            lambda: an.Sequential(an.Conv2d(CLASSES)),
            lambda x: x,
            "Sequential(Conv2d(3)) gives images; add Flatten() or GlobalPool() ahead of the last Linear",
        ),
        (
            lambda: an.Sequential(an.Conv2d(4, 9, padding=0), an.Flatten(), an.Linear(CLASSES)),
            lambda x: x,
            "Conv2d(4, kernel=9, padding=0): expected images of (9, 9) pixels or more with their padding, got (8, 6); "
            "give a smaller kernel, or more padding",
        ),
        (
            lambda: net(input_shape=SHAPE),
            lambda x: x[:, :1],
            f"{net(input_shape=SHAPE)}: expected images of shape (3, 8, 6), as its layers take, got (1, 8, 6)",
        ),
        (
            lambda: net(input_shape=SHAPE),
            lambda x: x.reshape(50, 3, 6, 8),
            f"{net(input_shape=SHAPE)}: expected images of shape (3, 8, 6), as its layers take, got (3, 6, 8)",
        ),
        (
            lambda: net(input_shape=SHAPE),
            lambda x: x.reshape(100, -1)[:50],
            f"{net(input_shape=SHAPE)}: expected images of shape (3, 8, 6), or their 144 values, got (72,)",
        ),
        (
            net,
            lambda x: x.reshape(50, -1),
            f"{net()}: expected samples of shape (channels, rows, columns), got (144,); if they are the values of "
            "images, give the net their shape, such as Sequential(..., input_shape=(3, 32, 32))",
        ),
    ],
)
def test_what_does_not_fit_the_data_is_refused_in_one_line(given, x, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        fit(given(), x(samples()[0]))


def test_estimators_take_nets_of_images():
    estimators = pytest.importorskip("anynet.sklearn", exc_type=ImportError)
    images, labels = samples()
    rows = images.reshape(50, -1) / np.float32(255)
    settings = {"epochs": 1, "tol": 0, "batch_size": 20, "backend": "numpy"}
    model = estimators.NetClassifier(net=net(input_shape=SHAPE), **settings).fit(rows, labels)
    assert model.predict(rows).shape == (50,)
    message = r"^X: expected shape .*, got \(50, 3, 8, 6\); give images as rows, .* input_shape=\(3, 8, 6\)\)$"
    for method in (model.predict, lambda x: model.fit(x, labels)):
        with pytest.raises(ValueError, match=message):
            method(images)
    with pytest.raises(ValueError, match=r"expected samples of shape \(channels, rows, columns\), got \(144,\); if"):
        estimators.NetClassifier(net=net(), **settings).fit(rows, labels)
