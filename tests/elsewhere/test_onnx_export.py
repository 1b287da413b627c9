"""ONNX files beside the nets that they are made of, as onnxruntime runs them."""

import json

import numpy as np
import pytest
from nets_elsewhere import KINDS, LAYERS, SMALL, USUAL, Gate, Halved, Noise, Wave, of_layer, samples, trained

import anynet as an
from anynet.nn import net_json, nets
from anynet.nn.container import Container

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
from anynet.onnx import export  # noqa: E402
from anynet.onnx.layer_nodes import NODES  # noqa: E402


def session(predictor, path):
    export(predictor, path)
    onnx.checker.check_model(str(path), full_check=True)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])


def answers(here, x):
    return dict(zip((each.name for each in here.get_outputs()), here.run(None, {"input": x}), strict=True))


def difference(predictor, path):
    """The largest difference of probabilities and, as a part of the largest, of logits, for one sample and seven."""
    here, largest = session(predictor, path), 0.0
    for n in (1, 7):
        x = samples(predictor, n)
        there, expected = answers(here, x), predictor.predict_proba(x)
        assert there["probabilities"].shape == expected.shape
        assert there["label"].tolist() == predictor.predict(x).tolist()
        largest = max(largest, float(np.abs(there["probabilities"] - expected).max()))
        if predictor.tta == "none":
            outputs = predictor.nets[0](x.reshape(n, -1).astype("float32"))
            largest = max(largest, float(np.abs(there["logits"] - outputs).max() / np.abs(outputs).max()))
    return largest


def kinds(path):
    return [node.op_type for node in onnx.load(path).graph.node]


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer(name, tmp_path):
    assert difference(of_layer(name), tmp_path / "net.onnx") < 3e-6


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_net(name, tmp_path):
    assert difference(trained(KINDS[name], USUAL), tmp_path / "net.onnx") < 1e-5


def test_every_layer_of_anynet_has_nodes():
    assert NODES.keys() == {kind for kind in net_json.LAYERS.values() if not issubclass(kind, Container)}


def test_layers_are_nodes_of_their_own(tmp_path):
    session(trained(nets.resnet9(USUAL, 10, width=1 / 16), USUAL), tmp_path / "net.onnx")
    block = ["Conv", "BatchNormalization", "Relu"]
    pooled = [*block, "MaxPool"]
    ahead, behind = ["Cast", "Mul", "Add"], ["Flatten", "Gemm", "Softmax", "ArgMax", "Gather"]
    residual = [*block, *block, "Add"]
    expected = [*ahead, *block, *pooled, *residual, *pooled, *pooled, *residual, "MaxPool", *behind]
    assert kinds(tmp_path / "net.onnx") == expected


def test_what_a_file_says(tmp_path):
    here = session(trained(nets.lenet(USUAL, 3), USUAL), tmp_path / "net.onnx")
    (given,) = here.get_inputs()
    assert (given.name, given.type, given.shape) == ("input", "tensor(uint8)", ["N", 3, 32, 32])
    metadata = here.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["classes"]) == ["class 0", "class 1", "class 2"]
    assert metadata["dataset"] == "noise"
    model = onnx.load(tmp_path / "net.onnx")
    assert [each.version for each in model.opset_import] == [21]
    assert model.producer_name == "anynet"


@pytest.mark.parametrize("tta", ["mirror", "shift"])
@pytest.mark.parametrize("rows", [False, True], ids=["images", "rows"])
def test_views_are_averaged_inside(tta, rows, tmp_path):
    net = an.Sequential(an.Linear(60, 3)) if rows else LAYERS["Conv2d"]
    plain, shifted = trained(net, SMALL), trained(net, SMALL, tta=tta)
    x = samples(plain, 7)
    assert np.abs(plain.predict_proba(x) - shifted.predict_proba(x)).max() > 1e-3
    assert difference(shifted, tmp_path / "net.onnx") < 3e-6


@pytest.mark.parametrize("classes", [(10, 20, 30), (), ("a", "b", "ü")])
def test_labels_of_every_kind(classes, tmp_path):
    predictor = trained(OF_THREE, (6,), input_dtype="float", classes=classes)
    x = samples(predictor, 5)
    there = answers(session(predictor, tmp_path / "net.onnx"), x)
    if classes:
        assert there["label"].tolist() == predictor.predict(x).tolist()
    else:
        assert [*there] == ["values"]
        np.testing.assert_allclose(there["values"], predictor.predict(x), atol=1e-5)


OF_THREE = an.Sequential(an.Linear(6, 3))


def test_probabilities_of_binary_cross_entropy(tmp_path):
    predictor = trained(OF_THREE, (6,), input_dtype="float", classes=(), logistic=True)
    x = samples(predictor, 5)
    there = answers(session(predictor, tmp_path / "net.onnx"), x)
    assert [*there] == ["logits", "probabilities"]
    np.testing.assert_allclose(there["probabilities"], predictor.predict_proba(x), atol=1e-6)


def test_images_that_were_trained_on_as_rows(tmp_path):
    assert difference(trained(LAYERS["Conv2d"], (60,)), tmp_path / "net.onnx") < 3e-6


def test_a_net_of_float64_is_float32(tmp_path):
    predictor = trained(OF_THREE, (6,), input_dtype="float", dtype="float64")
    x = samples(predictor, 5)
    there = answers(session(predictor, tmp_path / "net.onnx"), x.astype(np.float32))
    np.testing.assert_allclose(there["probabilities"], predictor.predict_proba(x), atol=1e-6)


def test_layers_of_users(tmp_path):
    pytest.importorskip("ndonnx")
    images = an.Sequential(an.Conv2d(4), Wave(4), Halved(), an.GlobalPool(), an.Linear(3), input_shape=SMALL)
    assert difference(trained(images, SMALL), tmp_path / "net.onnx") < 3e-6


@pytest.mark.slow
def test_layers_of_users_in_a_residual(tmp_path):
    pytest.importorskip("ndonnx")
    wave = an.Sequential(an.Linear(6, 4), Wave(4), an.Residual(Wave(4)), an.Linear(4, 3))
    assert difference(trained(wave, (6,), input_dtype="float"), tmp_path / "net.onnx") < 3e-6


@pytest.mark.parametrize(
    ("layer", "reason"),
    [(Gate(), "forward fails with ValueError: .*"), (Noise(), "forward gives something else each time")],
)
def test_a_layer_without_a_form_in_onnx_is_named_and_nothing_is_written(layer, reason, tmp_path):
    pytest.importorskip("ndonnx")
    predictor = trained(an.Sequential(an.Linear(6, 3), an.Residual(layer)), (6,), input_dtype="float")
    with pytest.raises(ValueError, match=rf"^layer 1\.0, \w+\(\): has no form in ONNX: {reason}; write forward in the"):
        export(predictor, tmp_path / "net.onnx")
    assert not any(tmp_path.iterdir())


def test_what_is_no_single_net_is_refused(tmp_path):
    runs = an.fit(
        OF_THREE, (np.eye(6), np.arange(6) % 3), an.SGD(0.1), seeds=range(2), epochs=1, batch_size=3, progress=False
    )
    for given, message in ((runs, "give one of runs"), (runs.ensemble, "expected a Run"), (None, "got None")):
        with pytest.raises(TypeError, match=message):
            export(given, tmp_path / "net.onnx")
    with pytest.raises(FileNotFoundError, match="make it"):
        export(runs[0], tmp_path / "none" / "net.onnx")
    export(runs[0], tmp_path / "net.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]
