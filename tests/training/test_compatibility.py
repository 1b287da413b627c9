"""What does not go together is refused before anything is trained: net, data, optimizer and settings."""

from dataclasses import replace

import numpy as np
import pytest

import anynet as an
from anynet.data import Dataset, Split

NET = an.Sequential(an.Linear(3072, 10))
NARROW = Split(np.zeros((2, 100), np.uint8), np.zeros(2, int))


@pytest.fixture(scope="module")
def data() -> Dataset:
    images = np.random.default_rng(0).integers(0, 256, (30, 3, 32, 32), dtype=np.uint8)
    split = Split(images, np.arange(30) % 10)
    return Dataset("drawn", tuple("0123456789"), split, split, split)


def fit(data, net=NET, **settings):
    return an.fit(net, data, an.SGD(), **{"batch_size": 10} | settings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"net": an.Linear(3072, 10)}, "net: expected a Sequential, got a Linear"),
        ({"net": NARROW}, "net: expected a Sequential, got a Split"),
        ({"data": "cifar10"}, r"data: expected a Dataset, \(x, y\) or \(x, y, x_val, y_val\), got 'cifar10'"),
        ({"data": an.SGD()}, r"data: expected a Dataset, \(x, y\) or \(x, y, x_val, y_val\), got a SGD"),
        ({"optimizer": an.SGD}, r"optimizer: expected an optimizer, such as SGD\(0.01\), got the class SGD"),
    ],
)
def test_what_is_of_another_kind_is_named(data, arguments, message):
    with pytest.raises(TypeError, match=rf"^{message}$"):
        an.fit(**{"net": NET, "data": data, "optimizer": an.SGD()} | arguments)


@pytest.mark.parametrize("which", ["val", "test"])
def test_images_of_another_width_are_refused(data, which):
    with pytest.raises(ValueError, match=rf"the {which} set of drawn has samples of shape \(100,\), not \(3, 32, 32\)"):
        fit(replace(data, **{which: NARROW}))


@pytest.mark.parametrize("change", [{"flip": True}, {"crop": 1}, {"reverse": True}])
def test_images_of_another_shape_are_not_varied(change):
    net, data = an.Sequential(an.Linear(100, 1)), Dataset("narrow", ("one",), NARROW, NARROW, NARROW)
    with pytest.raises(ValueError, match=r"flip, crop, .* need samples of shape .*narrow have shape \(100,\); Split\("):
        fit(data, net, batch_size=2, **change)


def test_images_of_any_size_are_varied():
    rng = np.random.default_rng(0)
    images = Split(rng.integers(0, 256, (20, 1, 5, 9), np.uint8), np.arange(20) % 2)
    data = Dataset("small", ("a", "b"), images, images, images)
    net = an.Sequential(an.Linear(45, 2))
    run = fit(data, net, batch_size=5, epochs=1, flip=True, crop=4)
    assert (len(run.history), run.shape) == (1, (1, 5, 9))
    with pytest.raises(ValueError, match="crop: expected 0 to 4 pixels, got 5"):
        fit(data, net, batch_size=5, crop=5)


@pytest.mark.parametrize("which", ["train", "val", "test"])
def test_an_empty_set_is_refused(data, which):
    empty = Split(data.train.x[:0], data.train.y[:0])
    with pytest.raises(ValueError, match=f"the {which} set of drawn is empty"):
        fit(replace(data, **{which: empty}))


@pytest.mark.parametrize("label", [-1, 10])
def test_a_label_without_a_class_is_refused(data, label):
    labels = data.val.y.copy()
    labels[3] = label
    with pytest.raises(ValueError, match="the val set of drawn: expected labels 0 to 9"):
        fit(replace(data, val=Split(data.val.x, labels)))


def test_a_net_that_does_not_fit_the_data_is_refused(data):
    with pytest.raises(ValueError, match="takes 100 features, but the samples of drawn have 3072"):
        fit(data, an.Sequential(an.Linear(100, 10)))
    with pytest.raises(ValueError, match="gives 9 outputs, but drawn has 10 classes"):
        fit(data, an.Sequential(an.Linear(3072, 9)))


@pytest.mark.parametrize(
    ("classes", "message"),
    [(10, "gives 3,072 outputs, but drawn has 10 classes"), (3072, "has no parameters, so there is nothing to train")],
)
def test_a_net_without_parameters_is_refused(data, classes, message):
    with pytest.raises(ValueError, match=rf"^Sequential\(ReLU\(\)\) {message}"):
        fit(replace(data, classes=tuple(map(str, range(classes)))), an.Sequential(an.ReLU()))
