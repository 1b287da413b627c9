"""ONNX's nodes for each layer, on features (N, n) and on images (N, C, H, W)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from anynet import nn
from anynet.nn.flatten_images import FlattenImages
from anynet.onnx.onnx_graph import OnnxGraph

TO_CHANNELS_LAST, TO_CHANNELS_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)


class Given(NamedTuple):
    """Arguments of a layer's node.

    Attributes
    ----------
    name : str
        Dotted name of the layer.
    x : str
        Name of its input.
    width : int
        Number of features or channels of the input.
    image : (int, int) or None
        Rows and columns of images.
    """

    name: str
    x: str
    width: int
    image: tuple[int, int] | None


Nodes = Callable[[OnnxGraph, Any, Given], str]
"""Function that adds the nodes of a layer, and returns the name of its output."""


def _elementwise(kind: str, *settings: str, **attributes: Any) -> Nodes:
    """Return the function for a layer that is one node, with attributes that are settings of the layer."""

    def add(graph: OnnxGraph, layer: nn.Layer, given: Given) -> str:
        own = {name: getattr(layer, setting) for name, setting in (text.split("=") for text in settings)}
        return graph.node(kind, [given.x], given.name, **own, **attributes)

    return add


def _silu(graph: OnnxGraph, layer: nn.SiLU, given: Given) -> str:
    gate = graph.node("Sigmoid", [given.x], f"{given.name}.gate")
    return graph.node("Mul", [given.x, gate], given.name)


def _linear(graph: OnnxGraph, layer: nn.Linear, given: Given) -> str:
    return graph.node("Gemm", [given.x, *_arrays(given, "weight", "bias")], given.name, transB=1)


def _convolution(graph: OnnxGraph, layer: nn.Conv2d | nn.PatchWhitening, given: Given) -> str:
    bias = ("bias",) if "b" in layer.parameters() else ()
    groups = layer.groups if isinstance(layer, nn.Conv2d) else 1
    inputs = [given.x, *_arrays(given, "weight", *bias)]
    return graph.node("Conv", inputs, given.name, group=groups, **_window(layer))


def _window(layer: Any) -> dict[str, Any]:
    (top, bottom, left, right), window = layer.window.padding, layer.window
    return {"kernel_shape": window.kernel, "strides": window.stride, "pads": (top, left, bottom, right)}


def _max_pool(graph: OnnxGraph, layer: nn.MaxPool2d, given: Given) -> str:
    return graph.node("MaxPool", [given.x], given.name, **_window(layer))


def _avg_pool(graph: OnnxGraph, layer: nn.AvgPool2d, given: Given) -> str:
    return graph.node("AveragePool", [given.x], given.name, count_include_pad=1, **_window(layer))


def _global_pool(graph: OnnxGraph, layer: nn.GlobalPool, given: Given) -> str:
    mean = graph.node("GlobalAveragePool", [given.x], f"{given.name}.mean")
    return graph.node("Flatten", [mean], given.name)


def _batch_norm(graph: OnnxGraph, layer: nn.BatchNorm, given: Given) -> str:
    inputs = [given.x, *_arrays(given, "weight", "bias", "running_mean", "running_var")]
    return graph.node("BatchNormalization", inputs, given.name, epsilon=layer.eps)


def _layer_norm(graph: OnnxGraph, layer: nn.LayerNorm, given: Given) -> str:
    def add(x: str, output: str) -> str:
        return graph.node("LayerNormalization", [x, *_arrays(given, "weight", "bias")], output, epsilon=layer.eps)

    return _channels_last(graph, given, add)


def _group_norm(graph: OnnxGraph, layer: nn.GroupNorm, given: Given) -> str:
    def add(x: str, output: str) -> str:
        n, ahead, name = layer.n // layer.groups, [-1, *(given.image or ())], given.name
        grouped = graph.reshape(x, [*ahead, layer.groups, n], f"{name}.grouped")
        ones = graph.constant(f"{name}.ones", np.ones(n, np.float32))
        normal = graph.node("LayerNormalization", [grouped, ones], f"{name}.normalized", epsilon=layer.eps)
        flat = graph.reshape(normal, [*ahead, layer.n], f"{name}.flat")
        weight, bias = _arrays(given, "weight", "bias")
        return graph.node("Add", [graph.node("Mul", [flat, weight], f"{name}.scaled"), bias], output)

    return _channels_last(graph, given, add)


def _channels_last(graph: OnnxGraph, given: Given, add: Callable[[str, str], str]) -> str:
    """Add nodes for which features are on the last axis."""
    if given.image is None:
        return add(given.x, given.name)
    x = graph.node("Transpose", [given.x], f"{given.name}.x", perm=TO_CHANNELS_LAST)
    return graph.node("Transpose", [add(x, f"{given.name}.y")], given.name, perm=TO_CHANNELS_FIRST)


def _scale(graph: OnnxGraph, layer: nn.Scale, given: Given) -> str:
    (weight,) = _arrays(given, "weight")
    if given.image is not None:
        graph.constants[weight] = graph.constants[weight].reshape(-1, 1, 1)
    return graph.node("Mul", [given.x, weight], given.name)


def flatten_images(graph: OnnxGraph, given: Given, *, channels_last: bool) -> str:
    """Add the nodes that make rows of images."""
    x = graph.node("Transpose", [given.x], f"{given.name}.x", perm=TO_CHANNELS_LAST) if channels_last else given.x
    return graph.node("Flatten", [x], given.name)


def _nothing(graph: OnnxGraph, layer: nn.Layer, given: Given) -> str:
    return given.x


def _arrays(given: Given, *names: str) -> list[str]:
    """Return the names of arrays of a layer, which are those of PyTorch."""
    return [f"{given.name}.{name}" for name in names]


NODES: dict[type[nn.Layer], Nodes] = {
    nn.AvgPool2d: _avg_pool,
    nn.BatchNorm: _batch_norm,
    nn.Conv2d: _convolution,
    nn.Dropout: _nothing,
    nn.ELU: _elementwise("Elu", "alpha=alpha"),
    nn.Flatten: _nothing,  # samples come as rows
    FlattenImages: lambda graph, layer, given: flatten_images(graph, given, channels_last=False),
    nn.GELU: _elementwise("Gelu", "approximate=approximate"),
    nn.GlobalPool: _global_pool,
    nn.GroupNorm: _group_norm,
    nn.Hardswish: _elementwise("HardSwish"),
    nn.LayerNorm: _layer_norm,
    nn.LeakyReLU: _elementwise("LeakyRelu", "alpha=slope"),
    nn.Linear: _linear,
    nn.MaxPool2d: _max_pool,
    nn.PatchWhitening: _convolution,
    nn.ReLU: _elementwise("Relu"),
    nn.Scale: _scale,
    nn.SiLU: _silu,
    nn.Sigmoid: _elementwise("Sigmoid"),
    nn.Softplus: _elementwise("Softplus"),
    nn.Softsign: _elementwise("Softsign"),
    nn.Tanh: _elementwise("Tanh"),
}
"""Functions that add the nodes of a layer. Arrays are in the graph by PyTorch's names, in PyTorch's layout."""
