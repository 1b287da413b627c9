"""Test-time augmentation against airbench's own in PyTorch, and in trainings."""

import numpy as np
import pytest
from numerical import assert_close

import anynet as an
from anynet.data import Views

SHAPE = (3, 6, 5)


def by_airbench(torch, inputs, net, level):
    """Outputs by the functions of airbench94_muon.py, for images of any size."""

    def infer_mirror(inputs, net):
        return 0.5 * net(inputs) + 0.5 * net(inputs.flip(-1))

    def infer_mirror_translate(inputs, net):
        logits = infer_mirror(inputs, net)
        padded = torch.nn.functional.pad(inputs, (1,) * 4, "reflect")
        rows, columns = inputs.shape[-2:]
        moved = [padded[:, :, 0:rows, 0:columns], padded[:, :, 2 : rows + 2, 2 : columns + 2]]
        translated = torch.stack([infer_mirror(each, net) for each in moved]).mean(0)
        return 0.5 * logits + 0.5 * translated

    return {"none": lambda x, net: net(x), "mirror": infer_mirror, "shift": infer_mirror_translate}[level](inputs, net)


@pytest.mark.parametrize("kind", ["none", "mirror", "shift"])
@pytest.mark.parametrize("last", [False, True], ids=["planar", "channels last"])
def test_airbenchs_views(xp, rng, kind, last):
    torch = pytest.importorskip("torch")
    images, weights = rng.standard_normal((4, *SHAPE)), rng.standard_normal((90, 7))
    theirs = torch.tensor(images), torch.tensor(weights)
    expected = by_airbench(torch, theirs[0], lambda x: torch.abs(x.reshape(4, 90) @ theirs[1]), kind).numpy()
    if last:
        images = np.moveaxis(images, 1, -1)
        weights = np.moveaxis(weights.reshape(*SHAPE, 7), 0, 2).reshape(90, 7)
    views = Views(kind, SHAPE, channels_last=last)
    actual = xp.call(lambda x, w: views.mean(lambda x: abs(x @ w), x), images.reshape(4, 90), weights)
    assert_close(actual, expected, xp.rtol)


@pytest.fixture(scope="module")
def data():
    part = an.data.Split(np.random.default_rng(0).integers(0, 256, (40, *SHAPE), np.uint8), np.arange(40) % 10)
    return an.data.Dataset("drawn", tuple("0123456789"), part, part, part)


NETS = {
    "features": an.Sequential(an.Linear(20), an.ReLU(), an.Linear(10), input_shape=SHAPE),
    "images": an.Sequential(an.Conv2d(4), an.ReLU(), an.Flatten(), an.Linear(10), input_shape=SHAPE),
}


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("seeds", [None, range(2)], ids=["one", "members"])
def test_tests_and_predictions_are_of_views(data, name, seeds, tmp_path):
    """The rest of the training does not change; a kept net predicts in the same way."""
    net, settings, views = NETS[name], {"epochs": 1, "batch_size": 20, "seeds": seeds}, Views("shift", SHAPE)
    made, plain = (an.fit(net, data, an.SGD(0.1), tta=tta, **settings) for tta in ("shift", "none"))
    for run, other in [(made, plain)] if seeds is None else zip(made, plain, strict=True):
        np.testing.assert_array_equal(run.params, other.params)
        assert run.history[-1].val_loss == other.history[-1].val_loss
        x = data.test.x

        def logits(x, run=run):
            return net(run.params, run.last.state, run.normalization(x))

        outputs = views.mean(logits, x)
        loss, _ = an.losses.softmax_cross_entropy(outputs, data.test.y)
        assert run.test.loss == pytest.approx(float(loss), rel=1e-5)
        assert run.test.loss != pytest.approx(other.test.loss, rel=1e-4)
        np.testing.assert_array_equal(run.predict(x), np.asarray(data.classes)[outputs.argmax(axis=1)])
        run.save(tmp_path / "net.safetensors")
        kept = an.load(tmp_path / "net.safetensors", backend="numpy")
        assert kept.tta == "shift"
        np.testing.assert_array_equal(kept.predict_proba(x), run.predict_proba(x))


def test_samples_that_have_no_views_are_refused():
    x = np.zeros((9, 4))
    with pytest.raises(ValueError, match=r"^flip, crop, cutout, reverse and tta need samples of shape"):
        an.fit(an.Sequential(an.Linear(1)), (x, x[:, :1]), an.SGD(), tta="mirror", batch_size=3)
    part = an.data.Split(np.zeros((6, 3, 1, 9), np.uint8), np.arange(6) % 2)
    data = an.data.Dataset("rows", ("a", "b"), part)
    with pytest.raises(ValueError, match=r"^tta: expected images of 2 x 2 pixels or more with shift, got \(3, 1, 9\)$"):
        an.fit(an.Sequential(an.Linear(2)), data, an.SGD(), tta="shift", batch_size=3)
    with pytest.raises(ValueError, match=r'^tta: there is no "miror"; did you mean "mirror"\?$'):
        an.fit(an.Sequential(an.Linear(2)), data, an.SGD(), tta="miror", batch_size=3)
