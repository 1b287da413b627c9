"""A backend in a precision: where a function is tried."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from libraries import tree_map

from anynet.backends import Backend

EXAMPLES = {"numpy": (3, 16), "torch": (2, 16), "cupy": (3, 16), "jax": (2,)}
"""Number of draws of a test and of its thorough variant; the first is the smallest. JAX compiles for each."""


class There(NamedTuple):
    """A backend in a precision.

    thorough: whether tests make many draws.
    """

    backend: Backend
    dtype: str
    thorough: bool = False

    @property
    def examples(self) -> int:
        return EXAMPLES[self.backend.name][self.thorough]

    @property
    def rtol(self) -> float:
        """How far results may be from the same in exact numbers, relative to the largest."""
        return 1e-10 if self.dtype == "float64" else 2e-5

    def put(self, tree: Any) -> Any:
        """NumPy arrays as the backend's, floating-point ones in the precision."""

        def one(leaf: np.ndarray) -> Any:
            leaf = np.asarray(leaf)
            return self.backend.asarray(np.array(leaf, self.dtype if leaf.dtype.kind == "f" else leaf.dtype))

        return tree_map(one, tree)

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, from NumPy arrays to NumPy arrays; what it returns must have kept the precision."""
        compiled = self.backend.compile(function)

        def one(leaf: Any) -> np.ndarray:
            host = self.backend.to_host(leaf)
            assert host.dtype == self.dtype
            return host

        return lambda *args: tree_map(one, compiled(*self.put(args)))

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        return self.compile(function)(*args)
