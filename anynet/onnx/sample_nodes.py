"""ONNX's nodes ahead of a net and behind it: normalization, test-time augmentation, probabilities and labels."""

import numpy as np
import onnx
from numpy.typing import NDArray

from anynet.data.views import Views
from anynet.interop.state_arrays import NORMALIZATION, normalization_arrays
from anynet.onnx.onnx_graph import OnnxGraph
from anynet.training.predictor import Predictor

ROWS, COLUMNS = 2, 3
"""Axes of images (N, C, H, W)."""


def normalized(graph: OnnxGraph, predictor: Predictor, x: str) -> str:
    """Add the nodes that make the input of a net of samples; with test-time augmentation it has all views in a row.

    Parameters
    ----------
    graph : OnnxGraph
    predictor : Predictor
    x : str
        Name of the samples, (N, *shape).

    Returns
    -------
    str
        Name of rows (N, values), or of images if the net takes them.
    """
    net = predictor.nets[0].net
    shape = net.image_shape or predictor.shape
    if predictor.input_dtype == "uint8":
        x = graph.node("Cast", [x], "input.float", to=onnx.TensorProto.FLOAT)
    if shape != predictor.shape:
        x = graph.reshape(x, [-1, *shape], "input.images")
    if predictor.tta != "none":
        x = _views(graph, predictor.tta, x, shape[1:])
    scale, shift = (_by_channel(array.astype(np.float32)) for array in normalization_arrays(predictor).values())
    if not (scale == 1).all():
        x = graph.node("Mul", [x, graph.constant(NORMALIZATION[0], scale)], "input.scaled")
    if shift.any():
        x = graph.node("Add", [x, graph.constant(NORMALIZATION[1], shift)], "input.normalized")
    return graph.node("Flatten", [x], "input.rows") if net.image_shape is None and len(shape) > 1 else x


def _by_channel(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the numbers of an image's channels, if they are the same for all pixels."""
    first = array[:, :1, :1] if array.ndim == 3 else array
    return first if (array == first).all() else array


def _views(graph: OnnxGraph, kind: str, x: str, size: tuple[int, ...]) -> str:
    """Add the nodes that make the views of `anynet.data.views`, in its order, one after another."""

    def part(x: str, output: str, axes: list[int], starts: list[int], ends: list[int], steps: list[int]) -> str:
        numbers = {"starts": starts, "ends": ends, "axes": axes, "steps": steps}
        names = [graph.constant(f"{output}.{name}", np.asarray(n, np.int64)) for name, n in numbers.items()]
        return graph.node("Slice", [x, *names], output)

    grids, (height, width) = [x], size
    if kind == "shift":
        pads = graph.constant("view.pads", np.asarray([0, 0, 1, 1, 0, 0, 1, 1], np.int64))
        padded = graph.node("Pad", [x, pads], "view.padded", mode="reflect")
        for k in (0, 2):
            grids.append(part(padded, f"view.from{k}", [ROWS, COLUMNS], [k, k], [k + height, k + width], [1, 1]))
    views = list[str]()
    for i, grid in enumerate(grids):
        views += [grid, part(grid, f"view.mirrored{i}", [COLUMNS], [-1], [np.iinfo(np.int64).min], [-1])]
    return graph.node("Concat", views, "views", axis=0)


def averaged(graph: OnnxGraph, predictor: Predictor, y: str, n_out: int) -> str:
    """Add the nodes that average the outputs of the views of each sample; none without test-time augmentation."""
    if predictor.tta == "none":
        return y
    pixel = np.zeros((1, int(np.prod(predictor.shape))), np.float32)
    shares = [share for share, _ in Views(predictor.tta, predictor.shape).shares(pixel)]
    apart = graph.reshape(y, [len(shares), -1, n_out], "views.outputs")
    factors = graph.constant("views.shares", np.asarray(shares, np.float32).reshape(-1, 1, 1))
    weighted = graph.node("Mul", [apart, factors], "views.weighted")
    axes = graph.constant("views.axes", np.asarray([0], np.int64))
    return graph.node("ReduceSum", [weighted, axes], "views.mean", keepdims=0)


def answers(graph: OnnxGraph, predictor: Predictor, y: str, n_out: int) -> list[onnx.ValueInfoProto]:
    """Add the nodes that make outputs of the graph of those of a net, and return the graph's outputs.

    Parameters
    ----------
    graph : OnnxGraph
    predictor : Predictor
    y : str
        Name of the output of the last node.
    n_out : int
        Number of outputs of a sample.

    Returns
    -------
    list of ValueInfoProto
        "logits", "probabilities" and "label" of classes; "logits" and "probabilities" of numbers that the net was
        trained to give by binary cross-entropy; "values" of others.
    """
    first = "logits" if predictor.classes or predictor.logistic else "values"
    assert graph.nodes[-1].output[0] == y
    graph.nodes[-1].output[0] = first
    outputs = {first: (onnx.TensorProto.FLOAT, ["N", n_out])}
    if first == "logits":
        graph.node("Softmax" if predictor.classes else "Sigmoid", [first], "probabilities")
        outputs["probabilities"] = outputs[first]
    if predictor.classes:
        labels = np.asarray(predictor.classes)
        labels = labels.astype(object) if labels.dtype.kind == "U" else labels  # ONNX's texts are NumPy's objects
        names = graph.constant("classes", labels)
        number = graph.node("ArgMax", ["probabilities"], "number", axis=1, keepdims=0)
        graph.node("Gather", [names, number], "label")
        outputs["label"] = (onnx.helper.np_dtype_to_tensor_dtype(labels.dtype), ["N"])
    return [onnx.helper.make_tensor_value_info(name, *each) for name, each in outputs.items()]
