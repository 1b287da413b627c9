"""Images given to a trained net: of the dtype, scale and shape that it was trained on, or refused."""

from pathlib import Path

import numpy as np
import pytest

import anynet as an
from anynet.data import Dataset, split
from anynet.data.synthetic import draw


@pytest.fixture(scope="module")
def data() -> Dataset:
    return split("drawn", draw(0, per_batch=20), train=80, val=20)


@pytest.fixture
def run(data, backend_here):
    net = an.Sequential(an.Linear(3072, 8), an.BatchNorm(8), an.ReLU(), an.Linear(8, 10))
    how = "auto" if backend_here.name == "jax" else "off"  # whichever takes less time
    settings = {"epochs": 1, "batch_size": 40, "compile": how, "normalize": "center:channel"}
    return an.fit(net, data, an.SGD(0.01), backend=backend_here, seeds=[0, 1], **settings)


REFUSED = [
    (lambda x: x.astype("float32") / 255, TypeError, "got float32; normalization is the net's own, so undo it: .*255"),
    (lambda x: x.astype("float64"), TypeError, "got float64; normalization is the net's own"),
    (lambda x: x.astype("int64"), TypeError, r"got int64; images\.astype\(numpy\.uint8\) if their values are"),
    (lambda x: x > 128, TypeError, r"got bool"),
    (lambda x: x.tolist(), TypeError, r"got a list; numpy\.asarray makes one"),
    (np.ma.array, TypeError, r"got a MaskedArray; numpy\.asarray makes one"),
    (lambda x: "a.png", TypeError, r"got 'a\.png'; python -m anynet predict NET FILES classifies files of pictures"),
    (lambda x: Path("a.png"), TypeError, r"got .*Path\('a\.png'\); python -m anynet predict"),
    (lambda x: x[0], ValueError, r"got shape \(3072,\); images\[None\] is a batch of one image"),
    (lambda x: x.reshape(-1, 3, 32, 32)[0], ValueError, r"got shape \(3, 32, 32\); images\[None\] is a batch of one"),
    (lambda x: x.reshape(-1, 32, 32, 3), ValueError, r"got shape \(20, 32, 32, 3\)$"),
    (lambda x: x[:, :784], ValueError, r"got shape \(20, 784\)"),
]


def test_other_images_are_refused_in_one_line(run, data):
    expected = r"images: expected an ndarray of uint8, shape \(N, 3072\) or \(N, 3, 32, 32\), values 0 to 255, "
    for change, kind, message in REFUSED:
        for predict in (run[0].predict, run.ensemble.predict):
            with pytest.raises(kind, match=f"^{expected}{message}") as error:
                predict(change(data.val.x))
            assert "\n" not in str(error.value)


def test_the_images_of_the_data_set_are_taken_and_none_too(run, data):
    for predict in (run[0].predict, run.ensemble.predict):
        chances = predict(data.val.x)
        np.testing.assert_allclose(chances.sum(axis=1), np.ones(20), rtol=1e-5)
        np.testing.assert_allclose(predict(data.val.x[:1]), chances[:1], rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(predict(data.val.x.reshape(-1, 3, 32, 32)), chances)
        none = predict(data.val.x[:0])
        assert none.shape == (0, 10)
        assert none.dtype == chances.dtype
