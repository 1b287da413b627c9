"""Trained nets as modules of PyTorch."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from anynet.interop import single_net
from anynet.interop.feature_orders import FeatureOrders, feature_orders
from anynet.nn import Layer, Residual, Sequential
from anynet.nn.container import Container
from anynet.nn.layer_text import short
from anynet.nn.shortcut import Shortcut
from anynet.torch.counterparts import MODULES, Image
from anynet.torch.small_modules import FlattenChannelsLast, Normalize, OwnLayer
from anynet.torch.small_modules import Residual as ResidualModule
from anynet.torch.state_dict import to_state_dict


def to_module(run: Any) -> nn.Sequential:
    """Return a trained net as a module made of PyTorch's own, with the best parameters, in evaluation mode.

    It takes samples as the net was trained on, normalizes them, and gives the net's outputs: logits, or numbers. Layers
    are where they are in the net, so that ``module[1:]`` is the net without normalization, and parameters have
    PyTorch's names; see `to_state_dict`. What PyTorch has no module for is in ``anynet.torch.small_modules``. Test-time
    augmentation is left out.

    Parameters
    ----------
    run : Run
        The net, as `anynet.fit` and `anynet.load` return it.

    Returns
    -------
    torch.nn.Sequential
        On the CPU, of the net's dtype. Its parameters are copies.

    Raises
    ------
    TypeError, ValueError
        If `run` is not one net, or a layer is a container of others than anynet.

    Examples
    --------
    >>> import anynet as an, anynet.torch, numpy as np
    >>> data = np.ones((4, 3), np.float32), np.asarray([0, 1, 0, 1])
    >>> settings = {"epochs": 1, "batch_size": 2, "progress": False}
    >>> run = an.fit(an.Sequential(an.Linear(2)), data, an.SGD(0.1), **settings)
    >>> anynet.torch.to_module(run)
    Sequential(
      (input): Normalize((3,))
      (0): Linear(in_features=3, out_features=2, bias=True)
    )
    """
    predictor = single_net(run)
    net = predictor.nets[0].net
    image = None if net.image_shape is None else net.image_shape[1:]
    with torch.device("meta"):  # without numbers, which are not drawn for nothing
        first = Normalize(net.image_shape or predictor.shape, flat=image is None)
        layers = _modules(net, dict(enumerate(net.layers)), "", image, feature_orders(net))
        module = nn.Sequential(OrderedDict([("input", first), *layers]))
    module.load_state_dict(to_state_dict(run), assign=True)
    return module.eval()


def _modules(
    container: Container, chain: dict[int, Layer], ahead: str, image: Image, orders: FeatureOrders
) -> Iterator[tuple[str, nn.Module]]:
    """Yield the modules of layers that run one after another, with their places."""
    for i, layer in chain.items():
        yield f"{i}", _module(layer, f"{ahead}{i}", image, orders)
        image = layer.image_out(image)


def _module(layer: Layer, name: str, image: Image, orders: FeatureOrders) -> nn.Module:
    if isinstance(layer, Container):
        if type(layer) not in (Sequential, Shortcut, Residual):
            raise ValueError(f"layer {name}, {short(layer)}: expected Sequential or Residual, got another container")
        chains = layer._chains()
        modules = [module for chain in chains for _, module in _modules(layer, chain, f"{name}.", image, orders)]
        if type(layer) is Residual:
            return ResidualModule(*modules, shortcut=len(chains) > 1)
        return nn.Sequential(*modules)
    if name in orders.channels_last:
        return FlattenChannelsLast()
    if (make := MODULES.get(type(layer))) is not None:
        return make(layer, image)
    return OwnLayer(layer, image, layer.image_out(image))
