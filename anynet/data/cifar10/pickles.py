"""Safe reading of CIFAR-10's pickles: no code named in a file is ever run.

The few names that the files need are bound to placeholder classes which only record their arguments. Arrays and text
are made from these records afterwards.
"""

import io
import pickle
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.data.dataset import DataError


class _Recorded:
    """Placeholder that stores the arguments and the state given by a pickle."""

    def __init__(self, *args: Any) -> None:
        self.args = args

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Array(_Recorded):
    """A NumPy array; its state is (version, shape, _Dtype, Fortran order, raw bytes)."""


class _Dtype(_Recorded):
    """A NumPy dtype; its args are (code such as "u1", ...), its state is (version, byte order, ...)."""


class _Encoded(_Recorded):
    """Bytes as Python 3 pickles them for Python 2; its args are (text, "latin1")."""


_ADMITTED = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _Encoded,
}


class _Unpickler(pickle.Unpickler):
    """Unpickler that knows the placeholders alone."""

    def find_class(self, module: str, name: str) -> type[_Recorded]:
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which CIFAR-10 does not need")
        return _ADMITTED[module, name]


def load(data: bytes, file: str) -> dict[str, Any]:
    """Read a pickled dictionary.

    Parameters
    ----------
    data : bytes
        Content of the file.
    file : str
        Its name, for error messages.

    Returns
    -------
    dict of str
        Arrays are writable NumPy arrays, byte strings (of Python 2 or 3) are str decoded as Latin-1, lists are lists of
        these.

    Raises
    ------
    DataError
        If the pickle is damaged, needs anything but arrays, or is not a dictionary.
    """
    try:
        content = _Unpickler(io.BytesIO(data), encoding="bytes").load()
        if not isinstance(content, dict):
            raise TypeError(f"it holds a {type(content).__name__}, not a dict")
        return {_text(key): _resolve(value) for key, value in content.items()}
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise DataError(
            f"{file}: expected a pickle of CIFAR-10, got one that cannot be read ({type(error).__name__}: {error}); "
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
    # frombuffer and reshape check the sizes. A bytearray makes the array writable. Latin-1 maps byte n to character n.
    numbers = raw if isinstance(raw, bytes) else _text(raw).encode("latin1")
    flat = np.frombuffer(bytearray(numbers), order + code)
    return flat.reshape(shape, order="F" if fortran else "C")
