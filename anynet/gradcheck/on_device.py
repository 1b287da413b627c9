"""Functions of a backend's arrays as functions of NumPy arrays."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from anynet.backends import Backend
from anynet.backends import backend as choose_backend
from anynet.core.typing import Array, Arrays
from anynet.gradcheck.differences import FloatArray

Point = Mapping[str, FloatArray]
"""NumPy arrays by name."""


class OnDevice:
    """A backend and a dtype in which functions of NumPy arrays are evaluated.

    Parameters
    ----------
    name : object
        Name of the function's owner, such as a layer, for error messages.
    backend : Backend or str, optional
        As in `anynet.backend`.
    dtype : {"float32", "float64"}

    Raises
    ------
    BackendError, ValueError
        If the backend or the dtype is not available.
    """

    def __init__(self, name: object, backend: Backend | str | None, dtype: str) -> None:
        self.backend = backend if isinstance(backend, Backend) else choose_backend(backend)
        self.backend.dtype(dtype)
        self._name = name
        self._dtype = dtype

    def host(self, arrays: Mapping[str, ArrayLike]) -> dict[str, FloatArray]:
        """Convert arrays to NumPy arrays of the dtype.

        Parameters
        ----------
        arrays : mapping of str to array_like

        Returns
        -------
        dict of str to ndarray
        """
        return {name: np.asarray(x).astype(self._dtype) for name, x in arrays.items()}

    def place(self, point: Point) -> Arrays:
        """Copy NumPy arrays to the device.

        Parameters
        ----------
        point : mapping of str to ndarray

        Returns
        -------
        dict of str to array
        """
        return {name: self.backend.asarray(x.copy()) for name, x in point.items()}

    def function(self, value: Callable[[Arrays], Array]) -> Callable[[Point], FloatArray]:
        """Wrap a function to take and return NumPy arrays.

        An array that is the same object as in the previous call is not copied to the device again.

        Parameters
        ----------
        value : callable
            Function of the backend's arrays by name.

        Returns
        -------
        callable
            Raises ValueError if the first call modifies an argument.
        """
        compiled, placed = self.backend.compile(value), dict[str, tuple[FloatArray, Array]]()

        def on_host(point: Point) -> FloatArray:
            first = not placed
            for name, x in point.items():
                if name not in placed or placed[name][0] is not x:
                    placed[name] = (x, self.place({name: x})[name])
            arrays = {name: array for name, (_, array) in placed.items()}
            found = np.asarray(self.backend.to_host(compiled(arrays)))
            if first:
                self._check_unchanged(arrays, point)
            return found

        return on_host

    def gradients(self, *functions: Callable[[Arrays], Arrays]) -> Callable[[Point], Mapping[str, FloatArray]]:
        """Wrap gradient functions to take and return NumPy arrays.

        Parameters
        ----------
        *functions : callable
            Functions of the backend's arrays by name that return gradients by name. All must agree; those after the
            first leave out the gradient with respect to "input".

        Returns
        -------
        callable
            Returns the gradients of the first function. Raises ValueError if the functions disagree, or if one
            modifies an argument.
        """
        compiled = [(function.__name__, self.backend.compile(function)) for function in functions]

        def on_host(point: Point) -> Mapping[str, FloatArray]:
            found: dict[str, Mapping[str, FloatArray]] = {}
            for name, function in compiled:
                arrays = self.place(point)
                found[name] = {key: np.asarray(self.backend.to_host(x)) for key, x in function(arrays).items()}
                self._check_unchanged(arrays, point)
            (first, gradients), *others = found.items()
            for other, too in others:
                self._check_equal(first, gradients, other, too)
            return gradients

        return on_host

    def _check_unchanged(self, arrays: Arrays, point: Point) -> None:
        for name, array in arrays.items():
            if not np.array_equal(self.backend.to_host(array), point[name], equal_nan=True):
                raise ValueError(f"{self._name} modifies its argument {name}; let it work on a copy")

    def _check_equal(
        self, first: str, gradients: Mapping[str, FloatArray], other: str, too: Mapping[str, FloatArray]
    ) -> None:
        expected = {name: gradient.shape for name, gradient in gradients.items() if name != "input"}
        shapes = {name: gradient.shape for name, gradient in too.items()}
        if shapes != expected:
            raise ValueError(f"{self._name}: {first} returns gradients of shapes {expected}, {other} of {shapes}")
        for name, gradient in too.items():
            allowed = 1e4 * np.finfo(self._dtype).eps * np.max(np.abs(gradients[name]), initial=0)
            if np.any(np.abs(gradient - gradients[name]) > allowed):
                raise ValueError(f"{self._name}: {first} and {other} return different gradients with respect to {name}")
