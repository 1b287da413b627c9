"""Modules of the PyTorch peers, and their parameters in the order of axes of `benchmarks.data`."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.image_nets import SHAPE, Activation, Conv, Dense, Norm, Part, Pool, Skip


class Residual(nn.Sequential):  # type: ignore[misc]
    """Modules that run one after another, added to their input."""

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = super().forward(x)
        return x + y


class Images(nn.Module):  # type: ignore[misc]
    """Images of values with the colors of a pixel side by side."""

    def forward(self, x: Tensor) -> Tensor:
        channels, rows, columns = SHAPE
        return x.view(-1, rows, columns, channels).permute(0, 3, 1, 2)


class Values(nn.Module):  # type: ignore[misc]
    """All values of an image, those of a pixel side by side."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


def image_net(layers: tuple[Part, ...]) -> nn.Sequential:
    """Return a net of images whose numbers of channels follow from those of the parameters; see `load`."""
    net = nn.Sequential(Images(), *map(_module, layers))
    with torch.no_grad():
        net(torch.zeros(2, SHAPE[0] * SHAPE[1] * SHAPE[2]))  # PyTorch finds the sizes
    return net.to(memory_format=torch.channels_last)


def _module(layer: Part) -> nn.Module:
    match layer:
        case Conv(channels, kernel, padding, bias):
            return nn.LazyConv2d(channels, kernel, padding=kernel // 2 if padding == "same" else 0, bias=bias)
        case Norm():
            return nn.LazyBatchNorm2d()
        case Activation("gelu"):
            return nn.GELU("tanh")
        case Activation():
            return nn.ReLU()
        case Pool(size):
            return nn.MaxPool2d(size)
        case Skip(inner):
            return Residual(*map(_module, inner))
        case Dense(n_out):
            return nn.Sequential(Values(), nn.LazyLinear(n_out))


def from_torch(parameter: Tensor) -> NDArray[Any]:
    """Return a parameter in NumPy's order: inputs ahead of outputs, those of a convolution after its kernel's axes."""
    array = parameter.detach().cpu().numpy()
    return np.ascontiguousarray(array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T)


def to_torch(array: NDArray[Any]) -> Tensor:
    """Return a parameter in PyTorch's order."""
    return torch.from_numpy(array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T)
