"""Parameters and running statistics by the names and in the layouts that PyTorch has for them.

"0.W" of a linear layer is "0.weight", with the outputs on the first axis; kernels have shape (out, in / groups, rows,
columns); "1.gamma", "1.beta", "1.mean" and "1.var" are "1.weight", "1.bias", "1.running_mean" and "1.running_var". The
numbers are the same, bit for bit: running variances are unbiased in both.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anynet.backends import to_numpy
from anynet.core.checks import describe
from anynet.interop.feature_orders import Order, feature_orders
from anynet.nn import BatchNorm, Conv2d, GroupNorm, Layer, LayerNorm, Linear, PatchWhitening, Scale, Sequential
from anynet.nn.layer_text import short
from anynet.training.predictor import Predictor
from anynet.training.trained_net import TrainedNet

AFFINE = {"weight": "gamma", "bias": "beta"}
NAMES: dict[type[Layer], dict[str, str]] = {
    Linear: {"weight": "W", "bias": "b"},
    Conv2d: {"weight": "W", "bias": "b"},
    PatchWhitening: {"weight": "kernel", "bias": "b"},
    BatchNorm: {**AFFINE, "running_mean": "mean", "running_var": "var"},
    LayerNorm: AFFINE,
    GroupNorm: AFFINE,
    Scale: {"weight": "s"},
}
"""PyTorch's names of a layer's arrays with its own; layers that are not here keep their own."""

AXES = {1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}
"""Axes of vectors, matrices and kernels elsewhere, as numbers of their axes here."""

COUNTER = "num_batches_tracked"
"""Name of what PyTorch's batch normalization has besides: a number of steps, which only ``momentum=None`` reads."""

NORMALIZATION = ("input.scale", "input.shift")
"""Names of the arrays of a run's normalization."""

Arrays = dict[str, NDArray[Any]]


class Place(NamedTuple):
    """Place of an array of a net among those of another library.

    Attributes
    ----------
    name : str
        Its name here, such as "0.W".
    layer : Layer
        The layer that has it.
    axes : tuple of int
        Order of the axes elsewhere.
    order : ndarray or None
        Order of features on the last axis elsewhere; None if it is the same.
    shape : tuple of int
        Shape here.
    """

    name: str
    layer: Layer
    axes: tuple[int, ...]
    order: Order | None
    shape: tuple[int, ...]

    @property
    def shape_elsewhere(self) -> tuple[int, ...]:
        """Shape elsewhere."""
        return tuple(self.shape[axis] for axis in self.axes)

    def put(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return an array of the net as it is elsewhere."""
        moved = array.transpose(self.axes)
        return np.ascontiguousarray(moved if self.order is None else moved[..., self.order])

    def take(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return an array from elsewhere as the net has it: the inverse of `put`."""
        moved = array
        if self.order is not None:
            moved = np.empty_like(array)
            moved[..., self.order] = array
        return moved.transpose(np.argsort(self.axes))


def places(net: Sequential) -> dict[str, Place]:
    """Return the place of each array of a net, by PyTorch's name, in the order of a state dict.

    Examples
    --------
    >>> import anynet as an
    >>> {name: each.name for name, each in places(an.Sequential(an.Linear(3, 2), an.Scale(2))).items()}
    {'0.weight': '0.W', '0.bias': '0.b', '1.weight': '1.s'}
    """
    orders, found = feature_orders(net).inputs, dict[str, Place]()
    for name, layer in net.named_layers().items():
        own = {key: each.shape for key, each in (layer.parameters() | layer.state()).items()}
        known = NAMES.get(type(layer))
        for elsewhere, here in (known or dict(zip(own, own, strict=True))).items():
            if here in own:
                shape = own[here]
                axes = AXES[len(shape)] if known else tuple(range(len(shape)))
                order = orders.get(name) if elsewhere != "bias" or type(layer) is not Linear else None
                found[f"{name}.{elsewhere}"] = Place(f"{name}.{here}", layer, axes, order, shape)
    return found


def state_arrays(trained: TrainedNet) -> Arrays:
    """Return parameters and running statistics by PyTorch's names, on the host.

    Parameters
    ----------
    trained : TrainedNet
        A net with its parameters, such as that of a run.

    Returns
    -------
    dict of ndarray
    """
    named = trained.net.layout.split(trained.params) | trained.state
    return {name: place.put(to_numpy(named[place.name])) for name, place in places(trained.net).items()}


def normalization_arrays(predictor: Predictor) -> Arrays:
    """Return scale and shift of the values of a sample, in its shape, by their names elsewhere."""
    trained = predictor.nets[0]
    shape = trained.net.image_shape or predictor.shape
    scale, shift = (to_numpy(each).reshape(shape) for each in trained.normalization)
    return dict(zip(NORMALIZATION, (scale, shift), strict=True))


def from_state_arrays(net: Sequential, given: Mapping[str, Any]) -> tuple[NDArray[Any], Arrays]:
    """Return the parameters and state of a net from arrays with PyTorch's names and layouts.

    Parameters
    ----------
    net : Sequential
        With its sizes, as ``run.net`` has them.
    given : mapping of array
        By the names of `state_arrays`, or those of an equal net, in the order of its layers, as in a state dict. The
        normalization of a run and counters of batches are left out.

    Returns
    -------
    params : ndarray, shape (P,)
    state : dict of ndarray
        Both as from ``net.init``, of the dtype of the arrays.

    Raises
    ------
    TypeError
        If `given` is no mapping, or dtypes are not all float32 or all float64.
    ValueError
        If there are other arrays than the net has, or one has another shape; the message names it.
    """
    if not isinstance(given, Mapping):
        raise TypeError(f"state: expected a dict of tensors, as of module.state_dict(), got {describe(given)}")
    for name in given:
        if not isinstance(name, str):
            raise TypeError(f"state: expected names of tensors, such as 0.weight, got {describe(name)}")
    here = places(net)
    names = [name for name in given if name not in NORMALIZATION and name.rpartition(".")[2] != COUNTER]
    if here.keys() != set(names):
        _check_order(here, names, given)
    pairs = zip(here, here if here.keys() == set(names) else names, strict=True)
    arrays = dict[str, NDArray[Any]]()
    for (own, name), place in zip(pairs, here.values(), strict=True):
        array = to_numpy(given[name], f'tensor "{name}"')
        if array.shape != place.shape_elsewhere:
            expected = f"shape {place.shape_elsewhere}, that of {_text(own, place)}"
            raise ValueError(f'tensor "{name}": expected {expected}, got {array.shape}')
        arrays[place.name] = place.take(array)
    dtypes = {str(array.dtype) for array in arrays.values()} or {"float32"}
    if len(dtypes) > 1 or not dtypes <= {"float32", "float64"}:
        raise TypeError(f"state: expected tensors of float32, or all of float64, got {' and '.join(sorted(dtypes))}")
    params = net.layout.join(arrays, like=np.zeros(net.layout.size, dtypes.pop()))
    return params, {name: np.ascontiguousarray(arrays[name]) for name in net.state()}


def _check_order(here: Mapping[str, Place], names: list[str], given: Mapping[str, Any]) -> None:
    """Raise ValueError unless tensors with other names are those of the net in its order."""
    for (own, place), name in zip(here.items(), names, strict=False):
        kind, found = own.rpartition(".")[2], name.rpartition(".")[2]
        if kind != found:
            raise ValueError(f'tensor "{name}": expected a {kind} here, that of {_text(own, place)}, got a {found}')
    if len(names) < len(here):
        own, place = list(here.items())[len(names)]
        raise ValueError(f"state: expected {len(here)} tensors, got {len(names)}; {_text(own, place)} is missing")
    if len(names) > len(here):
        raise ValueError(
            f'state: expected {len(here)} tensors, those of the net, got {len(names)}; "{names[len(here)]}" is one too '
            "many"
        )


def _text(name: str, place: Place) -> str:
    layer, _, kind = name.rpartition(".")
    return f"{kind} of layer {layer}, {short(place.layer)}"
