"""Keras' layers for each layer. Images have their channels last in both, so arrays have the same layouts."""

from collections.abc import Callable
from typing import Any

from keras import layers, ops

from anynet.nn import (
    ELU,
    GELU,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    GlobalPool,
    GroupNorm,
    Hardswish,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    MaxPool2d,
    PatchWhitening,
    ReLU,
    Scale,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from anynet.nn.flatten_images import FlattenImages

Made = Callable[[Any, Any, str], Any]
"""Function of a layer, its input and a name, which returns the output: symbolic tensors of Keras."""

LAST = {"data_format": "channels_last"}

WEIGHTS: dict[type[Layer], tuple[str, ...]] = {
    BatchNorm: ("gamma", "beta", "mean", "var"),
    Conv2d: ("W", "b"),
    GroupNorm: ("gamma", "beta"),
    LayerNorm: ("gamma", "beta"),
    Linear: ("W", "b"),
    PatchWhitening: ("kernel", "b"),
    Scale: ("s",),
}
"""Names of a layer's arrays in the order of ``get_weights`` of its counterpart."""


def _activation(name: str) -> Made:
    return lambda layer, x, place: layers.Activation(name, name=place)(x)


def _conv2d(layer: Conv2d, x: Any, place: str) -> Any:
    window, settings = layer.window, {"groups": layer.groups, "use_bias": layer.bias, "name": place}
    return layers.Conv2D(layer.n_out, window.kernel, window.stride, **settings, **LAST)(_padded(layer, x, place))


def _patch_whitening(layer: PatchWhitening, x: Any, place: str) -> Any:
    made = layers.Conv2D(layer.features()[1], layer.window.kernel, name=place, **LAST)
    y = made(x)
    made.kernel.trainable = False  # which training does not change here either
    return y


def _padded(layer: Conv2d | AvgPool2d, x: Any, place: str) -> Any:
    top, bottom, left, right = layer.window.padding
    if not any(layer.window.padding):
        return x
    return layers.ZeroPadding2D(((top, bottom), (left, right)), name=f"{place}_padding", **LAST)(x)


def _max_pool(layer: MaxPool2d, x: Any, place: str) -> Any:
    if layer.padding != "same" and any(layer.window.padding):
        raise ValueError('expected padding "same" or "valid", as Keras has them, got numbers of pixels')
    padding = "same" if layer.padding == "same" else "valid"
    return layers.MaxPooling2D(layer.window.kernel, layer.window.stride, padding, name=place, **LAST)(x)


def _avg_pool(layer: AvgPool2d, x: Any, place: str) -> Any:
    pool = layers.AveragePooling2D(layer.window.kernel, layer.window.stride, name=place, **LAST)
    return pool(_padded(layer, x, place))


def _batch_norm(layer: BatchNorm, x: Any, place: str) -> Any:
    return layers.BatchNormalization(momentum=1 - layer.momentum, epsilon=layer.eps, name=place)(x)


def _group_norm(layer: GroupNorm, x: Any, place: str) -> Any:
    if len(x.shape) > 2:
        raise ValueError("expected features, since Keras has the statistics of a whole image, got images")
    return layers.GroupNormalization(layer.groups, epsilon=layer.eps, name=place)(x)


def _scale(layer: Scale, x: Any, place: str) -> Any:
    axes = "abcd"[: len(x.shape)]
    return layers.EinsumDense(f"{axes},{axes[-1]}->{axes}", x.shape[1:], name=place)(x)


LAYERS_OF: dict[type[Layer], Made] = {
    AvgPool2d: _avg_pool,
    BatchNorm: _batch_norm,
    Conv2d: _conv2d,
    Dropout: lambda layer, x, place: layers.Dropout(layer.p, name=place)(x),
    ELU: lambda layer, x, place: layers.ELU(layer.alpha, name=place)(x),
    Flatten: lambda layer, x, place: x,  # samples come as rows
    FlattenImages: lambda layer, x, place: layers.Reshape((-1,), name=place)(x),
    GELU: lambda layer, x, place: ops.gelu(x, approximate=layer.approximate == "tanh"),
    GlobalPool: lambda layer, x, place: layers.GlobalAveragePooling2D(name=place, **LAST)(x),
    GroupNorm: _group_norm,
    Hardswish: _activation("hard_silu"),
    LayerNorm: lambda layer, x, place: layers.LayerNormalization(epsilon=layer.eps, name=place)(x),
    LeakyReLU: lambda layer, x, place: layers.LeakyReLU(layer.slope, name=place)(x),
    Linear: lambda layer, x, place: layers.Dense(layer.n_out, name=place)(x),
    MaxPool2d: _max_pool,
    PatchWhitening: _patch_whitening,
    ReLU: _activation("relu"),
    Scale: _scale,
    SiLU: _activation("silu"),
    Sigmoid: _activation("sigmoid"),
    Softplus: _activation("softplus"),
    Tanh: _activation("tanh"),
}
"""Functions that call the counterpart of a layer."""
