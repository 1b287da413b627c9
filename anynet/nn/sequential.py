"""A net: layers one after another."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from anynet.core.checks import check_same_device, check_same_dtype
from anynet.core.random import fold
from anynet.core.typing import A, Array, Arrays
from anynet.nn.draw import draw, place
from anynet.nn.layer import Layer, Parameter, short
from anynet.nn.layout import Layout

SHOWN = 8
"""A longer net has its first and last layers in its repr, half as many each."""

STREAMS = 1 << 16
"""Each layer has as many random streams, ``anynet.core.random.fold(rng, i)``, before those of the next begin."""


@dataclass(frozen=True, init=False, repr=False)
class Sequential(Layer):
    """Layers one after another, their parameters in one vector.

    A ``Sequential`` is a value: two are equal if their layers are. It has a length, can be indexed and iterated over,
    and a slice is a ``Sequential`` too. It is a layer itself, so it may stand among the layers of another. Parameters
    and state are named after the layer's place: "0.W", "1.gamma", "2.0.W".

    Parameters
    ----------
    *layers : Layer

    Raises
    ------
    TypeError
        If something is not a layer.
    ValueError
        If there is no layer, or one takes another number of features than the one before it gives.

    Examples
    --------
    >>> import anynet as an
    >>> net = Sequential(an.Linear(3072, 50), an.BatchNorm(50), an.ReLU(), an.Linear(50, 10))
    >>> net[:3]
    Sequential(Linear(3072, 50), BatchNorm(50), ReLU())
    >>> params, state = net.init(seed=42)
    >>> params.shape, params.dtype, list(state)
    ((154320,), dtype('float32'), ['1.mean', '1.var'])
    >>> net(params, state, np.ones((5, 3072), np.float32)).shape
    (5, 10)
    >>> print(net.summary())
    layer                output     parameters  multiply-adds
    0  Linear(3072, 50)  (N, 50)       153,650        153,600
    1  BatchNorm(50)     (N, 50)           100             50
    2  ReLU()            (N, 50)             0              0
    3  Linear(50, 10)    (N, 10)           510            500
    total                              154,260        154,150
    """

    layers: tuple[Layer, ...]

    def __init__(self, *layers: Layer) -> None:
        if not layers:
            raise ValueError("a Sequential needs at least one layer")
        for i, layer in enumerate(layers):
            if not isinstance(layer, Layer):
                raise TypeError(f"layer {i}: expected a layer, such as Linear(3072, 10) or ReLU(), got {layer!r}")
        object.__setattr__(self, "layers", layers)  # as frozen dataclasses do
        given: int | None = None
        for name, layer in self.named_layers().items():
            n_in, n_out = layer.features()
            if given is not None and n_in not in (None, given):
                raise ValueError(f"layer {name}, {layer}: takes {n_in} features, but the layers before it give {given}")
            given = given if n_out is None else n_out

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    @overload
    def __getitem__(self, i: int) -> Layer: ...
    @overload
    def __getitem__(self, i: slice) -> "Sequential": ...
    def __getitem__(self, i: int | slice) -> "Layer | Sequential":
        return Sequential(*self.layers[i]) if isinstance(i, slice) else self.layers[i]

    def __hash__(self) -> int:
        try:
            return hash(self.layers)
        except TypeError:  # a layer holds an array, say; equal nets have the same kinds of layers, at least
            return hash(tuple(map(type, self.layers)))

    def __repr__(self) -> str:
        said = [short(layer) for layer in self.layers]
        if len(said) > SHOWN:
            half = SHOWN // 2
            said[half:-half] = [f"... {len(said) - 2 * half} more ..."]
        return f"Sequential({', '.join(said)})"

    def __call__(self, params: Array | Mapping[str, Array], state: Mapping[str, Array], x: Array) -> Array:
        """Return the output for `x` in evaluation, without a cache; see ``forward``."""
        return self.forward(params, state, x, train=False)[0]

    def summary(self) -> str:
        """Return a table of the layers: output shapes, parameters, multiply-adds per sample, and their totals."""
        n, rows = self.n_in, [("layer", "", "output", "parameters", "multiply-adds")]
        for name, layer in self.named_layers().items():
            n_in, n_out = layer.features()
            n = n_out or n_in or n
            count = sum(prod(p.shape) for p in layer.parameters().values())
            rows.append((name, short(layer), f"(N, {n or 'n'})", f"{count:,}", f"{layer.multiply_adds():,}"))
        rows.append(("total", "", "", f"{self.n_parameters:,}", f"{self.multiply_adds():,}"))
        names = max(len(row[0]) for row in rows[1:-1])
        layers = [f"{row[0]:<{names}}  {row[1]}".rstrip() if row[1] else row[0] for row in rows]
        width, output = max(map(len, layers)), max(len(row[2]) for row in rows)
        return "\n".join(
            f"{layer:<{width}}  {row[2]:<{output}}  {row[3]:>12}  {row[4]:>13}"
            for layer, row in zip(layers, rows, strict=True)
        )

    def named_layers(self) -> dict[str, Layer]:
        """Return the layers that are no ``Sequential``, by their places: "0", "1", "2.0"."""
        return {
            f"{i}.{name}" if name else f"{i}": leaf
            for i, layer in enumerate(self.layers)
            for name, leaf in (layer.named_layers() if isinstance(layer, Sequential) else {"": layer}).items()
        }

    def features(self) -> tuple[int | None, int | None]:
        """Return the number of features of the first layer that has one, and of the last."""
        return self.n_in, self.n_out

    @cached_property
    def n_in(self) -> int | None:
        """Number of features taken, or None if any number is."""
        return next((n_in for n_in, _ in (layer.features() for layer in self.layers) if n_in is not None), None)

    @cached_property
    def n_out(self) -> int | None:
        """Number of features given, or None if as many as are taken."""
        outputs = (n_out for _, n_out in (layer.features() for layer in reversed(self.layers)))
        return next((n_out for n_out in outputs if n_out is not None), None)

    @cached_property
    def n_parameters(self) -> int:
        """Number of parameters of one member, without the gaps in the vector."""
        return sum(prod(p.shape) for p in self._parameters.values())

    @property
    def uses_rng(self) -> bool:
        """Whether any layer does."""
        return any(layer.uses_rng for layer in self.layers)

    def multiply_adds(self) -> int:
        """Return the sum over the layers."""
        return sum(layer.multiply_adds() for layer in self.layers)

    def parameters(self) -> dict[str, Parameter]:
        """Return the parameters of all layers by name, in the layers' order."""
        return dict(self._parameters)

    def state(self) -> dict[str, Parameter]:
        """Return the state of all layers by name, in the layers' order."""
        return dict(self._state)

    @cached_property
    def _parameters(self) -> dict[str, Parameter]:
        return {f"{i}.{name}": p for i, layer in enumerate(self.layers) for name, p in layer.parameters().items()}

    @cached_property
    def _state(self) -> dict[str, Parameter]:
        return {f"{i}.{name}": p for i, layer in enumerate(self.layers) for name, p in layer.state().items()}

    @cached_property
    def layout(self) -> Layout:
        """Places of the parameters in the vector."""
        return Layout(self._parameters)

    @overload
    def init(
        self, seed: int | Iterable[int], like: None = None
    ) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]: ...
    @overload
    def init(self, seed: int | Iterable[int], like: A) -> tuple[A, dict[str, A]]: ...
    def init(self, seed: int | Iterable[int], like: Any = None) -> tuple[Any, dict[str, Any]]:
        """Return parameters and state to start from.

        The same seed gives the same numbers, rounded to the dtype, with every array library.

        Parameters
        ----------
        seed : int or iterable of int
            0 to 2^64 - 1; K of them make K members.
        like : array of float32 or float64, optional
            The result has its library, dtype and device; NumPy's float32 by default.

        Returns
        -------
        params : array, shape (P,) or (K, P)
        state : dict of arrays, each of shape (*shape) or (K, *shape)
        """
        like = np.zeros(1, np.float32) if like is None else like
        seeds = list(seed) if isinstance(seed, Iterable) else [seed]
        if not seeds:
            raise ValueError("seed: expected a number, or one for each member, got none")
        hosts = draw(self._parameters | self._state, seeds)
        vector = self.layout.join(hosts, like=np.zeros((len(seeds), self.layout.size)))
        state = {name: hosts[name] for name in self._state}
        if not isinstance(seed, Iterable):
            vector, state = vector[0], {name: host[0] for name, host in state.items()}
        return place(vector, like), {name: place(host, like) for name, host in state.items()}

    def forward(
        self,
        params: Array | Mapping[str, Array],
        state: Mapping[str, Array],
        x: Array,
        *,
        train: bool,
        rng: Array | None = None,
    ) -> tuple[Array, Any, Arrays]:
        """Run the layers one after another.

        Parameters
        ----------
        params : array, shape (P,) or (K, P), or dict of arrays by name
            As from ``init``; K members. An outer ``Sequential`` gives a dict.
        state : dict of arrays, each of shape (*shape) or (K, *shape)
        x : array, shape (N, n_in) or (K, N, n_in)
            Of the library, dtype and device of the parameters. Without the K, members share it.
        train : bool
            Whether batch normalization uses the batch's statistics and updates the running ones.
        rng : array of int32, shape (2,) or (K, 2), optional
            Key of the random numbers of this step; see ``anynet.random``. Needed in training if ``uses_rng``.

        Returns
        -------
        y : array, shape (N, n_out) or (K, N, n_out)
        cache : object
            For ``backward``.
        state : dict of arrays
            The new state.

        Raises
        ------
        TypeError, ValueError
            If something does not fit, with its name.
        """
        if isinstance(params, Mapping):
            self._check_names(params, state, x)
        else:
            self._check(params, state, x)
            params = self.layout.split(params)
        caches, parts = [], self._by_layer(params)
        new_state: Arrays = {}
        for i, (layer, own, held) in enumerate(zip(self.layers, parts, self._by_layer(state), strict=True)):
            if layer.uses_rng:
                own_rng = self._rng(i, rng, train=train)
                x, cache, held = layer.forward(own, held, x, train=train, rng=own_rng)  # type: ignore[call-arg]
            else:
                x, cache, held = layer.forward(own, held, x, train=train)
            caches.append(cache)
            new_state.update({f"{i}.{name}": array for name, array in held.items()})
        return x, caches, new_state

    @overload
    def backward(self, params: Mapping[str, Array], cache: Any, dy: Array) -> tuple[Array, Arrays]: ...
    @overload
    def backward(self, params: Array, cache: Any, dy: Array) -> tuple[Array, Array]: ...
    def backward(self, params: Any, cache: Any, dy: Array) -> tuple[Array, Any]:
        """Return the gradients by the input and by the parameters.

        Parameters
        ----------
        params : array or dict of arrays
            As given to ``forward``.
        cache : object
            As from ``forward``.
        dy : array, shape (N, n_out) or (K, N, n_out)
            Gradient of the cost by the output.

        Returns
        -------
        dx : array, shape (N, n_in) or (K, N, n_in)
            With K members also where they share one input.
        grads : array or dict of arrays
            Like `params`.
        """
        dy, grads, first = self._backward_to_first(params, cache, dy)
        dx, grads[0] = self.layers[0].backward(first, cache[0], dy)
        return dx, self._join(grads, params)

    @overload
    def parameter_gradients(self, params: Mapping[str, Array], cache: Any, dy: Array) -> Arrays: ...
    @overload
    def parameter_gradients(self, params: Array, cache: Any, dy: Array) -> Array: ...
    def parameter_gradients(self, params: Any, cache: Any, dy: Array) -> Any:
        """Return the gradients by the parameters alone, which is cheaper: training needs no gradient by the input."""
        dy, grads, first = self._backward_to_first(params, cache, dy)
        grads[0] = self.layers[0].parameter_gradients(first, cache[0], dy)
        return self._join(grads, params)

    def _backward_to_first(self, params: Any, cache: Any, dy: Array) -> tuple[Array, list[Arrays], Arrays]:
        """Run all layers but the first backward; return what it gets, all gradients so far, and its parameters."""
        if not isinstance(params, Mapping):
            check_same_dtype(params=params, dy=dy)
        if self.n_out not in (None, dy.shape[-1]):
            raise ValueError(f"dy: expected shape (..., N, {self.n_out}), like the output, got {tuple(dy.shape)}")
        parts = self._by_layer(params if isinstance(params, Mapping) else self.layout.split(params))
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

    def _join(self, grads: list[Arrays], params: Any) -> Any:
        named = {f"{i}.{name}": g for i, own in enumerate(grads) for name, g in own.items()}
        return named if isinstance(params, Mapping) else self.layout.join(named, params)

    def _rng(self, i: int, rng: Array | None, *, train: bool) -> Array | None:
        """Return layer i's rng: as in a net that is not nested, each layer has the next streams."""
        if rng is None:
            if train:
                name, layer = next((name, leaf) for name, leaf in self.named_layers().items() if leaf.uses_rng)
                raise ValueError(
                    f"layer {name}, {short(layer)}: needs random numbers in training; give forward an rng, "
                    f"such as anynet.random.at_step(anynet.random.key(seed), step)"
                )
            return None
        return fold(rng, STREAMS * self._before[i])

    @cached_property
    def _before(self) -> list[int]:
        """How many layers that are no ``Sequential`` come before each layer."""
        sizes = [len(layer.named_layers()) if isinstance(layer, Sequential) else 1 for layer in self.layers]
        return [sum(sizes[:i]) for i in range(len(sizes))]

    def _check(self, params: Array, state: Mapping[str, Array], x: Array) -> None:
        check_same_device(params=params, x=x)
        if params.shape[-1:] != (self.layout.size,):
            raise ValueError(f"params: expected shape (..., {self.layout.size}) for {self}, got {tuple(params.shape)}")
        if x.ndim < 2 or self.n_in not in (None, x.shape[-1]):
            raise ValueError(f"{self._first()}: expected x of shape (..., N, {self.n_in}), got {tuple(x.shape)}")
        if x.dtype != params.dtype:
            raise TypeError(
                f"{self._first()}: expected x of its parameters' dtype, {params.dtype}, got {x.dtype}; cast one of them"
            )
        if x.shape[:-2] not in ((), params.shape[:-1]):
            raise ValueError(
                f"{self._first()}: x of shape {tuple(x.shape)} is neither shared by the members of params, of shape "
                f"{tuple(params.shape)}, nor one for each of them"
            )
        expected = {name: (*params.shape[:-1], *p.shape) for name, p in self._state.items()}
        found = {name: tuple(array.shape) for name, array in state.items()}
        if found != expected:
            raise ValueError(f"state: expected arrays of shapes {expected}, as from init, got {found}")
        check_same_dtype(params=params, **{f"state {name}": array for name, array in state.items()})

    def _first(self) -> str:
        name, layer = next(iter(self.named_layers().items()))
        return f"layer {name}, {layer}"

    def _check_names(self, params: Mapping[str, Array], state: Mapping[str, Array], x: Array) -> None:
        for kind, expected, found in (("params", self._parameters, params), ("state", self._state, state)):
            if expected.keys() != found.keys():
                raise ValueError(f"{kind}: expected arrays named {[*expected]} for {self}, got {[*found]}")
        if x.ndim < 2 or self.n_in not in (None, x.shape[-1]):
            raise ValueError(f"{self}: expected x of shape (..., N, {self.n_in}), got {tuple(x.shape)}")
