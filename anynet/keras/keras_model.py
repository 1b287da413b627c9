"""Trained nets as models of Keras."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from anynet.backends import to_numpy
from anynet.interop import single_net
from anynet.interop.state_arrays import Arrays, normalization_arrays
from anynet.keras.keras_layers import LAYERS_OF, WEIGHTS
from anynet.nn import Layer, Residual, Sequential
from anynet.nn.container import Container
from anynet.nn.layer_text import short
from anynet.nn.shortcut import Shortcut


def to_model(run: Any) -> keras.Model:
    """Return a trained net as a functional model of Keras' own layers, with the best parameters.

    It takes samples as the net was trained on, (N, *shape), normalizes them, and gives the net's outputs: logits, or
    numbers. Layers are named after their places, "layer_0" and "layer_3_1". Test-time augmentation is left out. In
    training Keras' running variances are biased, those here and in PyTorch are not.

    Parameters
    ----------
    run : Run
        The net, as `anynet.fit` and `anynet.load` return it.

    Returns
    -------
    keras.Model
        In float32, on Keras' backend. ``model.save("net.keras")`` writes a file that needs no anynet.

    Raises
    ------
    TypeError, ValueError
        If `run` is not one net, or Keras has no counterpart of a layer, which the message names: layers of users,
        `GroupNorm` of images, and `MaxPool2d` with numbers of pixels as its padding.
    """
    predictor = single_net(run)
    (trained,), shape = predictor.nets, predictor.shape
    net = trained.net
    given = keras.Input(shape, dtype="uint8" if predictor.input_dtype == "uint8" else "float32", name="input")
    own = net.image_shape or shape
    x = given if own == shape else keras.layers.Reshape(own)(given)
    scale, shift = (array.tolist() for array in normalization_arrays(predictor).values())
    x = keras.layers.Rescaling(scale, shift, name="normalization")(x)
    x = keras.layers.Reshape((-1,))(x) if net.image_shape is None else keras.layers.Permute((2, 3, 1))(x)
    model = keras.Model(given, _chain(dict(enumerate(net.layers)), "layer", x), name="net")
    named = net.layout.split(trained.params) | trained.state
    for place, names in _weights(net).items():
        model.get_layer(place).set_weights([to_numpy(named[name]) for name in names])
    return model


def from_model(net: Sequential, model: keras.Model) -> tuple[NDArray[Any], Arrays]:
    """Return the parameters and the state of a net from a model that `to_model` made: its inverse.

    Parameters
    ----------
    net : Sequential
        With its sizes, as ``run.net`` has them.
    model : keras.Model
        A model such as `to_model` returns, with other weights.

    Returns
    -------
    params : ndarray of float32, shape (P,)
    state : dict of ndarray
        As from ``net.init``.

    Raises
    ------
    ValueError
        If the model lacks a layer, or weights have another shape; the message names it.
    """
    there, arrays = {layer.name: layer for layer in model.layers}, dict[str, NDArray[Any]]()
    shapes = {name: each.shape for name, each in (net.parameters() | net.state()).items()}
    for place, names in _weights(net).items():
        if place not in there:
            raise ValueError(f'model: expected a layer "{place}", as from to_model, got none')
        weights = [to_numpy(each.value) for each in there[place].weights]
        found, expected = [array.shape for array in weights], [shapes[name] for name in names]
        if found != expected:
            raise ValueError(f'layer "{place}": expected weights of shapes {expected}, got {found}')
        arrays |= dict(zip(names, weights, strict=True))
    params = net.layout.join(arrays, like=np.zeros(net.layout.size, np.float32))
    return params, {name: arrays[name] for name in net.state()}


def _weights(net: Sequential) -> dict[str, list[str]]:
    """Return the names of arrays of each layer that has any, by the name of Keras' layer, in Keras' order."""
    own = net.parameters() | net.state()
    return {
        f"layer_{place.replace('.', '_')}": [f"{place}.{name}" for name in names if f"{place}.{name}" in own]
        for place, layer in net.named_layers().items()
        if (names := WEIGHTS.get(type(layer)))
    }


def _chain(chain: dict[int, Layer], ahead: str, x: Any) -> Any:
    for i, layer in chain.items():
        x = _call(layer, f"{ahead}_{i}", x)
    return x


def _call(layer: Layer, place: str, x: Any) -> Any:
    """Return what the counterpart of a layer gives for a symbolic tensor."""
    if type(layer) in (Sequential, Shortcut, Residual):
        assert isinstance(layer, Container)
        ends = [_chain(chain, place, x) for chain in layer._chains()]
        if type(layer) is not Residual:
            return ends[0]
        return keras.layers.Add(name=place)([ends[0], ends[1] if len(ends) > 1 else x])
    name = place.removeprefix("layer_").replace("_", ".")
    if type(layer) not in LAYERS_OF:
        raise ValueError(f"layer {name}, {short(layer)}: Keras has no counterpart of it; export to ONNX or PyTorch")
    try:
        return LAYERS_OF[type(layer)](layer, x, place)
    except ValueError as error:
        raise ValueError(f"layer {name}, {short(layer)}: {error}; export to ONNX or PyTorch") from None
