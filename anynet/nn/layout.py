"""Where each parameter lies in a net's one vector."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from array_api_compat import array_namespace, device

from anynet.core.typing import A
from anynet.nn.layer import Parameter

ALIGNMENT = 16
"""Every parameter starts at a multiple of this many elements: 64 bytes of float32, a cache line and a SIMD register."""


class Slot(NamedTuple):
    """Elements ``start`` to ``stop`` of the vector hold one parameter of this shape."""

    start: int
    stop: int
    shape: tuple[int, ...]


class Layout:
    """All weights first, then everything else, so that the L2 penalty is one slice of the vector.

    n_weights: the penalty's slice is ``vector[..., :n_weights]``.
    size: length of the vector. Gaps left by the alignment hold zeros, and their gradients are zeros.

    >>> from anynet.nn.initializers import Zeros
    >>> layout = Layout({"b": Parameter((3,), Zeros()), "W": Parameter((2, 3), Zeros(), is_weight=True)})
    >>> layout.slots
    {'W': Slot(start=0, stop=6, shape=(2, 3)), 'b': Slot(start=16, stop=19, shape=(3,))}
    """

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self.slots: dict[str, Slot] = {}
        self.size = 0
        self._place((name, p.shape) for name, p in parameters.items() if p.is_weight)
        self.n_weights = self.size
        self._place((name, p.shape) for name, p in parameters.items() if not p.is_weight)

    def _place(self, shapes: Iterable[tuple[str, tuple[int, ...]]]) -> None:
        for name, shape in shapes:
            stop = self.size + math.prod(shape)
            self.slots[name] = Slot(self.size, stop, shape)
            self.size = math.ceil(stop / ALIGNMENT) * ALIGNMENT

    def split(self, vector: A) -> dict[str, A]:
        """Parameters by name, each of shape (..., *shape), from a vector of shape (..., size); views where possible."""
        xp, members = array_namespace(vector), vector.shape[:-1]
        return {
            name: xp.reshape(vector[..., start:stop], (*members, *shape))
            for name, (start, stop, shape) in self.slots.items()
        }

    def join(self, parts: Mapping[str, A], like: A) -> A:
        """The vector of shape (..., size) of which ``split`` makes these parts; ``like`` is such a vector."""
        xp, members = array_namespace(like), like.shape[:-1]
        pieces, end = list[A](), 0
        for name, (start, stop, _) in self.slots.items():
            pieces += self._gap(like, start - end)
            pieces.append(xp.reshape(parts[name], (*members, stop - start)))
            end = stop
        if not pieces:
            return like
        return xp.concat([*pieces, *self._gap(like, self.size - end)], axis=-1)

    def _gap(self, like: A, length: int) -> list[A]:
        if length == 0:
            return []
        return [array_namespace(like).zeros((*like.shape[:-1], length), dtype=like.dtype, device=device(like))]
