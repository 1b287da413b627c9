"""Safetensors files: named arrays and texts, read without running any code."""

import importlib
import struct
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.core.atomic import write_whole
from anynet.core.errors import FileError

MAX_HEADER = 16 << 20
"""Maximum length in bytes of a file's header, so that reading it takes little memory."""


def write_tensors(path: Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file, whole or not at all.

    Parameters
    ----------
    path : Path
        File to write or replace.
    tensors : mapping of ndarray
        Arrays by name.
    metadata : mapping of str
        Texts by key.

    Raises
    ------
    ModuleNotFoundError
        If safetensors is not installed.
    OSError
        If the file cannot be written.
    """
    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    content = _import("safetensors.numpy").save(arrays, dict(metadata))
    write_whole(path, lambda partial: partial.write_bytes(content))


def read_tensors(path: Path, dtypes: tuple[str, ...], advice: str) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Read a safetensors file.

    Parameters
    ----------
    path : Path
        File to read.
    dtypes : tuple of str
        NumPy's names of the dtypes that its tensors may have.
    advice : str
        End of error messages: what to do.

    Returns
    -------
    tensors : dict of ndarray
        Arrays by name.
    metadata : dict of str
        Texts by key.

    Raises
    ------
    FileError
        If it is no complete safetensors file, or a tensor has another dtype.
    ModuleNotFoundError
        If safetensors is not installed.
    OSError
        If it cannot be read.
    """
    library = _import("safetensors")
    with path.open("rb") as file:
        start = file.read(8)
    if len(start) < 8:
        raise FileError(path, "", "a safetensors file", f"{len(start)} bytes", advice)
    (length,) = struct.unpack("<Q", start)
    if length > MAX_HEADER:
        raise FileError(path, "", "a safetensors file", f"a header of {length:,} bytes", advice)
    allowed = {_short(dtype): dtype for dtype in dtypes}
    tensors: dict[str, NDArray[Any]] = {}
    try:
        with library.safe_open(path, "numpy") as opened:
            for name in opened.keys():  # noqa: SIM118 - it is no dict
                dtype = opened.get_slice(name).get_dtype()
                if dtype not in allowed:
                    raise FileError(path, f'tensor "{name}"', f"dtype {' or '.join(dtypes)}", str(dtype), advice)
                tensors[name] = opened.get_tensor(name)
            return tensors, dict(opened.metadata() or {})
    except library.SafetensorError as error:
        raise FileError(path, "", "a complete safetensors file", f"another ({error})", advice) from None


def _short(dtype: str) -> str:
    """Return the name that safetensors files have for a dtype of floating-point numbers: "F32" for float32."""
    return f"F{dtype.removeprefix('float')}"


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "files of nets need safetensors; install it with: pip install safetensors", name="safetensors"
        ) from None
