"""Layers that run one after another, forward and backward."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, overload

from anynet.core.pixels import IMAGES, form_of, from_pixels, to_pixels
from anynet.core.random import fold
from anynet.core.typing import Array, Arrays
from anynet.nn.arguments import check_gradient, check_key, check_named, check_vector
from anynet.nn.container import Container
from anynet.nn.layer_names import by_layer, by_place

STREAMS = 1 << 16
"""Number of random streams, ``anynet.core.random.fold(rng, i)``, that each layer has."""


@dataclass(frozen=True, init=False, repr=False, eq=False)  # which are those of Container
class Chain(Container):
    """Base class of `Sequential`: layers that run one after another, with their parameters in one vector or by name."""

    def sample_axes(self, x: Array) -> int:
        """Return what the first layer does; of images, 3 or 1."""
        if self.image_shape is not None:
            return 3 if form_of(x, self.image_shape) == IMAGES else 1
        return self.layers[0].sample_axes(x)

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
            Parameters from ``init``. An outer ``Sequential`` passes a dict.
        state : dict of arrays, each of shape (*shape) or (K, *shape)
            State from ``init`` or the previous step.
        x : array, shape (N, n_in) or (K, N, n_in)
            Input, of the library, dtype and device of the parameters. Members share an input without the K. If the
            first layer is `Flatten`, samples may have its shape: (N, *shape) or (K, N, *shape). Images may have shape
            (..., N, C * H * W), (..., N, C, H, W), or that of pixels, (..., N * H * W, C).
        train : bool
            True in training: batch normalization uses the statistics of the batch and updates the running ones.
        rng : array of int32, shape (2,) or (K, 2), optional
            Key of the random numbers of this step; see ``anynet.random``. Required in training if ``uses_rng``.

        Returns
        -------
        y : array, shape (N, n_out) or (K, N, n_out)
            Output.
        cache : object
            Argument of ``backward``.
        state : dict of arrays
            New state.

        Raises
        ------
        TypeError
            If libraries or dtypes differ, or `rng` is not int32.
        ValueError
            If devices differ, shapes or names do not match, or `rng` is missing.
        """
        if isinstance(params, Mapping):
            members = check_named(self, params, state, x)
        else:
            members = check_vector(self, params, state, x)
        if self.uses_rng:
            check_key(self, rng, members, x, train=train)
        if not isinstance(params, Mapping):
            params = self.layout.split(params)
        given = x
        if self.image_shape is not None:
            x = to_pixels(x, self.image_shape)
        caches, states = list[Any](), list[Arrays]()
        n = len(self.layers)
        arrays = zip(self._checked, by_layer(params, n), by_layer(state, n), strict=True)
        for i, (layer, own, held) in enumerate(arrays):
            if layer.uses_rng:
                key = rng if rng is None else fold(rng, STREAMS * self._leaves_before[i])  # the same in a nested net
                x, cache, held = layer.forward(own, held, x, train=train, rng=key)  # type: ignore[call-arg]
            else:
                x, cache, held = layer.forward(own, held, x, train=train)
            caches.append(cache)
            states.append(held)
        if self.image_shape is not None:
            caches.append({form_of(given, self.image_shape): None})  # as a key, which jax.jit leaves as it is
        return x, caches, by_place(states)

    @overload
    def backward(self, params: Mapping[str, Array], cache: Any, dy: Array) -> tuple[Array, Arrays]: ...
    @overload
    def backward(self, params: Array, cache: Any, dy: Array) -> tuple[Array, Array]: ...
    def backward(self, params: Any, cache: Any, dy: Array) -> tuple[Array, Any]:
        """Return the gradients with respect to the input and the parameters.

        Parameters
        ----------
        params : array or dict of arrays
            Parameters that were passed to ``forward``.
        cache : object
            Cache returned by ``forward``.
        dy : array, shape (N, n_out) or (K, N, n_out)
            Gradient of the cost with respect to the output.

        Returns
        -------
        dx : array, shape of x or (K, *shape of x)
            Gradient of each member, even if members share the input.
        grads : array or dict of arrays
            Gradients in the form of `params`.

        Raises
        ------
        TypeError, ValueError
            If `params`, or the dtype or the shape of `dy`, does not match.
        """
        dy, grads, first = self._backward_to_first(params, cache, dy)
        dx, grads[0] = self._checked[0].backward(first, cache[0], dy)
        if self.image_shape is not None:
            (form,) = cache[-1]
            dx = from_pixels(dx, self.image_shape, form)
        return dx, self._join(grads, params)

    @overload
    def parameter_gradients(self, params: Mapping[str, Array], cache: Any, dy: Array) -> Arrays: ...
    @overload
    def parameter_gradients(self, params: Array, cache: Any, dy: Array) -> Array: ...
    def parameter_gradients(self, params: Any, cache: Any, dy: Array) -> Any:
        """Return the second result of ``backward``, without computing the first."""
        dy, grads, first = self._backward_to_first(params, cache, dy)
        grads[0] = self._checked[0].parameter_gradients(first, cache[0], dy)
        return self._join(grads, params)

    def _backward_to_first(self, params: Any, cache: Any, dy: Array) -> tuple[Array, list[Arrays], Arrays]:
        """Run all layers but the first backward; return its `dy`, the gradients so far, and its parameters."""
        check_gradient(self, params, dy)
        parts = by_layer(params if isinstance(params, Mapping) else self.layout.split(params), len(self.layers))
        grads: list[Arrays] = [{} for _ in self.layers]
        for i in reversed(range(1, len(self.layers))):
            dy, grads[i] = self._checked[i].backward(parts[i], cache[i], dy)
        return dy, grads, parts[0]

    def _join(self, grads: list[Arrays], params: Any) -> Any:
        named = by_place(grads)
        return named if isinstance(params, Mapping) else self.layout.join(named, params)
