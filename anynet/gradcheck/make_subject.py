"""Make a subject of a layer, a loss or a net, on any backend."""

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import ArrayLike, NDArray

from anynet.backends import Backend
from anynet.core.random import key
from anynet.core.seeding import Purpose, generator
from anynet.core.typing import Array, Arrays
from anynet.gradcheck.on_device import OnDevice
from anynet.gradcheck.subject import Subject
from anynet.nn import Layer, Sequential
from anynet.nn.l2 import add_l2_gradient, l2_cost
from anynet.nn.losses import Loss, softmax_cross_entropy
from anynet.nn.sizes import image_in


def of_layer(
    layer: Layer,
    x: ArrayLike | None = None,
    *,
    params: Mapping[str, ArrayLike] | None = None,
    state: Mapping[str, ArrayLike] | None = None,
    train: bool = True,
    members: int | None = None,
    seed: int = 0,
    rng: ArrayLike | None = None,
    backend: Backend | str | None = None,
    dtype: str = "float64",
) -> Subject:
    """Make a subject of a layer: the sum of its outputs with random weights, as a function of parameters and input.

    Parameters
    ----------
    layer : Layer
        A layer with its sizes.
    x : array_like, shape (N, n_in) or (K, N, n_in), optional
        Input. Default: standard normal numbers with N = 6.
    params, state : mapping of str to array_like, shapes (*shape) or (K, *shape), optional
        Arrays by name. Default: standard normal numbers for parameters, numbers between 0.5 and 2 for state.
    train : bool
        As in `Layer.forward`.
    members, seed : int, optional
        Number K of members, and seed, of the arrays that are drawn.
    rng : array_like of int32, shape (2,) or (K, 2), optional
        Key of a layer that draws random numbers, the same ones in every evaluation. Default: from `seed`.
    backend : Backend or str, optional
        As in `anynet.backend`.
    dtype : {"float64", "float32"}
        Precision of the gradients that are checked.

    Returns
    -------
    Subject
    """
    random, ahead = generator(seed, Purpose.CHECK, 0), () if members is None else (members,)
    if x is None:
        rows = 2 * prod(image_in(layer) or (1,)) if layer.takes_images else 6
        x = random.standard_normal((*ahead, rows, layer.features()[0] or 5))
    drawn = {name: random.standard_normal((*ahead, *p.shape)) for name, p in layer.parameters().items()}
    params = {**drawn, **(params or {})}
    drawn = {name: random.uniform(0.5, 2, (*ahead, *p.shape)) for name, p in layer.state().items()}
    state = {**drawn, **(state or {})}
    device = OnDevice(layer, backend, dtype)
    state_here = device.place(device.host(state))
    random_key = {"rng": _place_key(device, rng, seed, members)} if layer.uses_rng else {}

    def parameters(point: Arrays) -> Arrays:
        return {name: point[name] for name in params}

    def forward(point: Arrays) -> tuple[Array, Any, Arrays]:
        return layer.forward(parameters(point), state_here, point["input"], train=train, **random_key)

    def backward(point: Arrays) -> Arrays:
        dx, grads = layer.backward(parameters(point), forward(point)[1], point["dy"])
        return {**grads, "input": _sum_over_members(dx, point["input"])}

    def parameter_gradients(point: Arrays) -> Arrays:
        return layer.parameter_gradients(parameters(point), forward(point)[1], point["dy"])

    point = device.host({**params, "input": x})
    dy = device.host({"dy": random.standard_normal(device.backend.to_host(forward(device.place(point))[0]).shape)})
    value, gradients = device.function(lambda point: forward(point)[0]), device.gradients(backward, parameter_gradients)
    return Subject(lambda point: value(point) * dy["dy"], lambda point: gradients({**point, **dy}), point)


def of_loss(
    loss: Loss,
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    backend: Backend | str | None = None,
    dtype: str = "float64",
) -> Subject:
    """Make a subject of a loss as a function of its logits.

    Parameters
    ----------
    loss : callable
        Such as `anynet.losses.hinge`.
    logits : array_like, shape (..., N, C)
        Scores, or numbers that are predicted.
    labels : array_like of int, shape (N,) or (..., N), or of float, shape (N, m) or (..., N, m)
        Class indices, or the targets of a loss of numbers.
    backend : Backend or str, optional
        As in `anynet.backend`.
    dtype : {"float64", "float32"}
        Precision of the gradients that are checked.

    Returns
    -------
    Subject
    """
    device = OnDevice(getattr(loss, "__name__", loss), backend, dtype)
    classes = _place_labels(device, _as_numbers(labels), dtype)
    return Subject(
        device.function(lambda point: loss(point["logits"], classes)[0]),
        device.gradients(lambda point: {"logits": loss(point["logits"], classes)[1]}),
        device.host({"logits": logits}),
    )


def of_net(
    net: Sequential,
    x: ArrayLike,
    labels: ArrayLike,
    *,
    params: ArrayLike | None = None,
    state: Mapping[str, ArrayLike] | None = None,
    loss: Loss = softmax_cross_entropy,
    l2: ArrayLike = 0.0,
    train: bool = True,
    seed: int = 42,
    rng: ArrayLike | None = None,
    backend: Backend | str | None = None,
    dtype: str = "float64",
) -> Subject:
    """Make a subject of a net: its cost, loss plus penalty, as a function of each parameter and of the input.

    Parameters
    ----------
    net : Sequential
        A net with its sizes.
    x : array_like, shape (N, n_in) or (K, N, n_in)
        Input, shared by the members or one for each, or images as `Sequential.forward` takes them.
    labels : array_like of int, shape (N,) or (K, N), or of float, shape (N, m) or (K, N, m)
        Class indices, or the targets of a loss of numbers.
    params : array_like, shape (P,) or (K, P), optional
        Parameter vector. Default: initial values from ``net.init(seed)``.
    state : mapping of str to array_like, shapes (n,) or (K, n), optional
        Likewise.
    loss : callable
        Such as `anynet.losses.hinge`.
    l2 : array_like, shape () or (K,)
        Factor λ of the penalty λ Σ W².
    train : bool
        As in `Sequential.forward`.
    seed : int
        Seed of parameters and state.
    rng : array_like of int32, shape (2,) or (K, 2), optional
        Key of layers that draw random numbers, the same ones in every evaluation. Default: from `seed`.
    backend : Backend or str, optional
        As in `anynet.backend`.
    dtype : {"float64", "float32"}
        Precision of the gradients that are checked.

    Returns
    -------
    Subject

    Raises
    ------
    TypeError, ValueError
        If a label is not a class of the net.
    """
    if net.image_shape is None:  # its input's sizes may be left out
        net = net.with_samples(np.shape(x)[-3 if net.takes_images and np.ndim(x) > 3 else -1 :])
    drawn = net.init(seed, like=np.zeros(1))
    host = _as_numbers(labels)
    if net.n_out is not None and host.dtype.kind != "f" and not np.all((host >= 0) & (host < net.n_out)):
        raise ValueError(f"labels: expected 0 to {net.n_out - 1}, got {np.min(labels)} to {np.max(labels)}")
    vector = np.asarray(drawn[0] if params is None else params, np.float64)
    device = OnDevice("the net", backend, dtype)
    state_here = device.place(device.host(drawn[1] if state is None else state))
    members = len(vector) if vector.ndim > 1 else None
    random_key = _place_key(device, rng, seed, members) if net.uses_rng else None
    classes = _place_labels(device, host, dtype)
    fixed = device.place(device.host({"like": np.zeros_like(vector), "l2": np.asarray(l2)}))

    def forward(point: Arrays) -> tuple[Array, Array, Any]:
        joined = net.layout.join(point, fixed["like"])
        logits, cache, _ = net.forward(joined, state_here, point["input"], train=train, rng=random_key)
        return joined, logits, cache

    def cost(point: Arrays) -> Array:
        joined, logits, _ = forward(point)
        return loss(logits, classes)[0] + l2_cost(net.layout, joined, fixed["l2"])

    def backward(point: Arrays) -> Arrays:
        joined, logits, cache = forward(point)
        dx, grads = net.backward(joined, cache, loss(logits, classes)[1])
        dx = _sum_over_members(dx, point["input"])
        return {**net.layout.split(add_l2_gradient(net.layout, grads, joined, fixed["l2"])), "input": dx}

    def parameter_gradients(point: Arrays) -> Arrays:
        joined, logits, cache = forward(point)
        grads = net.parameter_gradients(joined, cache, loss(logits, classes)[1])
        return net.layout.split(add_l2_gradient(net.layout, grads, joined, fixed["l2"]))

    layers = net.named_layers()
    place = {name: next(i for i in layers if name.startswith(f"{i}.")) for name in net.layout.slots}
    names = sorted(place, key=lambda name: [*layers].index(place[name]))
    parts = net.layout.split(vector)
    point = device.host({**{name: parts[name] for name in names}, "input": x})
    firsts = {place[name]: name for name in reversed(names)}
    headings = {name: f"{i} {type(layers[i]).__name__}" for i, name in firsts.items()}
    return Subject(device.function(cost), device.gradients(backward, parameter_gradients), point, headings)


def _as_numbers(labels: ArrayLike) -> NDArray[Any]:
    """Return labels as an array. Raises TypeError if they are texts or other objects."""
    host = np.asarray(labels)
    if host.dtype.kind not in "biuf":
        raise TypeError(
            f"labels: expected class numbers from 0 on, or floats, got {host.dtype}; numpy.unique(labels, "
            "return_inverse=True)[1] are the numbers of sorted labels"
        )
    return host


def _place_labels(device: OnDevice, host: NDArray[Any], dtype: str) -> Array:
    """Copy class indices, or targets, which have the dtype of the outputs, to the device."""
    return device.backend.asarray(host.astype(dtype) if host.dtype.kind == "f" else host)


def _place_key(device: OnDevice, rng: ArrayLike | None, seed: int, members: int | None) -> Array:
    """Copy a key of random numbers to the device; by default one for each member, from successive seeds."""
    if rng is None:
        rng = key(seed) if members is None else np.stack([key(seed + k) for k in range(members)])
    return device.backend.asarray(np.asarray(rng, np.int32))


def _sum_over_members(dx: Array, x: Array) -> Array:
    """Sum the gradient with respect to an input that all members share."""
    return array_namespace(dx).sum(dx, axis=0) if dx.ndim > x.ndim else dx
