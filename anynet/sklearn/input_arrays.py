"""Arrays between the library of scikit-learn's input and that of a backend."""

from typing import Any, TypeVar

import numpy as np
from array_api_compat import is_cupy_array, is_jax_array, is_numpy_array, is_torch_array
from numpy.typing import NDArray
from sklearn.utils._array_api import get_namespace_and_device, move_to

from anynet.backends import Backend
from anynet.backends import backend as choose_backend
from anynet.core.typing import Array

AnyArray = TypeVar("AnyArray")


def backend_of(x: Any, chosen: Backend | str | None) -> Backend:
    """Return the backend to train on.

    Parameters
    ----------
    x : array
        Validated features.
    chosen : Backend or str or None
        Setting of the estimator.

    Returns
    -------
    Backend
        As chosen; by default the library and device of `x` if it is one of PyTorch, CuPy or JAX, else what
        ``anynet.backend()`` returns.

    Examples
    --------
    >>> print(backend_of(np.zeros((2, 1)), "numpy"))
    numpy on cpu
    """
    if isinstance(chosen, Backend):
        return chosen
    if chosen is None and is_torch_array(x):
        chosen = f"torch:{x.device}"
    elif chosen is None and is_cupy_array(x):
        chosen = f"cupy:{x.device.id}"
    elif chosen is None and is_jax_array(x):
        chosen = "jax"
    return choose_backend(chosen)


def to_backend(array: Any, backend: Backend, dtype: str) -> Array:
    """Return an array in the library, on the device and of the dtype of a training, without a copy where possible.

    Parameters
    ----------
    array : array
        Of any library.
    backend : Backend
    dtype : {"float32", "float64", "int64"}

    Returns
    -------
    array
    """
    own = {"torch": is_torch_array, "cupy": is_cupy_array, "jax": is_jax_array, "numpy": is_numpy_array}[backend.name]
    if own(array) and (backend.name in ("numpy", "jax") or array.device == backend.device):
        wanted = getattr(backend.xp, dtype)
        moved: Array = array if array.dtype == wanted else backend.xp.astype(array, wanted)
        return moved
    return backend.asarray(np.ascontiguousarray(to_host(array), dtype))


def to_host(array: Any) -> NDArray[Any]:
    """Return an array of any library as a NumPy array, without a copy where possible."""
    return np.asarray(move_to(array, xp=np, device="cpu"))


def like_input(array: Any, x: AnyArray) -> AnyArray:
    """Return an array in the library and on the device of an input.

    Parameters
    ----------
    array : array
        Of any library.
    x : array
        The input.

    Returns
    -------
    array
    """
    xp, _, device = get_namespace_and_device(x)
    moved: AnyArray = move_to(array, xp=xp, device=device)
    return moved
