"""PyTorch's module for each layer."""

from collections.abc import Callable
from typing import Any

from torch import nn

from anynet.core.window import Window
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
from anynet.torch import small_modules as small

Image = tuple[int, int] | None
"""Rows and columns of the images that a layer takes; None of features."""


def _conv2d(layer: Conv2d, image: Image) -> nn.Module:
    window, settings = layer.window, {"groups": layer.groups, "bias": layer.bias}
    sizes = layer.n_in, layer.n_out, window.kernel, window.stride
    if _same_on_both_sides(window):
        return nn.Conv2d(*sizes, window.padding[::2], **settings)
    return small.PaddedConv2d(*sizes, sides=window.padding, **settings)


def _patch_whitening(layer: PatchWhitening, image: Image) -> nn.Module:
    module = nn.Conv2d(layer.n_in, layer.features()[1], layer.window.kernel)
    module.weight.requires_grad_(False)  # which training does not change here either
    return module


def _pool(plain: type, padded: type, fill: float) -> Callable[[Any, Image], nn.Module]:
    def make(layer: MaxPool2d | AvgPool2d, image: Image) -> nn.Module:
        window = layer.window
        few = all(2 * n <= size for n, size in zip(window.padding[::2], window.kernel, strict=True))
        if _same_on_both_sides(window) and few:  # PyTorch refuses more
            return plain(window.kernel, window.stride, window.padding[::2])
        return padded(window.kernel, window.stride, sides=window.padding, fill=fill)

    return make


def _same_on_both_sides(window: Window) -> bool:
    return window.padding[::2] == window.padding[1::2]


def _batch_norm(layer: BatchNorm, image: Image) -> nn.Module:
    return (nn.BatchNorm2d if image else nn.BatchNorm1d)(layer.n, layer.eps, layer.momentum)


def _layer_norm(layer: LayerNorm, image: Image) -> nn.Module:
    return (small.LayerNorm2d if image else nn.LayerNorm)(layer.n, layer.eps)


def _group_norm(layer: GroupNorm, image: Image) -> nn.Module:
    return (small.GroupNormByPixel if image else nn.GroupNorm)(layer.groups, layer.n, layer.eps)


MODULES: dict[type[Layer], Callable[[Any, Image], nn.Module]] = {
    AvgPool2d: _pool(nn.AvgPool2d, small.PaddedAvgPool2d, 0.0),
    BatchNorm: _batch_norm,
    Conv2d: _conv2d,
    Dropout: lambda layer, image: nn.Dropout(layer.p),
    ELU: lambda layer, image: nn.ELU(layer.alpha),
    Flatten: lambda layer, image: nn.Flatten(),
    FlattenImages: lambda layer, image: nn.Flatten(),
    GELU: lambda layer, image: nn.GELU(layer.approximate),
    GlobalPool: lambda layer, image: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    GroupNorm: _group_norm,
    Hardswish: lambda layer, image: nn.Hardswish(),
    LayerNorm: _layer_norm,
    LeakyReLU: lambda layer, image: nn.LeakyReLU(layer.slope),
    Linear: lambda layer, image: nn.Linear(layer.n_in, layer.n_out),
    MaxPool2d: _pool(nn.MaxPool2d, small.PaddedMaxPool2d, float("-inf")),
    PatchWhitening: _patch_whitening,
    ReLU: lambda layer, image: nn.ReLU(),
    Scale: lambda layer, image: small.Scale(layer.n),
    SiLU: lambda layer, image: nn.SiLU(),
    Sigmoid: lambda layer, image: nn.Sigmoid(),
    Softplus: lambda layer, image: nn.Softplus(),
    Tanh: lambda layer, image: nn.Tanh(),
}
"""Functions of a layer and the size of its images that return its module, without its parameters."""
