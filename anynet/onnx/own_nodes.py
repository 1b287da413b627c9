"""ONNX's nodes for layers of users, whose formulas ndonnx turns into nodes."""

import importlib
from types import ModuleType
from typing import Any

import onnx

from anynet.core.extras import install_command
from anynet.core.formatting import first_line
from anynet.nn import Layer
from anynet.nn.layer_text import short
from anynet.onnx.layer_nodes import TO_CHANNELS_FIRST, TO_CHANNELS_LAST, Given
from anynet.onnx.onnx_graph import OnnxGraph

ADVICE = (
    "write forward in the array API, without numbers that are read from arrays or the number of samples, or export "
    "with anynet.torch.to_module"
)


def own_nodes(graph: OnnxGraph, layer: Layer, given: Given) -> str:
    """Add the nodes of a layer that is not anynet's: those that its ``forward`` gives for an array of ndonnx.

    Parameters
    ----------
    graph : OnnxGraph
        With the parameters and the state of the layer, by their own names; they become constants of the new nodes.
    layer : Layer
    given : Given

    Returns
    -------
    str
        Name of its output.

    Raises
    ------
    ValueError
        If ``forward`` does what has no form in ONNX; the message names the layer.
    ModuleNotFoundError
        If ndonnx is not installed.
    """
    own = [*layer.parameters(), *layer.state()]
    arrays = {name: graph.constants.pop(f"{given.name}.{name}") for name in own}
    try:
        first, second = (_recorded(_ndonnx(), layer, arrays, given.width) for _ in range(2))
    except ModuleNotFoundError:
        raise
    except Exception as error:  # of the user's code, whatever it raises
        raise _refusal(layer, given, f"forward fails with {type(error).__name__}: {first_line(error)}") from error
    if first.graph != second.graph:
        raise _refusal(layer, given, "forward gives something else each time")
    x = given.x
    if given.image is not None:
        last = graph.node("Transpose", [x], f"{given.name}.x", perm=TO_CHANNELS_LAST)
        x = graph.reshape(last, [-1, given.width], f"{given.name}.pixels")
    y = _inlined(graph, first, x, f"{given.name}/")
    image, n_out = layer.image_out(given.image), layer.features()[1] or given.width
    if image is None:
        return graph.node("Identity", [y], given.name)
    last = graph.reshape(y, [-1, *image, n_out], f"{given.name}.y")
    return graph.node("Transpose", [last], given.name, perm=TO_CHANNELS_FIRST)


def _recorded(ndx: ModuleType, layer: Layer, arrays: dict[str, Any], width: int) -> onnx.ModelProto:
    """Return the layer as a model of its own, from "x" to "y"."""
    x = ndx.argument(shape=("samples", width), dtype=ndx.float32)
    params, state = ({name: ndx.asarray(arrays[name]) for name in own} for own in (layer.parameters(), layer.state()))
    more = {"rng": None} if layer.uses_rng else {}
    y, _, _ = layer.forward(params, state, x, train=False, **more)
    if not isinstance(y, ndx.Array) or y.dtype != ndx.float32:
        raise TypeError(f"expected an array of float32 made of x, got {getattr(y, 'dtype', type(y).__name__)}")
    expected = layer.features()[1] or width
    if y.ndim != 2 or y.shape[1] not in (None, expected):
        raise ValueError(f"expected an output of shape (N, {expected}), got {y.shape}")
    model: onnx.ModelProto = ndx.build({"x": x}, {"y": y})
    return model


def _inlined(graph: OnnxGraph, model: onnx.ModelProto, x: str, prefix: str) -> str:
    """Add the nodes of a model to the graph, and return the name of its output."""
    model = onnx.compose.add_prefix(model, prefix)
    graph.node("Identity", [x], f"{prefix}x")
    graph.nodes += model.graph.node
    graph.constants |= {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
    graph.domains |= {each.domain: each.version for each in model.opset_import if each.domain}
    return f"{prefix}y"


def _refusal(layer: Layer, given: Given, reason: str) -> ValueError:
    return ValueError(f"layer {given.name}, {short(layer)}: has no form in ONNX: {reason}; {ADVICE}")


def _ndonnx() -> ModuleType:
    try:
        return importlib.import_module("ndonnx")
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"layers that are not anynet's need ndonnx; install it with: {install_command('onnx')}", name="ndonnx"
        ) from None
