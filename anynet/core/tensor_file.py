"""Safetensors files: named arrays and texts, read without running any code."""

import hashlib
import importlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anynet.core.atomic import write_whole
from anynet.core.errors import FileError, check_is_file

MAX_HEADER = 16 << 20
"""Maximum length in bytes of a file's header, so that reading it takes little memory."""

DIGEST = "sha256"
"""Key of the metadata for a digest of all tensors and all other metadata."""

DTYPES = {"F16": "float16", "F32": "float32", "F64": "float64", "I32": "int32", "I64": "int64"}
"""NumPy's names of dtypes by the names that files have for them; other dtypes go by the latter."""


class ArrayType(NamedTuple):
    """Dtype and shape of a tensor in a file."""

    dtype: str
    shape: tuple[int, ...]


class TensorFile:
    """Safetensors file of which only the header is read, so that it can be checked before memory is used.

    Parameters
    ----------
    path : Path
        File to read.
    dtypes : tuple of str
        NumPy's names of the dtypes that its tensors may have.
    advice : str
        End of error messages: what to do.

    Attributes
    ----------
    types : dict of ArrayType
        Dtypes and shapes of the tensors by name.
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

    def __init__(self, path: Path, dtypes: tuple[str, ...], advice: str) -> None:
        self.path, self._advice = path, advice
        library = _import("safetensors")
        check_is_file(path, advice)
        with path.open("rb") as file:
            start = file.read(8)
        if len(start) < 8:
            raise FileError(path, "", "a safetensors file", f"{len(start)} bytes", advice)
        (length,) = struct.unpack("<Q", start)
        if length > MAX_HEADER:
            raise FileError(path, "", "a safetensors file", "another file, or one with a damaged start", advice)
        try:
            with library.safe_open(path, "numpy") as opened:
                slices = {name: opened.get_slice(name) for name in opened.keys()}  # noqa: SIM118 - it is no dict
                self.metadata: dict[str, str] = dict(opened.metadata() or {})
        except library.SafetensorError as error:
            raise FileError(path, "", "a complete safetensors file", f"another ({error})", advice) from None
        self.types: dict[str, ArrayType] = {}
        for name, part in slices.items():
            dtype = DTYPES.get(part.get_dtype(), part.get_dtype())
            if dtype not in dtypes:
                raise FileError(path, f'tensor "{name}"', f"dtype {' or '.join(dtypes)}", dtype, advice)
            self.types[name] = ArrayType(dtype, tuple(part.get_shape()))

    def read(self) -> dict[str, NDArray[Any]]:
        """Return the tensors by name. Raises FileError if they, or the metadata, are not those that were written."""
        tensors: dict[str, NDArray[Any]] = _import("safetensors.numpy").load_file(self.path)
        metadata = self.metadata.copy()
        expected = metadata.pop(DIGEST, None)  # files that were made with other programs have none
        if expected is not None and expected != digest(tensors, metadata):
            got = "other tensors or metadata: the file is damaged, or another program changed it"
            raise FileError(self.path, f"metadata {DIGEST}", "the digest of this file", got, self._advice)
        return tensors


def write_tensors(path: Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file, whole or not at all.

    Parameters
    ----------
    path : Path
        File to write or replace.
    tensors : mapping of ndarray
        Arrays by name.
    metadata : mapping of str
        Texts by key. A digest of everything is added to them.

    Raises
    ------
    ModuleNotFoundError
        If safetensors is not installed.
    OSError
        If the file cannot be written.

    Notes
    -----
    The library's own function copies all arrays twice, which takes longer than to write them, and training waits.

    References
    ----------
    https://huggingface.co/docs/safetensors/index#format
    """
    _import("safetensors")  # without it the file could not be read
    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    header: dict[str, Any] = {"__metadata__": {**metadata, DIGEST: digest(arrays, metadata)}}
    names, end = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name)), 0  # so that all are aligned
    for name in names:
        array, start = arrays[name], end
        end += array.nbytes
        dtype = next(short for short, long in DTYPES.items() if long == array.dtype)
        header[name] = {"dtype": dtype, "shape": array.shape, "data_offsets": (start, end)}
    text = json.dumps(header, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)

    def write(partial: Path) -> None:
        with partial.open("wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for name in names:
                file.write(_bytes(arrays[name]))

    write_whole(path, write)


def digest(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> str:
    """Return the SHA-256 digest of arrays, their names, dtypes and shapes, and metadata, in hexadecimal digits."""
    types = {name: (str(array.dtype), array.shape) for name, array in arrays.items()}
    found = hashlib.sha256(json.dumps([types, dict(metadata)], sort_keys=True).encode())
    for name in sorted(arrays):
        found.update(_bytes(arrays[name]))
    return found.hexdigest()


def _bytes(array: NDArray[Any]) -> memoryview:
    """Return the bytes of a contiguous array, without a copy on machines that store the lowest byte first."""
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return little.reshape(-1).view(np.uint8).data


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "files of nets need safetensors; install it with: pip install safetensors", name="safetensors"
        ) from None
