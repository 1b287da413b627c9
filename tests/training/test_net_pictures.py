"""Pictures of a trained net, by the methods of its run."""

from dataclasses import replace

import numpy as np
import pytest
from on_backends import compiling, on_backends

import anynet as an
from anynet.backends import to_numpy
from anynet.data import Dataset, Split

RNG = np.random.default_rng(0)
CLASSES = ("cat", "dog", "a class of a long name")
SETTINGS = {"epochs": 1, "batch_size": 12, "compile": "off", "progress": False}


def images(shape, dtype=np.uint8):
    return Dataset(
        "drawn", CLASSES, Split(RNG.integers(0, 256, (24, *shape)).astype(dtype), np.arange(24) % len(CLASSES))
    )


def convolutional(shape):
    return an.Sequential(
        an.BatchNorm(), an.Conv2d(5, (3, 2)), an.ReLU(), an.MaxPool2d(2), an.Flatten(), an.Linear(3), input_shape=shape
    )


def fitted(net, data, **settings):
    return an.fit(net, data, an.SGD(0.01), **SETTINGS | settings)


@on_backends("shape", [(3, 6, 8), (1, 6, 8)], fast=compiling((3, 6, 8)))
def test_all_pictures_on_every_backend(backend_here, shape):
    data = images(shape)
    how = "auto" if backend_here.name == "jax" else "off"  # whichever takes less time
    run = fitted(convolutional(shape), data, backend=backend_here, compile=how)
    x, y = data.train.x[:5], data.train.y[:5]
    W = to_numpy(run.net.layout.split(run.best.params)["1.W"])
    (axes,) = run.plot_weights().axes
    place = [text.get_text() for text in axes.texts].index("4")  # sorted by norm
    top, left = place // 3 * 12, place % 3 * 7
    kernel = W[..., 4] / np.abs(W[..., 4]).max()
    kernel = 0.5 + 0.5 * kernel if shape[0] == 3 else kernel[..., 0]
    enlarged = kernel.repeat(3, axis=0).repeat(3, axis=1)
    shown = axes.images[0].get_array()[top : top + 9, left : left + 6]
    np.testing.assert_allclose(shown, enlarged, atol=1e-6)

    figure = run.plot_feature_maps(x, "5")
    assert figure.get_suptitle() == "drawn: outputs of layer 5, Linear(60, 3), after epoch 1"
    logits = np.stack([axes.images[0].get_array()[0, ::8] for axes in figure.axes[1:10:2]])
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(chances, to_numpy(run.predict_proba(x)), rtol=1e-4)
    assert np.asarray(run.plot_feature_maps(x, "3").axes[1].images[0].get_array()).shape == (6, 5 * 9 - 1)

    right = np.mean([run.predict(x)[i] == CLASSES[y[i]] for i in range(5) if y[i] == 1])
    title = run.plot_confused_images(x, y, "dog").get_suptitle()
    assert title == f"drawn: dog, {right:.0%} right: images that are confused most"


def test_layers_are_named_by_numbers_too_and_listed_in_the_order_of_the_net():
    net = an.Sequential(an.Flatten(), an.Residual(an.Linear(12), an.ReLU()), an.Linear(3), input_shape=(3, 2, 2))
    run, x = fitted(net, data := images((3, 2, 2))), data.train.x[:2]
    one, other = (run.plot_feature_maps(x, layer).axes[1].images[0].get_array() for layer in (2, "2"))
    np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match=r'layer: expected one of 0, 1, 1\.0, 1\.1, 2, got "3"'):
        run.plot_feature_maps(x, 3)


def test_the_ensemble_confuses_images_too():
    data = images((1, 4, 4))
    runs = an.fit(an.Sequential(an.Linear(16, 3)), data, an.SGD(0.01), seeds=[0, 1], **SETTINGS)
    chances = runs.ensemble.predict_proba(data.train.x)
    chances[np.arange(24), data.train.y] = 0
    texts = [text.get_text() for text in runs.ensemble.plot_confused_images(data.train.x, data.train.y).axes[0].texts]
    assert texts[1].split(":")[0] == f"{chances[data.train.y == 0].max():.0%}"


def test_weights_behind_a_flattened_image_have_channels_last():
    """A net of images has their channels last; its picture is that of the same weights of a net of features."""
    data = images((3, 2, 4))
    flat = fitted(an.Sequential(an.Linear(24, 3)), data)
    pixels = fitted(an.Sequential(an.Flatten(), an.Linear(3), input_shape=(3, 2, 4)), data)
    W = flat.net.layout.split(flat.best.params)["0.W"].reshape(3, 2, 4, 3).transpose(1, 2, 0, 3).reshape(24, 3)
    params = pixels.net.layout.join({"1.W": W, "1.b": np.zeros(3, W.dtype)}, pixels.best.params)
    pixels = replace(pixels, best=pixels.best._replace(params=params))
    one, other = (run.plot_weights().axes[0].images[0].get_array() for run in (flat, pixels))
    np.testing.assert_allclose(one, other)


@pytest.mark.parametrize(
    ("net", "shape"),
    [
        (an.Sequential(an.Linear(24, 3)), (24,)),
        (an.Sequential(an.Linear(24, 3)), (2, 3, 4)),
        (an.Sequential(an.AvgPool2d(2), an.Flatten(), an.Linear(3), input_shape=(3, 2, 4)), (3, 2, 4)),
        (an.Sequential(an.Flatten(), an.Scale(), input_shape=(3, 1, 1)), (3, 1, 1)),
    ],
)
def test_weights_that_are_no_pictures_are_refused(net, shape):
    run = fitted(net, images(shape))
    with pytest.raises(ValueError, match=r"^plot_weights: expected a net whose first weights are of a convolution"):
        run.plot_weights()


def test_what_cannot_be_drawn_is_refused():
    data, features = images((1, 4, 4)), images((16,))
    run, other = (fitted(an.Sequential(an.Linear(16, 3)), each) for each in (data, features))
    numbers = fitted(an.Sequential(an.Linear(16, 1)), Dataset("n", (), Split(data.train.x, np.zeros(24), (1, 4, 4))))
    x, y = data.train.x, data.train.y
    for draw, message in (
        (lambda: run.plot_feature_maps(x, "1"), 'layer: expected one of 0, got "1"'),
        (lambda: run.plot_feature_maps(x[:0], "0"), "x: expected one image or more, got none"),
        (
            lambda: other.plot_feature_maps(x, "0"),
            r"expected a net of samples of shape \(channels, rows, columns\), got",
        ),
        (lambda: other.plot_confused_images(x, y), r"plot_confused_images: expected a net of samples of shape"),
        (lambda: numbers.plot_confused_images(x, y), "expected a net of classes, got one that predicts numbers"),
        (lambda: run.plot_confused_images(x, y, "horse"), "label: expected one of 'cat', 'dog', .*, got 'horse'"),
        (lambda: run.plot_confused_images(x[:1], y[:1], "dog"), "label: expected that of an image, got 'dog'"),
        (lambda: run.plot_confused_images(x, y[:5]), r"y: expected 24 labels, .* got \(5,\)"),
        (lambda: run.plot_confused_images(x, y + 1), "y: expected class numbers, 0 to 2, got 1 to 3"),
        (lambda: run.plot_confused_images(x, ["cat"] * 23 + ["cow"]), "y: expected labels of classes, got 'cow'"),
    ):
        with pytest.raises(ValueError, match=message):
            draw()
