"""Choosing an array library and a device.

``backend("cupy:1")`` gives a value that is passed along; nothing is set for the process. Only the library that is
chosen is imported.
"""

import importlib
import importlib.util
import os

from anynet.backends.base import DTYPES, PRECISIONS, Backend, BackendError, DeviceMemory, Tick, first_line
from anynet.backends.staging import Staging
from anynet.core.checks import nearest

__all__ = ["DTYPES", "LIBRARIES", "PRECISIONS", "Backend", "BackendError", "DeviceMemory", "Staging", "Tick", "backend"]

LIBRARIES = {
    "numpy": "pip install numpy",
    "cupy": "pip install 'cupy-cuda12x[ctk]', or 'cupy-cuda13x[ctk]' for CUDA 13",
    "torch": "pip install torch",
    "jax": "pip install jax",
}
"""The libraries by name, each with the command that installs it."""


def backend(name: str | None = None, precision: str = "float32") -> Backend:
    """The array library to compute with, and its device.

    name: "numpy", "cupy", "torch" or "jax", with a device where one is to be chosen: "cupy:1", "torch:cuda",
        "torch:cpu". By default what the environment variable ANYNET_BACKEND says, and else "numpy".
    precision: to what operands of products of float32 arrays are rounded, "float32" (not at all), "tf32" or "bf16",
        where the library has it on the device.

    Raises BackendError, one line that says why the library cannot be used here, or has not this precision, and what
    would mend it; ValueError for another precision.
    """
    library, _, device = (name or os.environ.get("ANYNET_BACKEND") or "numpy").partition(":")
    if library not in LIBRARIES:
        raise BackendError(f'there is no backend "{library}"{nearest(library, LIBRARIES)}')
    if importlib.util.find_spec(library) is None:
        raise BackendError(f"{library} is not installed; install it with: {LIBRARIES[library]}")
    try:
        chosen: Backend = importlib.import_module(f"anynet.backends.{library}").connect(device or None)
    except BackendError:
        raise
    except Exception as error:  # whatever a broken installation raises, the user needs its first line
        why = first_line(error)
        raise BackendError(f"{library} is installed but does not work here ({why}); {LIBRARIES[library]}") from error
    return chosen.with_precision(precision)
