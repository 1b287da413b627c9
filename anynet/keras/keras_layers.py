"""Keras' layers for each layer. Images have their channels last in both, so arrays have the same layouts."""

from collections.abc import Callable
from typing import Any

from keras import layers, ops

from anynet import nn
from anynet.nn.flatten_images import FlattenImages

Made = Callable[[Any, Any, str], Any]
"""Function of a layer, its input and a name, which returns the output: symbolic tensors of Keras."""

LAST = {"data_format": "channels_last"}

WEIGHTS: dict[type[nn.Layer], tuple[str, ...]] = {
    nn.BatchNorm: ("gamma", "beta", "mean", "var"),
    nn.Conv2d: ("W", "b"),
    nn.GroupNorm: ("gamma", "beta"),
    nn.LayerNorm: ("gamma", "beta"),
    nn.Linear: ("W", "b"),
    nn.PatchWhitening: ("kernel", "b"),
    nn.Scale: ("s",),
}
"""Names of a layer's arrays in the order of ``get_weights`` of its counterpart."""


def _activation(name: str) -> Made:
    return lambda layer, x, place: layers.Activation(name, name=place)(x)


def _conv2d(layer: nn.Conv2d, x: Any, place: str) -> Any:
    window, settings = layer.window, {"groups": layer.groups, "use_bias": layer.bias, "name": place}
    return layers.Conv2D(layer.n_out, window.kernel, window.stride, **settings, **LAST)(_padded(layer, x, place))


def _patch_whitening(layer: nn.PatchWhitening, x: Any, place: str) -> Any:
    made = layers.Conv2D(layer.features()[1], layer.window.kernel, name=place, **LAST)
    y = made(x)
    made.kernel.trainable = False  # which training does not change here either
    return y


def _padded(layer: nn.Conv2d | nn.AvgPool2d, x: Any, place: str) -> Any:
    top, bottom, left, right = layer.window.padding
    if not any(layer.window.padding):
        return x
    return layers.ZeroPadding2D(((top, bottom), (left, right)), name=f"{place}_padding", **LAST)(x)


def _max_pool(layer: nn.MaxPool2d, x: Any, place: str) -> Any:
    if layer.padding != "same" and any(layer.window.padding):
        raise ValueError('expected padding "same" or "valid", as Keras has them, got numbers of pixels')
    padding = "same" if layer.padding == "same" else "valid"
    return layers.MaxPooling2D(layer.window.kernel, layer.window.stride, padding, name=place, **LAST)(x)


def _avg_pool(layer: nn.AvgPool2d, x: Any, place: str) -> Any:
    pool = layers.AveragePooling2D(layer.window.kernel, layer.window.stride, name=place, **LAST)
    return pool(_padded(layer, x, place))


def _batch_norm(layer: nn.BatchNorm, x: Any, place: str) -> Any:
    return layers.BatchNormalization(momentum=1 - layer.momentum, epsilon=layer.eps, name=place)(x)


def _group_norm(layer: nn.GroupNorm, x: Any, place: str) -> Any:
    if len(x.shape) > 2:
        raise ValueError("expected features, since Keras has the statistics of a whole image, got images")
    return layers.GroupNormalization(layer.groups, epsilon=layer.eps, name=place)(x)


def _scale(layer: nn.Scale, x: Any, place: str) -> Any:
    axes = "abcd"[: len(x.shape)]
    return layers.EinsumDense(f"{axes},{axes[-1]}->{axes}", x.shape[1:], name=place)(x)


LAYERS_OF: dict[type[nn.Layer], Made] = {
    nn.AvgPool2d: _avg_pool,
    nn.BatchNorm: _batch_norm,
    nn.Conv2d: _conv2d,
    nn.Dropout: lambda layer, x, place: layers.Dropout(layer.p, name=place)(x),
    nn.ELU: lambda layer, x, place: layers.ELU(layer.alpha, name=place)(x),
    nn.Flatten: lambda layer, x, place: x,  # samples come as rows
    FlattenImages: lambda layer, x, place: layers.Reshape((-1,), name=place)(x),
    nn.GELU: lambda layer, x, place: ops.gelu(x, approximate=layer.approximate == "tanh"),
    nn.GlobalPool: lambda layer, x, place: layers.GlobalAveragePooling2D(name=place, **LAST)(x),
    nn.GroupNorm: _group_norm,
    nn.Hardswish: _activation("hard_silu"),
    nn.LayerNorm: lambda layer, x, place: layers.LayerNormalization(epsilon=layer.eps, name=place)(x),
    nn.LeakyReLU: lambda layer, x, place: layers.LeakyReLU(layer.slope, name=place)(x),
    nn.Linear: lambda layer, x, place: layers.Dense(layer.n_out, name=place)(x),
    nn.MaxPool2d: _max_pool,
    nn.PatchWhitening: _patch_whitening,
    nn.ReLU: _activation("relu"),
    nn.Scale: _scale,
    nn.SiLU: _activation("silu"),
    nn.Sigmoid: _activation("sigmoid"),
    nn.Softplus: _activation("softplus"),
    nn.Softsign: _activation("softsign"),
    nn.Tanh: _activation("tanh"),
}
"""Functions that call the counterpart of a layer."""
