"""Sizes of layers that run one after another."""

from collections.abc import Iterable, Mapping
from math import prod
from typing import Any

from anynet.core.checks import describe, whole_number
from anynet.nn.layer import UNKNOWN, Layer
from anynet.nn.layer_text import short


def with_inputs(layers: Iterable[Layer], n_in: int | None, image: tuple[int, int] | None = None) -> tuple[Layer, ...]:
    """Return the layers with the sizes that follow from the input's and from those of the layers before.

    Parameters
    ----------
    layers : iterable of Layer
    n_in : int or None
        Number of input features of the first, if known.
    image : (int, int), optional
        Rows and columns of the input, if it is pixels.

    Returns
    -------
    tuple of Layer
        Those whose input is not known are as they were.

    Raises
    ------
    TypeError
        If ``with_input`` of a layer returns no layer.
    ValueError
        If a layer cannot have this size.

    Examples
    --------
    >>> from anynet import BatchNorm, Linear, ReLU
    >>> with_inputs([Linear(100), BatchNorm(), ReLU(), Linear(10)], 3072)[1:]
    (BatchNorm(n=100, momentum=0.1, eps=1e-05), ReLU(), Linear(n_in=100, n_out=10, init=He(), bias_init=Zeros()))
    """
    sized: list[Layer] = []
    for i, layer in enumerate(layers):
        if image is not None:
            layer = layer.with_image(*image)
        if n_in is not None:
            unsized, layer = layer, layer.with_input(n_in)
            if not isinstance(layer, Layer):
                raise TypeError(
                    f"layer {i}, {short(unsized)}: expected with_input to return a layer, got {describe(layer)}"
                )
        sized.append(layer)
        taken, given = layer.features()
        n_in = None if given == UNKNOWN else given or taken or n_in
        image = layer.image_out(image)
    return tuple(sized)


def input_features(layers: Iterable[Layer]) -> int | None:
    """Return the number of features that layers take; None if that is any number, or not known."""
    for layer in layers:
        n_in, n_out = layer.features()
        if n_in is not None or n_out is not None:
            return n_in
    return None


def image_in(layer: Layer) -> tuple[int, int] | None:
    """Return the rows and columns that a layer of images takes; None if they are not known."""
    image: tuple[int, int] | None = getattr(layer, "image", None)
    return image


def check_neighbors(layers: Mapping[int, Layer]) -> None:
    """Check that each of the layers that run one after another takes what the one before gives.

    Parameters
    ----------
    layers : mapping of int to Layer
        Layers by place.

    Raises
    ------
    ValueError
        If one takes another number of features, or images of another size, or images where there are none.
    """
    given: int | None = None
    image: tuple[int, int] | None = None
    flat = ""
    for place, layer in layers.items():
        n_in, n_out = layer.features()
        if given is not None and n_in not in (None, given):
            name, taker = _taker(f"{place}", layer)
            raise ValueError(f"layer {name}, {taker}: takes {n_in} features, but the layers before it give {given}")
        if layer.takes_images:
            own = image_in(layer)
            if flat:
                raise ValueError(f"layer {place}, {short(layer)}: takes images, but {flat} before it gives features")
            if image is not None and own not in (None, image):
                raise ValueError(
                    f"layer {place}, {short(layer)}: takes images of {own} pixels, but those before it give {image}"
                )
            image = layer.image_out(own)
            flat = short(layer) if own is not None and image is None else ""
        given = given if n_out is None else n_out or None


def _taker(name: str, layer: Layer) -> tuple[str, Layer]:
    """Return the layer, in a container the one in it, that takes a number of features."""
    inner = {} if not hasattr(layer, "named_layers") else layer.named_layers()
    for own, leaf in inner.items():
        if leaf.features()[0] is not None:
            return f"{name}.{own}", leaf
    return name, layer


def sample_shape(name: str, shape: Any) -> tuple[int, ...]:
    """Return the shape of a sample.

    Parameters
    ----------
    name : str
        Name in error messages.
    shape : int or sequence of int
        Number of values, or the sizes of a sample's axes, each at least 1.

    Returns
    -------
    tuple of int

    Raises
    ------
    TypeError, ValueError
        If it is anything else.

    Examples
    --------
    >>> sample_shape("shape", 3072), sample_shape("shape", [3, 32, 32])
    ((3072,), (3, 32, 32))
    """
    sizes = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    sizes = tuple(whole_number(name, size) for size in sizes)
    if not sizes or prod(sizes) < 1 or min(sizes) < 1:
        raise ValueError(f"{name}: expected sizes of 1 or more, such as 3072 or (3, 32, 32), got {shape}")
    return sizes
