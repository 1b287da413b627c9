"""Reads the pickles that CIFAR-10 comes in, without running anything that a file could ask for.

Nothing happens while a file is unpickled: the few names that the files need are bound to stand-ins which only
record what they are given, and what was recorded is turned into text and arrays afterwards.
"""

import io
import pickle
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.data.errors import DataError


class _Recorded:
    """Keeps the arguments and the state that a pickle gives to an object."""

    def __init__(self, *args: Any) -> None:
        self.args = args

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Array(_Recorded):
    """state: (version, shape, _Dtype, whether in Fortran order, raw bytes)."""


class _Dtype(_Recorded):
    """args: (code such as "u1", ...); state: (version, byte order, ...)."""


class _Encoded(_Recorded):
    """args: (text, "latin1"); how Python 3 writes bytes for Python 2 to read."""


_ADMITTED = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _Encoded,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type[_Recorded]:
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which CIFAR-10 does not need")
        return _ADMITTED[module, name]


def load(data: bytes, file: str) -> dict[str, Any]:
    """Return the dictionary pickled in ``data``.

    Its keys are str. Among its values, arrays are NumPy arrays that can be written to, byte strings (Python 2's and
    Python 3's) are str decoded as Latin-1, and lists are lists of these.

    Raises DataError, naming ``file``, if the pickle is damaged, asks for anything but arrays, or is no dictionary.
    """
    try:
        content = _Unpickler(io.BytesIO(data), encoding="bytes").load()
        if not isinstance(content, dict):
            raise TypeError(f"it holds a {type(content).__name__}, not a dict")
        return {_text(key): _resolve(value) for key, value in content.items()}
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise DataError(
            f"{file}: expected a pickle of CIFAR-10, found one that cannot be read ({type(error).__name__}: {error}); "
            "delete it and unpack or download CIFAR-10 again"
        ) from error


def _resolve(value: Any) -> Any:
    match value:
        case _Array():
            return _array(value)
        case bytes() | _Encoded():
            return _text(value)
        case list():
            return [_resolve(item) for item in value]
        case _:
            return value


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case bytes():
            return value.decode("latin1")
        case _Encoded(args=(str(text), "latin1")):
            return text
    raise TypeError(f"it holds a {type(value).__name__} where text should be")


def _array(recorded: _Array) -> NDArray[Any]:
    _, shape, dtype, fortran, raw = recorded.state
    code, order = _text(dtype.args[0]), _text(dtype.state[1])
    if not re.fullmatch(r"[<>|=][biuf][1248]", order + code):
        raise TypeError(f"it holds an array of dtype {order + code!r}, which is not numeric")
    # frombuffer and reshape check the sizes; over a bytearray, the array can be written to. Latin-1 gives every byte
    # the character of the same number.
    numbers = raw if isinstance(raw, bytes) else _text(raw).encode("latin1")
    flat = np.frombuffer(bytearray(numbers), order + code)
    return flat.reshape(shape, order="F" if fortran else "C")
