"""Modules for what PyTorch has no module of its own for. All but `OwnLayer` need no anynet."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from anynet.nn import Layer


class Normalize(nn.Module):  # type: ignore[misc]  # PyTorch is not followed by mypy
    """Normalization of samples, ``x * scale + shift``, with both as buffers.

    It takes samples as the net was trained on, (N, values) or (N, *shape), of any dtype, and gives images (N, C, H, W)
    or, with `flat`, rows (N, values).
    """

    def __init__(self, shape: tuple[int, ...], *, flat: bool) -> None:
        super().__init__()
        self.shape, self.flat = shape, flat
        self.register_buffer("scale", torch.empty(shape))
        self.register_buffer("shift", torch.empty(shape))

    def forward(self, x: Tensor) -> Tensor:
        """Return normalized samples."""
        y = x.to(self.scale.dtype).reshape(-1, *self.shape) * self.scale + self.shift
        return y.flatten(1) if self.flat else y

    def extra_repr(self) -> str:
        """Return the shape of a sample."""
        return f"{self.shape}"


class Residual(nn.Sequential):  # type: ignore[misc]
    """Modules that run one after another, added to their input or, with a shortcut, to what the last of them gives."""

    def __init__(self, *modules: nn.Module, shortcut: bool) -> None:
        super().__init__(*modules)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x + layers(x)``, or ``shortcut(x) + layers(x)``."""
        *layers, last = self
        y = x
        for module in layers if self.shortcut else self:
            y = module(y)
        return (last(x) if self.shortcut else x) + y


class Scale(nn.Module):  # type: ignore[misc]
    """Learned factor for each feature or channel, on axis 1."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``weight * x``."""
        return self.weight.reshape(-1, *[1] * (x.ndim - 2)) * x


class _ByPixel(nn.Module):  # type: ignore[misc]
    """Mixin: each pixel of images (N, C, H, W) is a sample for the module that comes after it."""

    def forward(self, x: Tensor) -> Tensor:
        pixels = x.permute(0, 2, 3, 1)
        return super().forward(pixels.flatten(0, 2)).reshape(pixels.shape).permute(0, 3, 1, 2)


class LayerNorm2d(_ByPixel, nn.LayerNorm):  # type: ignore[misc]
    """Layer normalization of the channels of each pixel, as in ConvNeXt."""


class GroupNormByPixel(_ByPixel, nn.GroupNorm):  # type: ignore[misc]
    """Group normalization with the statistics of each pixel by itself; PyTorch's are those of a whole image."""


class FlattenChannelsLast(nn.Module):  # type: ignore[misc]
    """Images (N, C, H, W) as rows (N, H * W * C), where a layer behind it depends on that order."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the rows."""
        return x.permute(0, 2, 3, 1).flatten(1)


class _Padded(nn.Module):  # type: ignore[misc]
    """Mixin: padding with numbers of pixels that the module which comes after it does not take."""

    def __init__(self, *args: Any, sides: tuple[int, int, int, int], fill: float = 0.0, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.sides, self.fill = sides, fill

    def forward(self, x: Tensor) -> Tensor:
        top, bottom, left, right = self.sides
        return super().forward(functional.pad(x, (left, right, top, bottom), value=self.fill))


class PaddedConv2d(_Padded, nn.Conv2d):  # type: ignore[misc]
    """Convolution with another padding at each side."""


class PaddedMaxPool2d(_Padded, nn.MaxPool2d):  # type: ignore[misc]
    """Max-pooling with another padding at each side, which never is the largest value."""


class PaddedAvgPool2d(_Padded, nn.AvgPool2d):  # type: ignore[misc]
    """Average pooling with another padding at each side, which counts as 0."""


class OwnLayer(nn.Module):  # type: ignore[misc]
    """Layer of a user, computed by its own formulas, on tensors; parameters and state have its own names.

    Images are given to it as pixels. In training PyTorch differentiates the formulas, and state is updated.
    """

    def __init__(self, layer: Layer, image_in: tuple[int, int] | None, image_out: tuple[int, int] | None) -> None:
        super().__init__()
        self.layer, self.image_in, self.image_out = layer, image_in, image_out
        for name, parameter in layer.parameters().items():
            self.register_parameter(name, nn.Parameter(torch.empty(parameter.shape)))
        for name, array in layer.state().items():
            self.register_buffer(name, torch.empty(array.shape))

    def forward(self, x: Tensor) -> Tensor:
        """Return the output of the layer."""
        if self.image_in is not None:
            x = x.permute(0, 2, 3, 1).flatten(0, 2)
        more: dict[str, Any] = {}
        if self.layer.uses_rng:
            key = torch.randint(-(2**31), 2**31, (2,), dtype=torch.int32, device=x.device) if self.training else None
            more = {"rng": key}
        params, state = dict(self.named_parameters()), dict(self.named_buffers())
        results: Any = self.layer.forward(params, state, x, train=self.training, **more)
        y, _, new = results
        if self.training:
            for name, buffer in state.items():
                buffer.copy_(new[name].detach())
        if self.image_out is None:
            return y
        return y.reshape(-1, *self.image_out, y.shape[-1]).permute(0, 3, 1, 2)

    def extra_repr(self) -> str:
        """Return the layer as text."""
        return f"{self.layer}"
