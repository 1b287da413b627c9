"""What is checked: a function of arrays, its gradients, and a point, of a layer, a loss or a whole net."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import ArrayLike

from anynet.backends import Backend
from anynet.core.seeding import Purpose, generator
from anynet.core.typing import Array, Arrays
from anynet.gradcheck.differences import Function, Host
from anynet.gradcheck.on_device import OnDevice, Point
from anynet.nn import Layer, Sequential
from anynet.nn.l2 import add_l2_gradient, l2_cost
from anynet.nn.losses import Loss, softmax_cross_entropy


class Subject(NamedTuple):
    """A function with its gradients, at a point; all of NumPy arrays, whatever they are computed with.

    value: of arrays by name; the sum of what it returns is the function. Terms of a sum are better left as they are: a
        difference taken term by term is more precise.
    gradients: of arrays by name, the gradients by each.
    point: float32 or float64 arrays by name, where the two are compared.
    headings: what a table writes above arrays, by name.
    """

    value: Callable[[Point], Host]
    gradients: Callable[[Point], Mapping[str, Host]]
    point: Point
    headings: Mapping[str, str] = {}

    def along(self, name: str) -> Function:
        """The value as a function of one of the arrays, the others as at the point."""
        return lambda moved: self.value({**self.point, name: moved})


def of_layer(
    layer: Layer,
    x: ArrayLike | None = None,
    *,
    params: Mapping[str, ArrayLike] | None = None,
    state: Mapping[str, ArrayLike] | None = None,
    train: bool = True,
    members: int | None = None,
    seed: int = 0,
    backend: Backend | str | None = None,
    dtype: str = "float64",
) -> Subject:
    """A layer, its outputs weighted with random numbers and summed, by its parameters and its input.

    x: shape (N, n_in), or (K, N, n_in) with K members. params, state: by name, of shape (*shape) or (K, *shape).
        What is not given is drawn: N = 6 samples of standard normal numbers, parameters likewise, a state between 0.5
        and 2.
    members: K, for what is drawn; None for a single one.
    backend: as from ``anynet.backend``, or its name; by default what ANYNET_BACKEND says, and else NumPy.
    """
    rng, ahead = generator(seed, Purpose.CHECK, 0), () if members is None else (members,)
    if x is None:
        x = rng.standard_normal((*ahead, 6, layer.features()[0] or 5))
    drawn = {name: rng.standard_normal((*ahead, *p.shape)) for name, p in layer.parameters().items()}
    params = {**drawn, **(params or {})}
    drawn = {name: rng.uniform(0.5, 2, (*ahead, *p.shape)) for name, p in layer.state().items()}
    state = {**drawn, **(state or {})}
    device = OnDevice(layer, backend, dtype)
    placed = device.place(device.host(state))

    def own(point: Arrays) -> Arrays:
        return {name: point[name] for name in params}

    def forward(point: Arrays) -> tuple:
        return layer.forward(own(point), placed, point["input"], train=train)

    def backward(point: Arrays) -> Arrays:
        dx, grads = layer.backward(own(point), forward(point)[1], point["dy"])
        return {**grads, "input": _shared(dx, point["input"])}

    def parameter_gradients(point: Arrays) -> Arrays:
        return layer.parameter_gradients(own(point), forward(point)[1], point["dy"])

    point = device.host({**params, "input": x})
    dy = device.host({"dy": rng.standard_normal(device.backend.to_host(forward(device.place(point))[0]).shape)})
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
    """A loss by its logits.

    logits: shape (..., N, C). labels: integers, shape (N,) or (..., N).
    """
    device = OnDevice(getattr(loss, "__name__", loss), backend, dtype)
    classes = device.backend.asarray(np.asarray(labels))
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
    backend: Backend | str | None = None,
    dtype: str = "float64",
) -> Subject:
    """The cost of a net, loss and penalty, by each of its parameters and its input.

    x: shape (N, n_in), or (K, N, n_in) with an input for each member. labels: integers, shape (N,) or (K, N).
    params, state: of shape (P,) and (n,), or (K, P) and (K, n); by default what the net starts with, by ``seed``.
    l2: λ of the penalty λ Σ W², a number or one for each member.
    train: whether batch normalisation uses the batch's statistics.
    """
    drawn = net.init(seed, like=np.zeros(1))
    if net.n_out is not None and not np.all((np.asarray(labels) >= 0) & (np.asarray(labels) < net.n_out)):
        raise ValueError(f"labels: expected 0 to {net.n_out - 1}, got {np.min(labels)} to {np.max(labels)}")
    vector = np.asarray(drawn[0] if params is None else params, np.float64)
    device = OnDevice("the net", backend, dtype)
    held = device.place(device.host(drawn[1] if state is None else state))
    classes = device.backend.asarray(np.asarray(labels))
    fixed = device.place(device.host({"like": np.zeros_like(vector), "l2": np.asarray(l2)}))

    def forward(point: Arrays) -> tuple[Array, Array, Any]:
        joined = net.layout.join(point, fixed["like"])
        logits, cache, _ = net.forward(joined, held, point["input"], train=train)
        return joined, logits, cache

    def cost(point: Arrays) -> Array:
        joined, logits, _ = forward(point)
        return loss(logits, classes)[0] + l2_cost(net.layout, joined, fixed["l2"])

    def backward(point: Arrays) -> Arrays:
        joined, logits, cache = forward(point)
        dx, grads = net.backward(joined, cache, loss(logits, classes)[1])
        dx = _shared(dx, point["input"])
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


def _shared(dx: Array, x: Array) -> Array:
    """The gradient by an input that all members share is the sum of theirs."""
    return array_namespace(dx).sum(dx, axis=0) if dx.ndim > x.ndim else dx
