"""PyTorch's module for each layer."""

from collections.abc import Callable
from typing import Any

from torch import nn

from anynet import nn as layers
from anynet.core.window import Window
from anynet.nn.flatten_images import FlattenImages
from anynet.torch import small_modules as small

Image = tuple[int, int] | None
"""Rows and columns of the images that a layer takes; None of features."""


def _conv2d(layer: layers.Conv2d, image: Image) -> nn.Module:
    window, settings = layer.window, {"groups": layer.groups, "bias": layer.bias}
    sizes = layer.n_in, layer.n_out, window.kernel, window.stride
    if _same_on_both_sides(window):
        return nn.Conv2d(*sizes, window.padding[::2], **settings)
    return small.PaddedConv2d(*sizes, sides=window.padding, **settings)


def _patch_whitening(layer: layers.PatchWhitening, image: Image) -> nn.Module:
    module = nn.Conv2d(layer.n_in, layer.features()[1], layer.window.kernel)
    module.weight.requires_grad_(False)  # which training does not change here either
    return module


def _pool(plain: type, padded: type, fill: float) -> Callable[[Any, Image], nn.Module]:
    def make(layer: layers.MaxPool2d | layers.AvgPool2d, image: Image) -> nn.Module:
        window = layer.window
        few = all(2 * n <= size for n, size in zip(window.padding[::2], window.kernel, strict=True))
        if _same_on_both_sides(window) and few:  # PyTorch refuses more
            return plain(window.kernel, window.stride, window.padding[::2])
        return padded(window.kernel, window.stride, sides=window.padding, fill=fill)

    return make


def _same_on_both_sides(window: Window) -> bool:
    return window.padding[::2] == window.padding[1::2]


def _batch_norm(layer: layers.BatchNorm, image: Image) -> nn.Module:
    return (nn.BatchNorm2d if image else nn.BatchNorm1d)(layer.n, layer.eps, layer.momentum)


def _layer_norm(layer: layers.LayerNorm, image: Image) -> nn.Module:
    return (small.LayerNorm2d if image else nn.LayerNorm)(layer.n, layer.eps)


def _group_norm(layer: layers.GroupNorm, image: Image) -> nn.Module:
    return (small.GroupNormByPixel if image else nn.GroupNorm)(layer.groups, layer.n, layer.eps)


MODULES: dict[type[layers.Layer], Callable[[Any, Image], nn.Module]] = {
    layers.AvgPool2d: _pool(nn.AvgPool2d, small.PaddedAvgPool2d, 0.0),
    layers.BatchNorm: _batch_norm,
    layers.Conv2d: _conv2d,
    layers.Dropout: lambda layer, image: nn.Dropout(layer.p),
    layers.ELU: lambda layer, image: nn.ELU(layer.alpha),
    layers.Flatten: lambda layer, image: nn.Flatten(),
    FlattenImages: lambda layer, image: nn.Flatten(),
    layers.GELU: lambda layer, image: nn.GELU(layer.approximate),
    layers.GlobalPool: lambda layer, image: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    layers.GroupNorm: _group_norm,
    layers.Hardswish: lambda layer, image: nn.Hardswish(),
    layers.LayerNorm: _layer_norm,
    layers.LeakyReLU: lambda layer, image: nn.LeakyReLU(layer.slope),
    layers.Linear: lambda layer, image: nn.Linear(layer.n_in, layer.n_out),
    layers.MaxPool2d: _pool(nn.MaxPool2d, small.PaddedMaxPool2d, float("-inf")),
    layers.PatchWhitening: _patch_whitening,
    layers.ReLU: lambda layer, image: nn.ReLU(),
    layers.Scale: lambda layer, image: small.Scale(layer.n),
    layers.SiLU: lambda layer, image: nn.SiLU(),
    layers.Sigmoid: lambda layer, image: nn.Sigmoid(),
    layers.Softplus: lambda layer, image: nn.Softplus(),
    layers.Softsign: lambda layer, image: nn.Softsign(),
    layers.Tanh: lambda layer, image: nn.Tanh(),
}
"""Functions of a layer and the size of its images that return its module, without its parameters."""
