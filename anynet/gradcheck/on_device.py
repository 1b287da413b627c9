"""Functions of a backend's arrays, asked from the host."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from anynet.backends import Backend
from anynet.backends import backend as choose_backend
from anynet.gradcheck.differences import Host
from anynet.typing import Array, Arrays

Point = Mapping[str, Host]
"""Arrays by name, NumPy's."""


class OnDevice:
    """A backend and a dtype, in which functions of NumPy arrays are computed."""

    def __init__(self, backend: Backend | str | None, dtype: str) -> None:
        self.backend = backend if isinstance(backend, Backend) else choose_backend(backend)
        self.backend.dtype(dtype)
        self._dtype = dtype

    def host(self, arrays: Mapping[str, ArrayLike]) -> dict[str, Host]:
        """The numbers in the dtype asked for, still NumPy's."""
        return {name: np.asarray(x).astype(self._dtype) for name, x in arrays.items()}

    def place(self, point: Point) -> dict[str, Array]:
        """The numbers on the device, in arrays of their own."""
        return {name: self.backend.asarray(x.copy()) for name, x in point.items()}

    def function(self, value: Callable[[Arrays], Array]) -> Callable[[Point], Host]:
        """From NumPy's arrays to NumPy's; an array that is the one of the call before is not moved again."""
        compiled, placed = self.backend.compile(value), dict[str, tuple[Host, Array]]()

        def on_host(point: Point) -> Host:
            for name, x in point.items():
                if name not in placed or placed[name][0] is not x:
                    placed[name] = (x, self.place({name: x})[name])
            return np.asarray(self.backend.to_host(compiled({name: array for name, (_, array) in placed.items()})))

        return on_host

    def gradients(self, gradients: Callable[[Arrays], Arrays], what: str) -> Callable[[Point], Mapping[str, Host]]:
        """From NumPy's arrays to NumPy's.

        Raises ValueError where an argument is not afterwards what it was.
        """
        compiled = self.backend.compile(gradients)

        def on_host(point: Point) -> dict[str, Host]:
            placed = self.place(point)
            found = {name: np.asarray(self.backend.to_host(array)) for name, array in compiled(placed).items()}
            for name, array in placed.items():
                if not np.array_equal(self.backend.to_host(array), point[name]):
                    raise ValueError(f"{what} writes into {name}, its argument, which must stay as it was")
            return found

        return on_host
