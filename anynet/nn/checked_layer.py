"""Validation of what layers return that are not anynet's."""

from collections.abc import Mapping
from math import prod
from typing import Any

from anynet.core.checks import describe
from anynet.core.typing import Array, Arrays
from anynet.nn.layer import Layer
from anynet.nn.layer_text import short
from anynet.nn.sizes import image_in


class CheckedLayer(Layer):
    """A layer whose results are checked, since wrong shapes may fit by broadcasting.

    Layers of anynet are proved by tests, and not checked in every step.

    Parameters
    ----------
    place : int
        Place in its net.
    layer : Layer

    Raises
    ------
    ValueError
        By its methods, if those of the layer return something else than documented in `Layer`.
    """

    def __init__(self, place: int, layer: Layer) -> None:
        self._place, self._layer = place, layer

    @property
    def uses_rng(self) -> bool:
        """True if the layer uses random numbers."""
        return self._layer.uses_rng

    def forward(
        self, params: Arrays, state: Arrays, x: Array, *, train: bool, **rng: Array | None
    ) -> tuple[Array, Any, Arrays]:
        """Return what the layer does."""
        returned = self._layer.forward(params, state, x, train=train, **rng)
        if not isinstance(returned, tuple) or len(returned) != 3:
            raise self._error("forward", "(y, cache, state)", _text(returned))
        y, _, new = returned
        n_out, shape = self._layer.features()[1], _shape(y) or ()
        last = (self._samples(x.shape[-2], 0), x.shape[-1] if n_out is None else n_out)
        if shape[-2:] != last:
            raise self._error("forward", f"y of shape (..., {last[0]}, {last[1]})", _text(y))
        self._check_dtype("forward", "y", y, x)
        self._check_named("forward", "state", new, {name: None for name in self._layer.state()})
        return returned

    def backward(self, params: Arrays, cache: Any, dy: Array) -> tuple[Array, Arrays]:
        """Return what the layer does."""
        returned = self._layer.backward(params, cache, dy)
        if not isinstance(returned, tuple) or len(returned) != 2:
            raise self._error("backward", "(dx, grads)", _text(returned))
        dx, grads = returned
        n_in, n_out = self._layer.features()
        n_in = dy.shape[-1] if n_in is None and n_out is None else n_in
        shape, ahead = _shape(dx) or (), (*dy.shape[:-2], self._samples(dy.shape[-2], 1))
        if shape[:-1] != ahead or n_in not in (None, shape[-1]):
            raise self._error("backward", f"dx of shape ({', '.join(map(str, ahead))}, {n_in or 'n'})", _text(dx))
        self._check_dtype("backward", "dx", dx, dy)
        self._check_grads("backward", grads, dy)
        return returned

    def parameter_gradients(self, params: Arrays, cache: Any, dy: Array) -> Arrays:
        """Return what the layer does."""
        grads = self._layer.parameter_gradients(params, cache, dy)
        self._check_grads("parameter_gradients", grads, dy)
        return grads

    def _samples(self, n: int, given: int) -> int:
        """Return the number of samples of the output for that of the input or, if `given` is 1, the inverse.

        They differ in layers of images, whose samples are pixels.
        """
        if not self._layer.takes_images:
            return n
        image = image_in(self._layer)
        pixels = prod(image or (1,)), prod(self._layer.image_out(image) or (1,))
        return n // pixels[given] * pixels[1 - given]

    def _check_dtype(self, method: str, name: str, array: Array, given: Array) -> None:
        if getattr(array, "dtype", None) != given.dtype:
            raise self._error(method, f"{name} of dtype {given.dtype}, as it was given", f"{array.dtype}")

    def _check_grads(self, method: str, grads: Any, dy: Array) -> None:
        members = tuple(dy.shape[:-2])
        self._check_named(
            method, "gradients", grads, {name: (*members, *p.shape) for name, p in self._layer.parameters().items()}
        )

    def _check_named(self, method: str, kind: str, found: Any, shapes: Mapping[str, tuple[int, ...] | None]) -> None:
        """Check a dict of arrays: its names, and the shapes that are not None."""
        if not isinstance(found, Mapping) or found.keys() != shapes.keys():
            got = f"those of {[*found]}" if isinstance(found, Mapping) else _text(found)
            raise self._error(method, f"a dict of {kind} of {[*shapes]}", got)
        for name, shape in shapes.items():
            if shape is not None and _shape(found[name]) != shape:
                raise self._error(method, f"{kind} of {name} of shape {shape}", _text(found[name]))

    def _error(self, method: str, expected: str, got: str) -> ValueError:
        name = f"layer {self._place}, {short(self._layer)}"
        return ValueError(f"{name}: expected {method} to return {expected}, got {got}")


def checked(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Return the layers of a net, with those that are not anynet's checked."""
    own = [type(layer).__module__.partition(".")[0] == "anynet" for layer in layers]
    return tuple(layer if own[i] else CheckedLayer(i, layer) for i, layer in enumerate(layers))


def _shape(value: Any) -> tuple[int, ...] | None:
    """Return the shape of an array; None of other things."""
    shape = getattr(value, "shape", None)
    return None if shape is None else tuple(shape)


def _text(value: Any) -> str:
    return describe(value) if _shape(value) is None else f"shape {_shape(value)}"
