"""Residual connections."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from anynet.core.random import fold
from anynet.core.typing import Array, Arrays
from anynet.nn.chain import STREAMS
from anynet.nn.container import Container
from anynet.nn.layer import Layer
from anynet.nn.layer_names import by_layer, by_place
from anynet.nn.sequential import Sequential
from anynet.nn.shortcut import Shortcut


@dataclass(frozen=True, init=False, repr=False, eq=False)  # which are those of Container
class Residual(Container):
    """Layers that run one after another, added to their input: ``y = x + layers(x)``, or ``shortcut(x) + layers(x)``.

    A ``Residual`` is a layer of a `Sequential`, with parameters and state named after the places of its layers, such as
    "1.0.W". It is a value, has a length, can be indexed and iterated over, as a `Sequential` can.

    Parameters
    ----------
    *layers : Layer
        At least one. The last must give as many features, or images of the same size, as the first takes or, if there
        is one, the shortcut gives.
    shortcut : Layer, optional
        Layer that the input goes through before it is added, where the sizes of input and output differ, such as
        ``Conv2d(128, 1, stride=2)`` or a `Sequential`. It is the last of the layers of this one, a ``Shortcut``.

    Raises
    ------
    TypeError
        If an argument is not a layer.
    ValueError
        If there is no layer, or sizes do not match.

    References
    ----------
    He, Zhang, Ren, Sun (2016), Deep residual learning for image recognition, equations 1 and 2.
    https://arxiv.org/abs/1512.03385

    Examples
    --------
    >>> import anynet as an
    >>> block = an.Residual(an.LayerNorm(50), an.Linear(50, 50), an.GELU())
    >>> print(an.Sequential(an.Linear(784, 50), block, an.Linear(50, 10)).summary())
    layer                 output     parameters  multiply-adds
    0    Linear(784, 50)  (N, 50)        39,250         39,200
    1    Residual         (N, 50)             0              0
    1.0  LayerNorm(50)    (N, 50)           100             50
    1.1  Linear(50, 50)   (N, 50)         2,550          2,500
    1.2  GELU()           (N, 50)             0              0
    2    Linear(50, 10)   (N, 10)           510            500
    total                                42,410         42,250
    """

    def __init__(self, *layers: Layer, shortcut: Layer | None = None) -> None:
        super().__init__(*layers, *([] if shortcut is None else [_as_shortcut(shortcut)]))
        (n_in, n_out), image = self.features(), self.image
        given = n_in if self._shortcut is None else self._shortcut.n_out or n_in
        if given is not None and n_out not in (None, given):
            way = f"{given} features of the shortcut" if self._shortcut else f"{given} features they take"
            raise ValueError(f"{self}: expected layers that give the {way}, got {n_out}{self._advice(n_out)}")
        if image is not None:
            ahead = image if self._shortcut is None else self._shortcut.image_out(image)
            if self.image_out(image) != ahead:
                way = "the shortcut gives" if self._shortcut else "they take"
                sizes = (ahead, self.image_out(image))
                expected, got = (f"images of {each} pixels" if each else "features" for each in sizes)
                advice = self._advice(n_out or n_in) if all(sizes) else ""
                raise ValueError(f"{self}: expected layers that give {expected}, as {way}, got {got}{advice}")

    def _advice(self, n_out: int | None) -> str:
        """Return the end of a message: a shortcut, where there is none."""
        if self._shortcut is not None or n_out is None:
            return ""
        if not self.takes_images:
            return f"; give shortcut=Linear({n_out})"
        return f"; give shortcut=Conv2d({n_out}, 1), with the stride with which the layers shrink images"

    def _chains(self) -> list[dict[int, Layer]]:
        chain = dict(enumerate(self.layers))
        if not isinstance(self.layers[-1], Shortcut):
            return [chain]
        last = len(self.layers) - 1
        if not last:
            raise ValueError("a Residual needs at least one layer besides its shortcut")
        return [{i: layer for i, layer in chain.items() if i < last}, {last: chain[last]}]

    @property
    def _shortcut(self) -> Shortcut | None:
        last = self.layers[-1]
        return last if isinstance(last, Shortcut) else None

    @cached_property
    def _branch(self) -> Sequential:
        return Sequential(*self._chains()[0].values())

    def forward(
        self,
        params: Array | Mapping[str, Array],
        state: Mapping[str, Array],
        x: Array,
        *,
        train: bool,
        rng: Array | None = None,
    ) -> tuple[Array, Any, Arrays]:
        """Return ``shortcut(x) + layers(x)``; arguments and results are those of ``Sequential.forward``."""
        first, second = self._parts(params), self._parts(state)
        y, cache, new = self._branch.forward(first[0], second[0], x, train=train, rng=rng)
        ahead, own = x, None
        if self._shortcut is not None:
            key = rng if rng is None else fold(rng, STREAMS * self._leaves_before[-1])
            ahead, own, held = self._shortcut.forward(first[1], second[1], x, train=train, rng=key)
            new = self._joined(new, held)
        if y.shape[-2:] != ahead.shape[-2:]:
            raise ValueError(f"{self}: expected layers that give shape (..., {_last(ahead)}), got (..., {_last(y)})")
        return ahead + y, (cache, own), new

    def backward(self, params: Any, cache: Any, dy: Array) -> tuple[Array, Any]:
        """Return dy, or the gradient of the shortcut, plus that of the layers, and the gradients by the parameters."""
        own = self._parts(params)
        dx, grads = self._branch.backward(own[0], cache[0], dy)
        if self._shortcut is None:
            return dy + dx, grads
        ahead, more = self._shortcut.backward(own[1], cache[1], dy)
        return ahead + dx, self._joined(grads, more)

    def parameter_gradients(self, params: Any, cache: Any, dy: Array) -> Any:
        """Return the second result of ``backward``, without computing the first."""
        own = self._parts(params)
        grads = self._branch.parameter_gradients(own[0], cache[0], dy)
        if self._shortcut is None:
            return grads
        return self._joined(grads, self._shortcut.parameter_gradients(own[1], cache[1], dy))

    def _parts(self, named: Any) -> tuple[Any, Any]:
        """Return what belongs to the layers and to the shortcut, by their own names."""
        if self._shortcut is None:
            return named, {}
        *branch, shortcut = by_layer(named, len(self.layers))
        return by_place(branch), shortcut

    def _joined(self, named: Arrays, shortcut: Arrays) -> Arrays:
        return by_place([*by_layer(named, len(self.layers) - 1), shortcut])


def _as_shortcut(layer: Layer) -> Shortcut:
    return Shortcut(*layer.layers) if type(layer) is Sequential else Shortcut(layer)


def _last(x: Array) -> str:
    return f"{x.shape[-2]}, {x.shape[-1]}"
