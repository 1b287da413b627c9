"""Places of the parameters in a net's parameter vector."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from array_api_compat import array_namespace, device

from anynet.core.formatting import format_count
from anynet.core.typing import A
from anynet.nn.layer import Parameter

ALIGNMENT = 16
"""Alignment of each parameter, in elements: 64 bytes of float32, a cache line and a SIMD register."""


class Slot(NamedTuple):
    """Place of one parameter: elements ``start`` to ``stop``, without the last, of the vector.

    Attributes
    ----------
    start, stop : int
        Range of elements.
    shape : tuple of int
        Shape of the parameter.
    """

    start: int
    stop: int
    shape: tuple[int, ...]


class Layout:
    """Places of the parameters in the vector: all weights, then everything else, so that the weights are one slice.

    Parameters
    ----------
    parameters : mapping of str to Parameter
        Parameters by name.

    Attributes
    ----------
    slots : dict of Slot
        Place of each parameter, in the order of the vector.
    n_weights : int
        The weights are ``vector[..., :n_weights]``.
    size : int
        Length of the vector. Padding for the alignment is zero, and so are its gradients.

    Examples
    --------
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

    def __repr__(self) -> str:
        return f"Layout({format_count(len(self.slots), 'parameter')}, {self.size:,} numbers)"

    def split(self, vector: A) -> dict[str, A]:
        """Return the parameters by name.

        Parameters
        ----------
        vector : array, shape (..., size)
            Parameter vector of each member.

        Returns
        -------
        dict of arrays, each of shape (..., *shape)
            Views where the library has them.
        """
        xp, members = array_namespace(vector), vector.shape[:-1]
        return {
            name: xp.reshape(vector[..., start:stop], (*members, *shape))
            for name, (start, stop, shape) in self.slots.items()
        }

    def join(self, parts: Mapping[str, A], like: A) -> A:
        """Return the vector with the given parts; the inverse of ``split``.

        Parameters
        ----------
        parts : mapping of arrays, each of shape (..., *shape)
            Parameters, or their gradients, by name.
        like : array, shape (..., size)
            Array whose leading axes, library, dtype and device the vector has.

        Returns
        -------
        array, shape (..., size)
        """
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
