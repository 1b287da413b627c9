"""A net: layers one after another."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from anynet.core.checks import alike, together
from anynet.core.typing import A, Array, Arrays
from anynet.nn.draw import draw, place
from anynet.nn.layer import Layer, Parameter
from anynet.nn.layout import Layout


class Sequential:
    """Layers one after another, their parameters in one vector.

    A ``Sequential`` among the layers is taken apart into its own. Parameters and state are named after the layer's
    place: "0.W", "0.b", "1.gamma".

    Raises ValueError where a layer does not take as many features as the one before it gives.

    >>> import anynet as an
    >>> net = Sequential(an.Linear(3072, 50), an.BatchNorm(50), an.ReLU(), an.Linear(50, 10))
    >>> params, state = net.init(seed=42)
    >>> params.shape, params.dtype, list(state)
    ((154320,), dtype('float32'), ['1.mean', '1.var'])
    """

    def __init__(self, *layers: "Layer | Sequential") -> None:
        self.layers: tuple[Layer, ...] = tuple(
            single for layer in layers for single in (layer.layers if isinstance(layer, Sequential) else (layer,))
        )
        if not self.layers:
            raise ValueError("a Sequential needs at least one layer")
        for i, layer in enumerate(self.layers):
            if not isinstance(layer, Layer):
                raise TypeError(f"layer {i}: expected a layer, such as Linear(3072, 10) or ReLU(), got {layer!r}")
        self.n_in = next((n_in for n_in, _ in (layer.features() for layer in self.layers) if n_in is not None), None)
        given: int | None = None
        for i, layer in enumerate(self.layers):
            n_in, n_out = layer.features()
            if given is not None and n_in not in (None, given):
                raise ValueError(f"layer {i}, {layer}: takes {n_in} features, but the layers before it give {given}")
            given = given if n_out is None else n_out
        self.n_out = given

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """Every layer's parameters, for one member, by name."""
        return {f"{i}.{name}": p for i, layer in enumerate(self.layers) for name, p in layer.parameters().items()}

    @cached_property
    def state(self) -> dict[str, Parameter]:
        """Every layer's state, for one member, by name."""
        return {f"{i}.{name}": p for i, layer in enumerate(self.layers) for name, p in layer.state().items()}

    @cached_property
    def layout(self) -> Layout:
        """Where each parameter lies in the vector."""
        return Layout(self.parameters)

    @overload
    def init(
        self, seed: int | Iterable[int], like: None = None
    ) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]: ...
    @overload
    def init(self, seed: int | Iterable[int], like: A) -> tuple[A, dict[str, A]]: ...
    def init(self, seed: int | Iterable[int], like: Any = None) -> tuple[Any, dict[str, Any]]:
        """Parameters and state to start from.

        seed: at least 0; K of them make K members.
        like: any array of float32 or float64; the result has its library, dtype and device. NumPy's float32 by default.

        Returns the parameters, one vector of shape (P,) or (K, P), and the state, arrays of shape (n,) or (K, n).
        The same seed gives the same numbers, rounded to the dtype, on every library.
        """
        like = np.zeros(1, np.float32) if like is None else like
        seeds = list(seed) if isinstance(seed, Iterable) else [seed]
        if not seeds:
            raise ValueError("seed: expected a number, or one for each member, got none")
        hosts = draw(self.parameters | self.state, seeds)
        vector = self.layout.join(hosts, like=np.zeros((len(seeds), self.layout.size)))
        state = {name: hosts[name] for name in self.state}
        if not isinstance(seed, Iterable):
            vector, state = vector[0], {name: host[0] for name, host in state.items()}
        return place(vector, like), {name: place(host, like) for name, host in state.items()}

    def forward(self, params: Array, state: Mapping[str, Array], x: Array, *, train: bool) -> tuple[Array, Any, Arrays]:
        """Run the net.

        params, state: as from ``init``, of shape (P,) and (n,), or (K, P) and (K, n) for K members.
        x: shape (N, n_in), or (K, N, n_in) with an input for each member; of the parameters' library, dtype and device.
        train: whether batch normalisation uses the batch's statistics and updates the running ones.

        Returns the logits, shape (N, n_out) or (K, N, n_out); a cache for ``backward``; the new state.
        Raises TypeError or ValueError that names what does not fit.
        """
        self._check(params, state, x)
        caches, new_state, parts = [], {}, self._by_layer(self.layout.split(params))
        for i, (layer, own, held) in enumerate(zip(self.layers, parts, self._by_layer(state), strict=True)):
            x, cache, held = layer.forward(own, held, x, train=train)
            caches.append(cache)
            new_state.update({f"{i}.{name}": array for name, array in held.items()})
        return x, caches, new_state

    def backward(self, params: Array, cache: Any, dlogits: Array) -> tuple[Array, Array]:
        """The derivative of ``forward``, by the input and by the parameters.

        dlogits: the cost's gradient by the logits, shape (N, n_out) or (K, N, n_out).

        Returns dx, shape (N, n_in), or (K, N, n_in) with K members (also where they share one input), and the
        gradients by the parameters, one vector shaped like ``params``.
        """
        dy, grads, first = self._backward_to_first(params, cache, dlogits)
        dx, grads[0] = self.layers[0].backward(first, cache[0], dy)
        return dx, self._join(grads, params)

    def parameter_gradients(self, params: Array, cache: Any, dlogits: Array) -> Array:
        """The second half of what ``backward`` returns, cheaper: training has no use for the input's gradient."""
        dy, grads, first = self._backward_to_first(params, cache, dlogits)
        grads[0] = self.layers[0].parameter_gradients(first, cache[0], dy)
        return self._join(grads, params)

    def _backward_to_first(self, params: Array, cache: Any, dy: Array) -> tuple[Array, list[Arrays], Arrays]:
        alike(params=params, dlogits=dy)
        if self.n_out not in (None, dy.shape[-1]):
            raise ValueError(f"dlogits: expected shape (..., N, {self.n_out}), like the logits, got {tuple(dy.shape)}")
        parts = self._by_layer(self.layout.split(params))
        grads: list[Arrays] = [{} for _ in self.layers]
        for i in reversed(range(1, len(self.layers))):
            dy, grads[i] = self.layers[i].backward(parts[i], cache[i], dy)
        return dy, grads, parts[0]

    def _by_layer(self, named: Mapping[str, Array]) -> list[Arrays]:
        parts: list[Arrays] = [{} for _ in self.layers]
        for name, array in named.items():
            i, own = name.split(".", 1)
            parts[int(i)][own] = array
        return parts

    def _join(self, grads: list[Arrays], params: Array) -> Array:
        named = {f"{i}.{name}": g for i, own in enumerate(grads) for name, g in own.items()}
        return self.layout.join(named, params)

    def _check(self, params: Array, state: Mapping[str, Array], x: Array) -> None:
        together(params=params, x=x)
        first = f"layer 0, {self.layers[0]}"
        if params.shape[-1:] != (self.layout.size,):
            raise ValueError(f"params: expected shape (..., {self.layout.size}) for {self}, got {tuple(params.shape)}")
        if x.ndim < 2 or self.n_in not in (None, x.shape[-1]):
            raise ValueError(f"{first}: expected x of shape (..., N, {self.n_in}), got {tuple(x.shape)}")
        if x.dtype != params.dtype:
            raise TypeError(
                f"{first}: expected x of its parameters' dtype, {params.dtype}, got {x.dtype}; cast one of them"
            )
        if x.shape[:-2] not in ((), params.shape[:-1]):
            raise ValueError(
                f"{first}: x of shape {tuple(x.shape)} is neither shared by the members of params, of shape "
                f"{tuple(params.shape)}, nor one for each of them"
            )
        expected = {name: (*params.shape[:-1], *p.shape) for name, p in self.state.items()}
        found = {name: tuple(array.shape) for name, array in state.items()}
        if found != expected:
            raise ValueError(f"state: expected arrays of shapes {expected}, as from init, got {found}")
        alike(params=params, **{f"state {name}": array for name, array in state.items()})
