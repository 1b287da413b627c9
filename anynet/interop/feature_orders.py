"""Orders of features behind images that become rows.

`FlattenImages` puts the channels of a pixel next to each other, (rows, columns, channels); PyTorch and ONNX have images
with their channels first, and flatten them to (channels, rows, columns). The layers behind it, up to the next `Linear`,
have their parameters in the same order.
"""

from collections.abc import Iterator
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from anynet.nn import (
    ELU,
    GELU,
    BatchNorm,
    Dropout,
    Hardswish,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    ReLU,
    Scale,
    Sequential,
    Sigmoid,
    SiLU,
    Softplus,
    Softsign,
    Tanh,
)
from anynet.nn.container import Container
from anynet.nn.flatten_images import FlattenImages

Order = NDArray[np.intp]
"""Feature k elsewhere is feature ``order[k]`` here."""

ANY_ORDER = (
    ELU,
    GELU,
    Hardswish,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Softsign,
    Tanh,
    Dropout,
    BatchNorm,
    LayerNorm,
    Scale,
)
"""Layers that treat all features alike, but for parameters that each feature has."""


class FeatureOrders(NamedTuple):
    """Orders of features in a net that flattens images with their channels first.

    Attributes
    ----------
    inputs : dict of ndarray
        Orders of the features that layers take, by their dotted names; that of layers which are left out is the same.
    channels_last : frozenset of str
        Names of the layers `FlattenImages` that keep their own order, because what follows depends on it.
    """

    inputs: dict[str, Order]
    channels_last: frozenset[str]


def feature_orders(net: Container) -> FeatureOrders:
    """Return the orders of features in a net.

    Parameters
    ----------
    net : Container

    Returns
    -------
    FeatureOrders

    Examples
    --------
    >>> import anynet as an
    >>> net = an.Sequential(an.Conv2d(2), an.Flatten(), an.ReLU(), an.Linear(5), input_shape=(3, 1, 3))
    >>> feature_orders(net).inputs["3"]
    array([0, 2, 4, 1, 3, 5])
    """
    inputs, channels_last = dict[str, Order](), set[str]()
    for chain in _chains(net, ""):
        for i, (name, layer) in enumerate(chain):
            if type(layer) is not FlattenImages:
                continue
            order, behind = _channels_first(layer), list[str]()
            for later, each in chain[i + 1 :]:
                behind.append(later)
                if type(each) not in ANY_ORDER:
                    break
            else:
                each = layer
            if np.array_equal(order, np.arange(len(order))):
                continue
            if type(each) is Linear:
                inputs |= dict.fromkeys(behind, order)
            else:
                channels_last.add(name)
    return FeatureOrders(inputs, frozenset(channels_last))


def _channels_first(layer: FlattenImages) -> Order:
    pixels = prod(layer.size_in())
    return np.arange(pixels * layer.n_in).reshape(pixels, layer.n_in).T.reshape(-1)


def _chains(container: Container, ahead: str) -> Iterator[list[tuple[str, Layer]]]:
    """Yield the layers that run one after another with their names, those of a `Sequential` among them in its place."""
    for chain in container._chains():
        layers = list(_spliced(chain, ahead))
        yield layers
        for name, layer in layers:
            if isinstance(layer, Container):
                yield from _chains(layer, f"{name}.")


def _spliced(chain: dict[int, Layer], ahead: str) -> Iterator[tuple[str, Layer]]:
    for i, layer in chain.items():
        if type(layer) is Sequential:
            yield from _spliced(layer._chains()[0], f"{ahead}{i}.")
        else:
            yield f"{ahead}{i}", layer
