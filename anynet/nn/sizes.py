"""Sizes of layers that run one after another."""

from collections.abc import Iterable
from math import prod
from typing import Any

from anynet.core.checks import describe, whole_number
from anynet.nn.layer import Layer, short


def with_inputs(layers: Iterable[Layer], n_in: int | None) -> tuple[Layer, ...]:
    """Return the layers with the sizes that follow from the input's and from those of the layers before.

    Parameters
    ----------
    layers : iterable of Layer
    n_in : int or None
        Number of input features of the first, if known.

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
        if n_in is not None:
            unsized, layer = layer, layer.with_input(n_in)
            if not isinstance(layer, Layer):
                raise TypeError(
                    f"layer {i}, {short(unsized)}: expected with_input to return a layer, got {describe(layer)}"
                )
        sized.append(layer)
        taken, given = layer.features()
        n_in = given or taken or n_in
    return tuple(sized)


def input_features(layers: Iterable[Layer]) -> int | None:
    """Return the number of features that layers take; None if that is any number, or not known."""
    for layer in layers:
        n_in, n_out = layer.features()
        if n_in is not None or n_out is not None:
            return n_in
    return None


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
