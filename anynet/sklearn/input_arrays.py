"""Arrays between the library of scikit-learn's input and that of a training."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._array_api import get_namespace_and_device, move_to

from anynet.backends import Backend, backend_of, to_library_of, to_numpy
from anynet.backends import backend as choose_backend
from anynet.backends.exchange import library_of


def backend_for(x: Any, chosen: Backend | str | None) -> Backend:
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
    >>> print(backend_for(np.zeros((2, 1)), "numpy"))
    numpy on cpu
    """
    if isinstance(chosen, Backend):
        return chosen
    return (chosen is None and backend_of(x)) or choose_backend(chosen)


def to_host(array: Any) -> NDArray[Any]:
    """Return an array of any library as a NumPy array, without a copy where possible; NumPy's own may be texts."""
    return array if isinstance(array, np.ndarray) else to_numpy(array)


def like_input(array: Any, x: Any) -> Any:
    """Return an array in the library and on the device of an input.

    Parameters
    ----------
    array : array
        Of any library.
    x : array
        The input. What is no array stands for NumPy.

    Returns
    -------
    array
    """
    if library_of(x) is None and hasattr(x, "__array_namespace__"):  # one that anynet does not train with
        xp, _, device = get_namespace_and_device(x)
        return move_to(to_host(array), xp=xp, device=device)
    return to_library_of(array, x)


def refuse_images(x: Any) -> None:
    """Refuse samples of several axes, such as images, and say how they are given as rows.

    Parameters
    ----------
    x : array-like

    Raises
    ------
    ValueError
        If it has more than two axes.
    """
    shape = tuple(getattr(x, "shape", ()))
    if len(shape) > 2:
        image = (1, *shape[1:]) if len(shape) == 3 else shape[1:]
        raise ValueError(
            f"X: expected shape (n_samples, n_features), got {shape}; give images as rows, X.reshape(len(X), -1), and "
            f"as net one that knows their shape, such as Sequential(..., input_shape={image})"
        )
