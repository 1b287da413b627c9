"""Writing a trained net as an ONNX file."""

import json
import sys
from pathlib import Path
from typing import Any

import onnx

from anynet.core.atomic import write_whole
from anynet.core.errors import file_to_write
from anynet.interop import single_net
from anynet.onnx.net_nodes import net_nodes
from anynet.onnx.onnx_graph import OnnxGraph
from anynet.onnx.sample_nodes import answers, averaged, normalized
from anynet.training.predictor import Predictor

OPSET = 21
"""Version of ONNX's operators in the files; onnxruntime has it since 1.18."""

LARGEST = (1 << 31) - (1 << 20)
"""Number of bytes of constants that a file may have."""


def export(run: Any, path: str | Path) -> None:
    """Write a trained net as an ONNX file, with everything that its predictions need.

    The input, "input", are samples as the net was trained on, any number of them: shape (N, *shape), uint8 or float32.
    Normalization and test-time augmentation are inside. Outputs for classes are "logits", "probabilities", as of
    ``run.predict_proba``, and "label"; for numbers "values", or "logits" and "probabilities" after training with binary
    cross-entropy. Names of the classes are also in the metadata, as JSON. Numbers are float32, those of a net of
    float64 too.

    The layers of anynet are nodes of their own, such as Conv, on images (N, C, H, W). A layer of a user becomes the
    nodes that its formulas give for arrays of ndonnx.

    Parameters
    ----------
    run : Run
        Its best parameters are exported.
    path : str or Path
        File to write or replace, whole or not at all.

    Raises
    ------
    TypeError, ValueError
        If `run` is not one net, a layer has no form in ONNX, or the net is too large; nothing is written.
    ModuleNotFoundError
        If onnx, or for layers of users ndonnx, is not installed.
    OSError
        If the file cannot be written.

    References
    ----------
    https://onnx.ai/onnx/operators

    Examples
    --------
    >>> import anynet as an, anynet.onnx, numpy as np, onnxruntime, tempfile
    >>> data = np.ones((4, 3), np.float32), np.asarray(["no", "yes", "no", "yes"])
    >>> settings = {"epochs": 1, "batch_size": 2, "progress": False}
    >>> run = an.fit(an.Sequential(an.Linear(2)), data, an.SGD(0.1), **settings)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     anynet.onnx.export(run, f"{folder}/net.onnx")
    ...     session = onnxruntime.InferenceSession(f"{folder}/net.onnx")
    >>> session.run(["label"], {"input": np.zeros((2, 3), np.float32)})[0].shape
    (2,)
    """
    file = file_to_write(path, "net.onnx")
    model = to_model(single_net(run))
    content = model.SerializeToString()
    write_whole(file, lambda partial: partial.write_bytes(content))


def to_model(predictor: Predictor) -> onnx.ModelProto:
    """Return a trained net as a checked model; see `export`."""
    (trained,), graph = predictor.nets, OnnxGraph()
    shape = trained.net.image_shape or predictor.shape
    n_out = trained.net.n_out or shape[0]
    x = normalized(graph, predictor, "input")
    y = averaged(graph, predictor, net_nodes(graph, trained, x, shape[0]), n_out)
    outputs = answers(graph, predictor, y, n_out)
    size = sum(array.nbytes for array in graph.constants.values())
    if size > LARGEST:
        raise ValueError(f"run: expected a net of at most 2 GB, as ONNX files can hold, got one of {size / 1e9:.1f} GB")
    kind = onnx.TensorProto.UINT8 if predictor.input_dtype == "uint8" else onnx.TensorProto.FLOAT
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes,
            predictor.dataset,
            [onnx.helper.make_tensor_value_info("input", kind, ["N", *predictor.shape])],
            outputs,
            [onnx.numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
        ),
        opset_imports=(imports := [onnx.helper.make_opsetid(*each) for each in {"": OPSET, **graph.domains}.items()]),
        ir_version=onnx.helper.find_min_ir_version_for(imports),  # the newest is unknown to others for a while
        producer_name="anynet",
        producer_version=sys.modules["anynet"].__version__,
        doc_string=f"{trained.net}",
    )
    metadata = {"classes": json.dumps(predictor.classes), "dataset": predictor.dataset, "tta": predictor.tta}
    onnx.helper.set_model_props(model, metadata)
    onnx.checker.check_model(model, full_check=True)
    return model
