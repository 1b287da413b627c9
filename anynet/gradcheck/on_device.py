"""Functions of a backend's arrays, asked from the host."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from anynet.backends import Backend
from anynet.backends import backend as choose_backend
from anynet.core.typing import Array, Arrays
from anynet.gradcheck.differences import Host

Point = Mapping[str, Host]
"""Arrays by name, NumPy's."""


class OnDevice:
    """A backend and a dtype, in which functions of NumPy arrays are computed.

    what: whose functions they are, for messages.
    """

    def __init__(self, what: object, backend: Backend | str | None, dtype: str) -> None:
        self.backend = backend if isinstance(backend, Backend) else choose_backend(backend)
        self.backend.dtype(dtype)
        self._what = what
        self._dtype = dtype

    def host(self, arrays: Mapping[str, ArrayLike]) -> dict[str, Host]:
        """The numbers in the dtype asked for, still NumPy's."""
        return {name: np.asarray(x).astype(self._dtype) for name, x in arrays.items()}

    def place(self, point: Point) -> dict[str, Array]:
        """The numbers on the device, in arrays of their own."""
        return {name: self.backend.asarray(x.copy()) for name, x in point.items()}

    def function(self, value: Callable[[Arrays], Array]) -> Callable[[Point], Host]:
        """From NumPy's arrays to NumPy's; an array that is the one of the call before is not moved again.

        Raises ValueError where the first call changes an argument.
        """
        compiled, placed = self.backend.compile(value), dict[str, tuple[Host, Array]]()

        def on_host(point: Point) -> Host:
            first = not placed
            for name, x in point.items():
                if name not in placed or placed[name][0] is not x:
                    placed[name] = (x, self.place({name: x})[name])
            arrays = {name: array for name, (_, array) in placed.items()}
            found = np.asarray(self.backend.to_host(compiled(arrays)))
            if first:
                self._refuse_writes(arrays, point)
            return found

        return on_host

    def gradients(self, *ways: Callable[[Arrays], Arrays]) -> Callable[[Point], Mapping[str, Host]]:
        """From NumPy's arrays to NumPy's: gradients in the first way, which the others must say too.

        Raises ValueError where they do not, and where one changes an argument.
        """
        compiled = [(way.__name__, self.backend.compile(way)) for way in ways]

        def on_host(point: Point) -> Mapping[str, Host]:
            says: dict[str, Mapping[str, Host]] = {}
            for name, way in compiled:
                arrays = self.place(point)
                says[name] = {key: np.asarray(self.backend.to_host(array)) for key, array in way(arrays).items()}
                self._refuse_writes(arrays, point)
            (first, found), *others = says.items()
            for other, too in others:
                self._refuse_differences(first, found, other, too)
            return found

        return on_host

    def _refuse_writes(self, arrays: Mapping[str, Array], point: Point) -> None:
        for name, array in arrays.items():
            if not np.array_equal(self.backend.to_host(array), point[name], equal_nan=True):
                raise ValueError(f"{self._what} writes into {name}, its argument, which must stay as it was")

    def _refuse_differences(self, first: str, found: Mapping[str, Host], other: str, too: Mapping[str, Host]) -> None:
        expected = {name: gradient.shape for name, gradient in found.items() if name != "input"}
        shapes = {name: gradient.shape for name, gradient in too.items()}
        if shapes != expected:
            raise ValueError(f"{self._what}: {first} gives gradients of shapes {expected}, {other} of {shapes}")
        for name, gradient in too.items():
            allowed = 1e4 * np.finfo(self._dtype).eps * np.max(np.abs(found[name]), initial=0)
            if np.any(np.abs(gradient - found[name]) > allowed):
                raise ValueError(f"{self._what}: {other} says another gradient by {name} than {first}")
