"""The array libraries, and the strict ways of one, that every test of arrays runs on.

A test hands NumPy arrays to ``library.call(function, ...)`` and gets NumPy arrays back; between the two, the function
sees the library's own arrays, made as awkward as that library allows.
"""

from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from typing import Any
from unittest.mock import patch

import array_api_compat
import numpy as np
import pytest


def tree_map(change: Callable[[Any], Any], tree: Any) -> Any:
    """Change every leaf of nested dicts, lists and tuples; None stays."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {key: tree_map(change, value) for key, value in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(tree_map(change, value) for value in tree))
    if isinstance(tree, (list, tuple)):
        return type(tree)(tree_map(change, value) for value in tree)
    return change(tree)


class Library:
    """NumPy itself, and what the others do differently."""

    dtype = "float64"

    @property
    def rtol(self) -> float:
        """How far gradients may be from NumPy's in float64, relative to the largest."""
        return 1e-10 if self.dtype == "float64" else 1e-5

    def context(self):
        return nullcontext()

    def asarray(self, host: np.ndarray) -> Any:
        return np.array(host)

    def to_host(self, array: Any) -> np.ndarray:
        return np.asarray(array)

    def device_of(self, array: Any) -> Any:
        return array_api_compat.device(array)

    def compile(self, function):
        return function

    def put(self, tree: Any) -> Any:
        """NumPy arrays as the library's, floating-point ones in the library's dtype."""

        def one(leaf):
            host = np.asarray(leaf)
            return self.asarray(host.astype(self.dtype) if host.dtype.kind == "f" else host)

        return tree_map(one, tree)

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call with the library's arrays; what comes back must be the library's too, on the same device, as precise."""
        example = self.put(np.zeros(1))
        inputs = self.put(args)
        with self.context():
            outputs = self.compile(function)(*inputs)

        def one(leaf):
            # NumPy and CuPy reduce to scalars of their own, which the array API's namespace takes for arrays.
            assert array_api_compat.array_namespace(leaf) is array_api_compat.array_namespace(example)
            assert self.device_of(leaf) == self.device_of(example)
            host = self.to_host(leaf)
            assert host.dtype.kind != "f" or host.dtype == self.dtype
            return host

        return tree_map(one, outputs)


class ReadOnlyNumpy(Library):
    """Writing into an argument raises."""

    def asarray(self, host):
        array = np.array(host)
        array.flags.writeable = False
        return array


class Strict(Library):
    """Nothing but the standard; no default device; reading an array on the host raises."""

    HOST_READS = ("__bool__", "__float__", "__int__", "__index__", "__complex__", "__array__", "__buffer__", "__iter__")

    def __init__(self, device: str) -> None:
        self.xp = pytest.importorskip("array_api_strict")
        self.device = self.xp.Device(device)
        self.dtype = "float32" if device == "no_float64" else "float64"

    def context(self):
        def refuse(array, *args, **kwargs):
            raise AssertionError("an array was read on the host inside a step")

        guard = ExitStack()
        guard.enter_context(self.xp.ArrayAPIStrictFlags(boolean_indexing=False, data_dependent_shapes=False))
        for name in self.HOST_READS:
            guard.enter_context(patch.object(type(self.xp.zeros(1)), name, refuse))
        return guard

    def asarray(self, host):
        return self.xp.asarray(host, device=self.device)

    def to_host(self, array):
        return np.asarray(array.to_device(self.xp.Device("CPU_DEVICE")))


class Torch(Library):
    def __init__(self) -> None:
        self.torch = pytest.importorskip("torch")

    def asarray(self, host):
        return self.torch.tensor(host)

    def to_host(self, array):
        return array.numpy()


class JaxJit(Library):
    """Inside ``jit`` no array has a value, so reading one raises."""

    def __init__(self) -> None:
        self.jax = pytest.importorskip("jax")
        self.jax.config.update("jax_enable_x64", True)

    def asarray(self, host):
        return self.jax.numpy.asarray(host)

    def compile(self, function):
        return self.jax.jit(function)


class Cupy(Library):
    def __init__(self) -> None:
        self.cupy = pytest.importorskip("cupy")
        if not self.cupy.is_available():
            pytest.skip("cupy finds no GPU here")

    def asarray(self, host):
        return self.cupy.array(host)

    def to_host(self, array):
        return self.cupy.asnumpy(array)


LIBRARIES: dict[str, Callable[[], Library]] = {
    "numpy": Library,
    "numpy-readonly": ReadOnlyNumpy,
    "strict": lambda: Strict("CPU_DEVICE"),
    "strict-device1": lambda: Strict("device1"),
    "strict-no_float64": lambda: Strict("no_float64"),
    "torch": Torch,
    "jax-jit": JaxJit,
    "cupy": Cupy,
}
