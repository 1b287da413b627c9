"""Models of Keras beside the nets that they are made of."""

import numpy as np
import pytest
from nets_elsewhere import KINDS, LAYERS, SMALL, USUAL, Wave, of_layer, samples, trained

import anynet as an
from anynet.backends import to_numpy

pytestmark = [
    pytest.mark.slow,  # to import Keras takes seconds
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras' own
]

REFUSED = {"GroupNorm of pixels": "expected features", "far padding": 'expected padding "same" or "valid"'}


@pytest.fixture(autouse=True, scope="module")
def keras():
    pytest.importorskip("jax")
    return pytest.importorskip("keras")


def difference(predictor, model):
    (one,) = predictor.nets
    x = samples(predictor, 5)
    expected = one(x.reshape(5, -1).astype(predictor.dtype))
    return float(np.abs(to_numpy(model(x)) - expected).max() / max(1, np.abs(expected).max()))


def assert_there_and_back(predictor):
    (one,), model = predictor.nets, an.keras.to_model(predictor)
    assert difference(predictor, model) < 1e-5
    params, state = an.keras.from_model(one.net, model)
    parts, expected = (one.net.layout.split(each) for each in (params, one.params))
    for name, array in (expected | one.state).items():
        assert (parts | state)[name].tobytes() == array.tobytes()


@pytest.mark.parametrize("name", [name for name in LAYERS if name not in REFUSED])
def test_every_layer_there_and_back(name):
    assert_there_and_back(of_layer(name))


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_net_there_and_back(name):
    assert_there_and_back(trained(KINDS[name], USUAL))


def test_a_file_needs_no_anynet(keras, tmp_path):
    layers = an.Conv2d(4), an.GELU(), an.Scale(), an.Flatten(), an.Linear(3)
    predictor = trained(an.Sequential(*layers, input_shape=SMALL), SMALL)
    an.keras.to_model(predictor).save(tmp_path / "net.keras")
    assert difference(predictor, keras.models.load_model(tmp_path / "net.keras")) < 1e-5


def test_what_keras_has_not_is_named():
    for name, message in REFUSED.items():
        with pytest.raises(ValueError, match=f"layer 1, .*{message}.*; export to ONNX or PyTorch"):
            an.keras.to_model(of_layer(name))
    with pytest.raises(ValueError, match=r"layer 1, Wave\(4\): Keras has no counterpart of it; export to ONNX"):
        an.keras.to_model(trained(an.Sequential(an.Linear(6, 4), Wave(4)), (6,)))


def test_weights_of_another_net_are_named():
    model = an.keras.to_model(trained(an.Sequential(an.Linear(6, 3)), (6,)))
    for net, message in (
        (
            an.Sequential(an.Linear(6, 4)),
            r'layer "layer_0": expected weights of shapes \[\(6, 4\), \(4,\)\], got \[\(6, 3',
        ),
        (an.Sequential(an.Linear(6, 3), an.Scale(3)), 'model: expected a layer "layer_1"'),
    ):
        with pytest.raises(ValueError, match=message):
            an.keras.from_model(net, model)
