"""Options that every backend has: dtypes, matmul precisions and ways to run steps, with checks of their names."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.core.checks import nearest

DTYPES = ("float32", "float64")
"""Dtypes of parameters and activations."""

COMPILE = ("auto", "on", "off")
"""Ways to choose how steps run; see ``Backend.loop``."""

PRECISIONS = {
    "float32": "every backend",
    "tf32": "cupy, torch:cuda or jax:gpu, on an NVIDIA GPU since Ampere",
    "bf16": "cupy or jax:gpu, on an NVIDIA GPU since Ampere",
}
"""Matmul precisions: what operands of products of float32 arrays are rounded to, with the backends that have them.

Operands keep 23, 10 or 7 bits of the fraction; arrays and sums stay float32.
"""


ROUNDED = {"tf32": 1 + 2**-9, "bf16": 1.0}
"""Result of rounding 1 + 2^-9 + 2^-12 to each precision."""


def rounds(precision: str, multiply: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]) -> bool:
    """Return True if a product of float32 matrices is seen to have operands that are rounded to a precision."""
    identity = np.eye(128, dtype=np.float32)
    return bool(np.all(multiply(np.full_like(identity, 1 + 2**-9 + 2**-12), identity) == ROUNDED[precision]))


def check_compile(compile: str) -> None:
    """Raise ValueError for what is not in `COMPILE`."""
    if compile not in COMPILE:
        raise ValueError(f'compile: there is no "{compile}"{nearest(str(compile), COMPILE)}')


def check_precision(precision: str) -> None:
    """Raise ValueError for what is not in `PRECISIONS`."""
    if precision not in PRECISIONS:
        raise ValueError(f'precision: expected one of {", ".join(PRECISIONS)}, got "{precision}"')


def check_dtype(dtype: str, precision: str) -> None:
    """Check a dtype, and that it can be used with a matmul precision.

    Parameters
    ----------
    dtype : str
    precision : str
        One of `PRECISIONS`.

    Raises
    ------
    ValueError
        If `dtype` is not in `DTYPES`, or is float64 while `precision` is not "float32".
    """
    if dtype not in DTYPES:
        raise ValueError(f'dtype: expected one of {", ".join(DTYPES)}, got "{dtype}"')
    if dtype != "float32" and precision != "float32":
        raise ValueError(
            f"precision: {precision} is for products of float32 arrays, and the dtype is {dtype}; "
            "choose dtype float32 or precision float32"
        )
