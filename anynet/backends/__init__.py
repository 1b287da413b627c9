"""Backends: array libraries and their devices.

``backend("cupy:1")`` returns a value that is passed as an argument; nothing is set for the whole process. Only the
chosen library is imported.
"""

import importlib
import importlib.util
import os
import sys
from contextlib import nullcontext
from typing import Any

from anynet.backends.array_library import DeviceMemory
from anynet.backends.base import Backend, BackendError
from anynet.backends.exchange import exported, library_of, to_numpy
from anynet.backends.options import COMPILE, DTYPES, PRECISIONS, check_compile
from anynet.backends.staging import Staging
from anynet.compiler import Tick
from anynet.core import interrupts
from anynet.core.checks import nearest
from anynet.core.formatting import first_line
from anynet.core.typing import ConcreteArray

__all__ = [
    "COMPILE",
    "DTYPES",
    "LIBRARIES",
    "PRECISIONS",
    "Backend",
    "BackendError",
    "DeviceMemory",
    "Staging",
    "Tick",
    "backend",
    "backend_of",
    "check_compile",
    "to_library_of",
    "to_numpy",
]

LIBRARIES = {
    "numpy": "pip install numpy",
    "cupy": "pip install 'cupy-cuda12x[ctk]', or 'cupy-cuda13x[ctk]' if nvidia-smi shows CUDA 13",
    "torch": "pip install torch",
    "jax": "pip install jax",
}
"""Commands that install the array libraries."""

OLDEST = {"cupy": 14}
"""First major version that works, where older ones do not: CuPy before 14 has no ``ndarray.mT``."""


def backend(name: str | None = None, precision: str = "float32") -> Backend:
    """Return an array library to compute with, on one of its devices.

    Parameters
    ----------
    name : str, optional
        "numpy", "cupy", "torch" or "jax", and after a colon the device: "cupy:1", "torch:cuda", "torch:cpu". By
        default the value of the environment variable ANYNET_BACKEND, or "numpy" without one.
    precision : {"float32", "tf32", "bf16"}
        Matmul precision: the precision that operands of products of float32 arrays are rounded to. The last two are
        for GPUs only. With bf16, CuPy also stores large activations of recorded steps so.

    Returns
    -------
    Backend

    Raises
    ------
    BackendError
        If the library cannot be used here, or does not have the precision; one line says why, and what to do.
    ValueError
        If there is no such precision.

    Examples
    --------
    >>> print(backend("numpy"))
    numpy on cpu
    """
    library, _, device = (name or os.environ.get("ANYNET_BACKEND") or "numpy").partition(":")
    if library not in LIBRARIES:
        raise BackendError(f'there is no backend "{library}"{nearest(library, LIBRARIES)}')
    if importlib.util.find_spec(library) is None:
        raise BackendError(f"{library} is not installed; install it with: {LIBRARIES[library]}")
    try:
        name = f"anynet.backends.{library}"
        with nullcontext() if name in sys.modules else interrupts.ending_quietly():
            _check_version(library)
            module = importlib.import_module(name)
        chosen: Backend = module.connect(device or None)
    except BackendError:
        raise
    except Exception as error:  # a broken installation may raise anything; the user needs its first line
        why = first_line(error)
        raise BackendError(f"{library} is installed but does not work here ({why}); {LIBRARIES[library]}") from error
    return chosen.with_precision(precision)


def backend_of(array: Any) -> Backend | None:
    """Return the backend of the library and the device of an array, chosen as `backend` does.

    Parameters
    ----------
    array : object
        An array of any library, or anything else.

    Returns
    -------
    Backend or None
        None for NumPy arrays, and for what is no array of PyTorch, JAX or CuPy.

    Raises
    ------
    BackendError
        If the library cannot compute on the device.
    TypeError
        If the array has no values, such as a PyTorch tensor on the device "meta".

    Examples
    --------
    >>> import numpy as np
    >>> print(backend_of(np.zeros(3)))
    None
    """
    holder = _holder(array)
    return holder and backend(holder.choice)


def to_library_of(array: ConcreteArray, like: Any) -> ConcreteArray:
    """Return an array in the library and on the device of another.

    Parameters
    ----------
    array : array
        Array of any library.
    like : object
        An array of PyTorch, JAX or CuPy; everything else stands for NumPy.

    Returns
    -------
    array
        Without a copy where the devices and DLPack allow; write to neither afterwards. float64 becomes float32 if JAX
        is `like` and has no 64 bits.
    """
    holder = _holder(like)
    return to_numpy(array) if holder is None else holder.answer(array)


def _holder(array: Any) -> Backend | None:
    """Return the backend of an array's library and device without a test that it works."""
    library = library_of(array)
    if library is None or library == "numpy":
        return None
    holder: Backend = importlib.import_module(f"anynet.backends.{library}").holder(exported(array))
    return holder


def _check_version(library: str) -> None:
    """Raise BackendError if the library is too old; anynet's own module may already need what it lacks."""
    if library in OLDEST:
        version = importlib.import_module(library).__version__
        if int(version.partition(".")[0]) < OLDEST[library]:
            raise BackendError(
                f"{library} {version} is too old: expected {OLDEST[library]} or later; uninstall it, then "
                f"{LIBRARIES[library]}"
            )
