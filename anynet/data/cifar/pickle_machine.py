"""Evaluation of the pickles that CIFAR needs: a stack machine with few operations and bounded memory.

Python's unpickler allocates what a file claims: 9 bytes can take 2 GB. Here `pickletools` parses the file, and every
operation adds one small object at most: the memo is a dictionary, long byte strings and arrays are views of the file's
content, and a text is encoded once, however often it is shared. No code named in a file is ever run.
"""

import math
import pickletools
import re
from collections.abc import Sequence
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from anynet.data.cifar.content import Content, Text

MOST_OPERATIONS = 400_000
"""Operations of a file, at most; 10,000 labels as NumPy scalars, with 10,000 file names, take 270,150, and the
larger file of CIFAR-100 about 200,000."""
MOST_AXES = 8
LONGEST_TEXT = 100
"""Characters of a dictionary's key or a name, at most; each use of one copies it."""

VALUES = frozenset(
    {
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "FLOAT", "BINFLOAT"),
        *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
        *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    }
)
"""Operations that push their argument."""

ADMITTED = (
    *("_codecs.encode", "numpy.dtype", "numpy.ndarray"),
    *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
    *(f"numpy.{core}.numeric._frombuffer" for core in ("core", "_core")),
)
"""Names that a pickle may ask for: byte strings of Python 3 for Python 2, and NumPy's arrays and scalars."""


class Name(str):
    """A name in `ADMITTED`, on the stack."""


class Array:
    """An array that a pickle makes first and then fills."""

    values: NDArray[Any] | None = None


class Dtype:
    """A dtype that a pickle makes of a code such as "u1" first, and then gives a byte order."""

    def __init__(self, code: str) -> None:
        self.code, self.order = code, "="

    def numpy(self) -> np.dtype[Any]:
        """Return NumPy's dtype. Raises TypeError if it is not numeric."""
        text = self.order + self.code
        if not re.fullmatch(r"[<>|=][biuf][1248]", text):
            raise TypeError(f"it holds an array of dtype {text[:20]!r}, which is not numeric")
        return np.dtype(text)


class Machine:
    """Stack, marks and memo of the evaluation of one pickle."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._encoded: dict[int, tuple[str, bytes]] = {}

    def run(self, data: bytes | Content) -> Any:
        """Return the object that a pickle describes. Raises nearly anything if it is damaged."""
        content = cast(IO[bytes], data)  # all that is read of a `Content` is what a file has too
        for count, (opcode, value, position) in enumerate(pickletools.genops(content)):
            if count == MOST_OPERATIONS:
                raise ValueError(f"it has more than {MOST_OPERATIONS:,} operations")
            if opcode.name in VALUES:
                self._stack.append(value)
            elif not self._step(opcode.name, value):
                raise ValueError(f"at byte {position} it asks for {opcode.name}, which CIFAR does not need")
        return self._stack.pop()

    def _step(self, name: str, value: Any) -> bool:
        """Run one operation; False if there is none of that name."""
        stack, memo = self._stack, self._memo
        match name:
            case "BINPUT" | "LONG_BINPUT" | "PUT":
                memo[value] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET" | "GET":
                stack.append(memo[value])
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple(self._take(int(name[-1]))))
            case "REDUCE":
                function, arguments = self._take(2)
                stack.append(self._call(_of(Name, function), _of(tuple, arguments)))
            case "GLOBAL":
                stack.append(_admitted(value.replace(" ", ".")))
            case "STACK_GLOBAL":
                stack.append(_admitted(".".join(map(text, self._take(2)))))
            case "BUILD":
                state = stack.pop()
                self._build(stack[-1], _of(tuple, state))
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[name])
            case "MARK":
                self._marks.append(len(stack))
            case "EMPTY_LIST" | "LIST":
                stack.append([] if name == "EMPTY_LIST" else self._marked())
            case "EMPTY_TUPLE" | "TUPLE":
                stack.append(() if name == "EMPTY_TUPLE" else tuple(self._marked()))
            case "EMPTY_DICT" | "DICT":
                stack.append(_pairs([] if name == "EMPTY_DICT" else self._marked()))
            case "APPEND" | "APPENDS":
                items = self._take(1) if name == "APPEND" else self._marked()
                _of(list, stack[-1]).extend(items)
            case "SETITEM" | "SETITEMS":
                items = self._take(2) if name == "SETITEM" else self._marked()
                _of(dict, stack[-1]).update(_pairs(items))
            case "PROTO" | "FRAME" | "STOP":
                pass
            case _:
                return False
        return True

    def _take(self, count: int) -> list[Any]:
        """Remove the topmost objects, which must lie above the last mark."""
        if len(self._stack) - count < (self._marks[-1] if self._marks else 0):
            raise IndexError("its stack is too short")
        taken = self._stack[-count:]
        del self._stack[-count:]
        return taken

    def _marked(self) -> list[Any]:
        start = self._marks.pop()
        taken = self._stack[start:]
        del self._stack[start:]
        return taken

    def _call(self, name: Name, arguments: tuple[Any, ...]) -> Any:
        match name.rpartition(".")[2], arguments:
            case "encode", (str(characters), "latin1"):
                return self._bytes(characters)
            case "dtype", (code, *_):
                return Dtype(text(code))
            case "_reconstruct", _:
                return Array()
            case "_frombuffer", (raw, dtype, shape, "C" | "F" as order, *axes) if not any(axes):
                return self._filled(Array(), shape, dtype, raw, fortran=order == "F")
            case "scalar", (dtype, raw):
                array = self._filled(Array(), (), dtype, raw, fortran=False)
                assert array.values is not None
                return array.values.item()
        raise TypeError(f"it calls {name} with other arguments than CIFAR needs")

    def _build(self, target: Any, state: tuple[Any, ...]) -> None:
        match target, state:
            case Array(), (_, shape, dtype, fortran, raw):
                self._filled(target, shape, dtype, raw, fortran=bool(fortran))
            case Dtype(), (_, order, *_):
                target.order = text(order)
            case _:
                raise TypeError(f"it gives a state to a {type(target).__name__}")

    def _filled(self, array: Array, shape: Any, dtype: Any, raw: Any, *, fortran: bool) -> Array:
        """Let an array be a view of bytes, whose number is checked first."""
        shape = (shape,) if isinstance(shape, int) else _of(tuple, shape)
        numbers = self._bytes(raw) if isinstance(raw, str) else _of((bytes, bytearray, Text), raw)
        kind = _of(Dtype, dtype).numpy()
        if len(shape) > MOST_AXES or not all(isinstance(size, int) and size >= 0 for size in shape):
            raise TypeError(f"it holds an array of {len(shape)} axes, whose shape is not allowed")
        if math.prod(shape) * kind.itemsize != len(numbers):
            raise ValueError(f"it holds an array whose shape and dtype do not fit its {len(numbers)} bytes")
        array.values = np.frombuffer(numbers, kind).reshape(shape, order="F" if fortran else "C")
        return array

    def _bytes(self, characters: str) -> bytes:
        """Return a text in Latin-1, which maps byte n to character n; the same object for the same text."""
        key = id(characters)  # the text is kept as well, so that its id is not used again
        if key not in self._encoded:
            self._encoded[key] = characters, characters.encode("latin1")
        return self._encoded[key][1]


def text(value: Any) -> str:
    """Return a short text or byte string as text; byte strings are decoded as Latin-1."""
    if not isinstance(value, str | bytes):
        raise TypeError(f"it holds a {type(value).__name__} where text should be")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"it holds {len(value)} characters where a short text should be")
    return value if isinstance(value, str) else value.decode("latin1")


def _pairs(items: Sequence[Any]) -> dict[str, Any]:
    return {text(key): value for key, value in zip(items[::2], items[1::2], strict=True)}


def _of(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"it holds a {type(value).__name__} in a place for something else")
    return value


def _admitted(name: str) -> Name:
    if name not in ADMITTED:
        raise ValueError(f"it asks for {name[:100]}, which CIFAR does not need")
    return Name(name)
