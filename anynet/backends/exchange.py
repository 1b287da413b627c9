"""Arrays of any library: the library that an array is of, and its values on the host.

PyTorch, JAX and CuPy exchange arrays on one device by DLPack, without a copy. Everything else goes over NumPy, which
takes the memory of the CPU without a copy too.
"""

import sys
from contextlib import nullcontext
from typing import Any

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from anynet.core.checks import describe
from anynet.core.typing import ConcreteArray

KINDS = "biufc"
"""Kinds of NumPy dtypes that arrays of other libraries can have: booleans, integers, floats and complex numbers."""


def library_of(array: Any) -> str | None:
    """Return the library of an array: "numpy", "torch", "jax", "cupy", or None for everything else."""
    is_of = {
        "numpy": array_api_compat.is_numpy_array,
        "torch": array_api_compat.is_torch_array,
        "jax": array_api_compat.is_jax_array,
        "cupy": array_api_compat.is_cupy_array,
    }
    return next((name for name, is_here in is_of.items() if is_here(array)), None)


def exported(array: ConcreteArray, name: str = "array") -> ConcreteArray:
    """Return an array of PyTorch, JAX or CuPy as others can take it, if possible itself; all others as `to_numpy` does.

    PyTorch tensors lose their autograd history.

    Raises TypeError if it is no array, or has no values, or others than strided numbers.
    """
    library = library_of(array)
    if library == "torch":
        return _strided(array, name)
    if library == "jax":
        if isinstance(array, sys.modules["jax"].core.Tracer):
            raise TypeError(
                f"{name}: expected an array with values, got one that JAX traces; call this outside jax.jit"
            )
        if array.is_deleted():
            raise TypeError(f"{name}: expected an array with values, got one that was deleted or donated")
        if not hasattr(array.dtype, "kind"):
            raise TypeError(f"{name}: expected numbers, got {array.dtype}")
        return array
    return array if library == "cupy" else to_numpy(array, name)


def to_numpy(array: ConcreteArray, name: str = "array") -> NDArray[Any]:
    """Return a NumPy array with the values of an array of any library, in its memory if that is the host's.

    Floats that NumPy lacks, such as bfloat16, become float32, which has all their values. The byte order becomes the
    machine's. Write to neither array afterwards.

    Parameters
    ----------
    array : array
        Array of any library that exports arrays by DLPack or to NumPy.
    name : str
        Name in error messages.

    Returns
    -------
    ndarray

    Raises
    ------
    TypeError
        If it is no array, a masked one, or one of texts or objects.
    """
    library = library_of(array)
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name}: expected an array without a mask, got a MaskedArray; its filled() makes one")
    if library == "torch":
        host = _of_torch(_strided(array, name).cpu())
    elif library == "cupy":
        host = array.get()
    elif library == "jax":
        host = np.asarray(exported(array, name))
    elif library == "numpy" or hasattr(array, "__array_namespace__"):
        host = np.from_dlpack(array) if library is None and hasattr(array, "__dlpack__") else np.asarray(array)
    else:
        raise TypeError(f"{name}: expected an array, got {describe(array)}; numpy.asarray makes one")
    if host.dtype.kind == "V" and host.dtype.type is not np.void:
        host = host.astype(np.float32)  # bfloat16 and others of the package ml_dtypes, which JAX needs
    if host.dtype.kind not in KINDS:
        raise TypeError(f"{name}: expected numbers, got dtype {host.dtype}")
    return host.astype(host.dtype.newbyteorder("="), copy=False)


def converted(array: ConcreteArray, dtype: str) -> ConcreteArray:
    """Return what `exported` returned in another dtype, on its own device."""
    xp: Any = array_api_compat.array_namespace(array)
    with array.device if library_of(array) == "cupy" else nullcontext():  # CuPy computes on the current one alone
        return xp.astype(array, getattr(xp, dtype))


def _strided(tensor: ConcreteArray, name: str) -> ConcreteArray:
    """Return a PyTorch tensor without its autograd history. Raises TypeError if it has no values, or keeps others."""
    if tensor.device.type == "meta":
        raise TypeError(f'{name}: expected an array with values, got a tensor on the device "meta"')
    kind = "nested" if tensor.is_nested else "quantized" if tensor.is_quantized else str(tensor.layout)
    if kind != "torch.strided":
        raise TypeError(f"{name}: expected a dense tensor, got a {kind} one; to_dense or dequantize may make one")
    return (tensor.detach() if tensor.requires_grad else tensor).resolve_conj().resolve_neg()


def _of_torch(tensor: ConcreteArray) -> NDArray[Any]:
    lacking = tensor.is_floating_point() and tensor.dtype.itemsize < 4 and str(tensor.dtype) != "torch.float16"
    host: NDArray[Any] = (tensor.float() if lacking else tensor).numpy()
    return host
