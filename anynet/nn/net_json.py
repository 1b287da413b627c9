"""Nets as JSON, and back: the classes and settings of their layers, from a fixed table of classes."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from numbers import Integral, Real
from typing import Any

from anynet.core.checks import describe, nearest
from anynet.nn.activations import ELU, LeakyReLU, ReLU, Sigmoid, Softplus, Softsign, Tanh
from anynet.nn.batch_norm import BatchNorm
from anynet.nn.container import Container
from anynet.nn.conv2d import Conv2d
from anynet.nn.dropout import Dropout
from anynet.nn.flatten import Flatten
from anynet.nn.flatten_images import FlattenImages
from anynet.nn.gated_activations import GELU, Hardswish, SiLU
from anynet.nn.initializers import Constant, He, Initializer, Normal, Ones, PartialIdentity, Uniform, Xavier, Zeros
from anynet.nn.layer import Layer
from anynet.nn.linear import Linear
from anynet.nn.patch_whitening import PatchWhitening
from anynet.nn.pooling import AvgPool2d, GlobalPool, MaxPool2d
from anynet.nn.residual import Residual
from anynet.nn.sample_norms import GroupNorm, LayerNorm
from anynet.nn.scale import Scale
from anynet.nn.sequential import Sequential
from anynet.nn.shortcut import Shortcut

LAYERS: dict[str, type[Layer]] = {
    kind.__name__: kind
    for kind in (
        *(ELU, GELU, Hardswish, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Softsign, Tanh),
        *(BatchNorm, Dropout, Flatten, GroupNorm, LayerNorm, Linear, Residual, Scale, Sequential, Shortcut),
        *(AvgPool2d, Conv2d, FlattenImages, GlobalPool, MaxPool2d, PatchWhitening),
    )
}
"""Layers that can be made from JSON."""
INITIALIZERS: dict[str, type] = {
    kind.__name__: kind for kind in (Constant, He, Normal, Ones, PartialIdentity, Uniform, Xavier, Zeros)
}
"""Initializers that can be made from JSON."""


def to_json(value: Any) -> dict[str, Any]:
    """Describe a layer or an initializer.

    Parameters
    ----------
    value : Layer or Initializer

    Returns
    -------
    dict
        The name of its class as "class", and its settings; for classes and functions that are not anynet's, and for
        settings that JSON cannot have, its name alone, as "own".

    Examples
    --------
    >>> to_json(Sequential(Linear(3, 2), LeakyReLU()))["layers"][1]
    {'class': 'LeakyReLU', 'slope': 0.01}
    """
    kind = type(value)
    if issubclass(kind, Container):
        return {"class": kind.__name__, "layers": [to_json(layer) for layer in value]}
    if kind in (*LAYERS.values(), *INITIALIZERS.values()):
        settings = {field.name: _setting(getattr(value, field.name)) for field in fields(value)}
        if all(value is not None or getattr(kind, name, ...) is None for name, value in settings.items()):
            return {"class": kind.__name__, **settings}
    named = value if hasattr(value, "__qualname__") else kind
    return {"own": f"{named.__module__}.{named.__qualname__}"}


def _setting(value: Any) -> Any:
    """Return a setting as JSON; None if it has no such form."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return [*map(_setting, value)]
    return to_json(value) if callable(value) else None


def own_parts(description: Any, layer: str = "") -> Iterator[tuple[str, str]]:
    """Find the layers and initializers in a description that are not anynet's.

    Parameters
    ----------
    description : dict
        As returned by `to_json`.
    layer : str
        Dotted name of the layer that it describes.

    Yields
    ------
    layer, name : str
        Dotted name of the layer, and the name of the class or function.
    """
    if not isinstance(description, dict):
        return
    if "own" in description:
        yield layer, str(description["own"])
    for key, value in description.items():
        if key == "layers" and isinstance(value, list):
            for i, each in enumerate(value):
                yield from own_parts(each, f"{layer}.{i}" if layer else f"{i}")
        else:
            yield from own_parts(value, layer)


def layer_texts(description: Any, name: str = "") -> Iterator[tuple[str, str | None]]:
    """Describe each layer of a description in a short text, without initializers.

    Parameters
    ----------
    description : dict
        As returned by `to_json`.
    name : str
        Dotted name of the layer that it describes.

    Yields
    ------
    name : str
        Dotted name.
    text : str or None
        Class and settings; None if the class is not anynet's.
    """
    if not isinstance(description, dict) or "own" in description:
        yield name, None
    elif isinstance(description.get("layers"), list):
        if description.get("class") != "Sequential":
            yield name, str(description.get("class"))
        for i, layer in enumerate(description["layers"]):
            yield from layer_texts(layer, f"{name}.{i}" if name else f"{i}")
    else:
        shown = [f"{key}={value}" for key, value in description.items() if key != "class" and type(value) is not dict]
        yield name, f"{description.get('class')}({', '.join(shown)})"


def net_from_json(description: Any) -> Sequential:
    """Return the net of a description.

    Parameters
    ----------
    description : dict
        As returned by `to_json`, without parts of others than anynet.

    Returns
    -------
    Sequential

    Raises
    ------
    ValueError
        If it describes no net; the message names the layer.
    """
    try:
        net = _make(description, LAYERS, "the net")
    except RecursionError:
        raise ValueError("the net: expected fewer nets in each other") from None
    if not isinstance(net, Sequential):
        raise ValueError(f'the net: expected a "Sequential", got a "{type(net).__name__}"')
    return net


def _make(description: Any, table: Mapping[str, type], place: str) -> Any:
    if not isinstance(description, dict):
        raise ValueError(f"{place}: expected an object, got {describe(description)}")
    settings = dict(description)
    name = settings.pop("class", None)
    if not isinstance(name, str) or name not in table:
        raise ValueError(f"{place}: expected a class of anynet, got {describe(name)}{nearest(str(name), table)}")
    kind = table[name]
    try:
        if issubclass(kind, Container):
            layers = settings.pop("layers", None)
            if not isinstance(layers, list) or settings:
                raise ValueError(f"expected a list of layers, got {describe(layers)}")
            inner = "" if place == "the net" else place.removeprefix("layer ") + "."
            return kind(*(_make(each, LAYERS, f"layer {inner}{i}") for i, each in enumerate(layers)))
        expected = {field.name: field.type for field in fields(kind)}  # type: ignore[arg-type]
        if settings.keys() != expected.keys():
            raise ValueError(f"expected {', '.join(expected) or 'no settings'}, got {', '.join(settings) or 'none'}")
        return kind(**{key: _read(settings[key], expected[key], key, place) for key in expected})
    except (ArithmeticError, TypeError, ValueError) as error:
        text = str(error)
        placed = text.startswith("layer " if place == "the net" else place)
        raise ValueError(text if placed else f"{place}, {name}: {text}") from None


def _read(value: Any, kind: Any, key: str, place: str) -> Any:
    """Return a setting of a field's type: int, float, an initializer, or what the class checks."""
    if kind == Initializer:
        return _make(value, INITIALIZERS, f"{place}, {key}")
    if kind not in (int, float):
        return value
    if isinstance(value, bool) or not isinstance(value, int if kind is int else Real) or not math.isfinite(value):
        raise ValueError(f"{key}: expected {'a whole number' if kind is int else 'a number'}, got {describe(value)}")
    return value
