"""Convolutional nets, as lists of layers that every peer builds with its own library."""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np

SHAPE = 3, 32, 32
"""Channels, rows and columns of an image."""


class Conv(NamedTuple):
    """Convolution with stride 1."""

    channels: int
    kernel: int = 3
    padding: Literal["same", "valid"] = "same"
    bias: bool = False


class Norm(NamedTuple):
    """Batch normalization of each channel."""


class Activation(NamedTuple):
    """Activation function; "gelu" is the form with tanh."""

    name: Literal["relu", "gelu"] = "relu"


class Pool(NamedTuple):
    """Largest values of windows that do not overlap."""

    size: int = 2


class Skip(NamedTuple):
    """Layers that are added to their input."""

    layers: tuple["Part", ...]


class Dense(NamedTuple):
    """Linear layer on all values of an image, those of a pixel side by side."""

    n_out: int = 10


Part = Conv | Norm | Activation | Pool | Skip | Dense


class Sized(NamedTuple):
    """A layer with the shape of its input and of its output.

    Attributes
    ----------
    layer : Part
    channels, channels_out : int
    side, side_out : int
        Rows and columns of the images.
    """

    layer: Part
    channels: int
    channels_out: int
    side: int
    side_out: int

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the parameters by name, in the order in which peers have them."""
        weights: tuple[int, ...]
        match self.layer:
            case Conv(_, kernel, _, bias):
                weights = kernel, kernel, self.channels, self.channels_out
            case Dense():
                bias, weights = True, (self.channels * self.side**2, self.channels_out)
            case Norm():
                return {"gamma": (self.channels,), "beta": (self.channels,)}
            case _:
                return {}
        return {"W": weights} | ({"b": (self.channels_out,)} if bias else {})


def sized(layers: tuple[Part, ...], channels: int = SHAPE[0], side: int = SHAPE[1]) -> Iterator[Sized]:
    """Yield all layers, those of connections among them, in order."""
    for layer in layers:
        channels_out, side_out = channels, side
        match layer:
            case Skip(inner):
                yield from sized(inner, channels, side)
                continue
            case Conv(channels_out, kernel, "valid"):
                side_out = side - kernel + 1
            case Conv(channels_out):
                pass
            case Pool(size):
                side_out = side // size
            case Dense(channels_out):
                side_out = 1
        yield Sized(layer, channels, channels_out, side, side_out)
        channels, side = channels_out, side_out


def small() -> tuple[Part, ...]:
    """Return two convolutions of 32 and 64 channels."""
    one = Conv(32), Norm(), Activation(), Pool()
    return *one, Conv(64), *one[1:], Dense()


def airbench94() -> tuple[Part, ...]:
    """Return the net of airbench94 with weights of the first layer and scales of normalization that are trained.

    Source: https://github.com/KellerJordan/cifar10-airbench, airbench94_muon.py.
    """
    gelu = Activation("gelu")
    blocks = ((Conv(channels), Pool(), Norm(), gelu, Conv(channels), Norm(), gelu) for channels in (64, 256, 256))
    first = Conv(24, 2, "valid", bias=True)
    return first, gelu, *(layer for block in blocks for layer in block), Pool(3), Dense()


def resnet9() -> tuple[Part, ...]:
    """Return ResNet-9, of nine layers with weights.

    Source: https://myrtle.ai/learn/how-to-train-your-resnet-4-architecture/
    """

    def block(channels: int) -> tuple[Part, ...]:
        return Conv(channels), Norm(), Activation()

    return (
        *(*block(64), *block(128), Pool(), Skip((*block(128), *block(128)))),
        *(*block(256), Pool()),
        *(*block(512), Pool(), Skip((*block(512), *block(512)))),
        *(Pool(4), Dense()),
    )


def channels_last(values: Any) -> Any:
    """Return images or settings of their values, with planes of colors on the last axis, with colors side by side."""
    images = np.reshape(values, (*values.shape[:-1], *SHAPE))
    return np.ascontiguousarray(np.moveaxis(images, -3, -1)).reshape(values.shape)
