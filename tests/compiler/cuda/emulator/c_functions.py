"""C functions made of Python ones, with the interface of ctypes and the declarations of a C header."""

import ctypes
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

WORDS = {"size_t": ctypes.c_size_t, "long long int": ctypes.c_longlong}
WORDS |= dict.fromkeys(("cublasHandle_t", "cudaStream_t"), ctypes.c_void_p)


class StatusError(Exception):
    """End of a function with a status."""

    def __init__(self, status: int) -> None:
        self.status = status


def declarations(header: str) -> Iterator[tuple[str, Any, list[Any]]]:
    """Yield the name, the type of the result and those of the arguments of each function."""
    for result, name, arguments in re.findall(r"([\w* ]+?) (\w+)\(([^)]*)\);", header):
        yield name, _type(result), [_type(" ".join(argument.split()[:-1])) for argument in arguments.split(",")]


def _type(words: str) -> Any:
    return ctypes.c_void_p if "*" in words else WORDS.get(words, ctypes.c_int)


class Function:
    """A C function as ctypes has it, made of a Python one: arguments are converted twice, as a call of C does it.

    It refuses argument types of other sizes than those of the header. Errors of the emulator are raised by the call.
    """

    def __init__(self, do: Callable[..., Any], result: Any, types: list[Any]) -> None:
        self._do, self._types, self._argtypes = do, types, None
        self._c = ctypes.CFUNCTYPE(result, *types)(self._run)
        self._faults = threading.local()

    @property
    def argtypes(self) -> Any:
        return self._argtypes

    @argtypes.setter
    def argtypes(self, types: Any) -> None:
        sizes, right = ([ctypes.sizeof(kind) for kind in kinds] for kinds in (types, self._types))
        if sizes != right:
            raise TypeError(f"{self._do.__name__}: arguments of {sizes} bytes; in the header they have {right}")
        self._argtypes = self._c.argtypes = types

    @property
    def restype(self) -> Any:
        return self._c.restype

    @restype.setter
    def restype(self, kind: Any) -> None:
        self._c.restype = kind

    def _run(self, *args: Any) -> int:
        try:
            return self._do(*args) or 0
        except StatusError as error:
            return error.status
        except BaseException as error:  # cannot pass through C
            self._faults.last = error
            return 0

    def __call__(self, *args: Any) -> Any:
        if self._argtypes is None or len(args) != len(self._argtypes):
            raise TypeError(f"{self._do.__name__}: {len(args)} arguments of types {self._argtypes}")
        self._faults.last = None
        result = self._c(*args)
        if self._faults.last is not None:
            raise self._faults.last
        return result
