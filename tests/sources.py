"""Arrays of every library, in the layouts that it has."""

import numpy as np
import pytest

DTYPES = ("bool", "uint8", "int8", "int32", "float16", "float32", "int64", "float64")

LAYOUTS = {
    "plain": lambda a: a,
    "transposed": lambda a: a.T,
    "every other": lambda a: a[:, ::2],
    "one row": lambda a: a[1, :],
    "from the second": lambda a: a[1:, :],
    "no rows": lambda a: a[:0, :],
    "no dimensions": lambda a: a[1, 1, ...],
}

BACKWARDS = {"backwards": lambda a: a[::-1, ::-1]}
"""Not for PyTorch and JAX, which copy instead."""


def frozen(host):
    array = np.array(host)
    array.flags.writeable = False
    return array


def of_torch(host):
    return pytest.importorskip("torch").tensor(host)


def of_jax(host):
    return pytest.importorskip("jax").numpy.asarray(host)


def of_strict(host, name="CPU_DEVICE"):
    xp = pytest.importorskip("array_api_strict")
    return xp.asarray(np.array(host), device=xp.Device(name))


NUMPYS = {
    "numpy": np.array,
    "read-only": frozen,
    "big-endian": lambda host: host.astype(host.dtype.newbyteorder(">")),
    "fortran": np.asfortranarray,
}
SOURCES = NUMPYS | {
    "torch": of_torch,
    "torch, requires grad": lambda host: of_torch(host).requires_grad_(host.dtype.kind == "f"),
    "jax": of_jax,
    "strict": of_strict,
    "strict, another device": lambda host: of_strict(host, "device1"),
}
