"""Types of LLVM IR by name: ``float``, ``i64``, and vectors such as ``<8 x float>``."""

import struct

import numpy as np

TYPES = {
    "bool": "i1",
    **{f"{sign}int{n}": f"i{n}" for n in (8, 16, 32, 64) for sign in ("", "u")},
    "float32": "float",
    "float64": "double",
}
"""Types of values by NumPy's dtype."""


def has_type(dtype: np.dtype) -> bool:
    """Return True if there is a type for the numbers of a dtype."""
    return dtype.isnative and dtype.name in TYPES


def element(type_: str) -> str:
    """Return the type of a vector's elements; other types are returned as they are."""
    return type_.strip("<>").split(" x ")[-1]


def nbytes(type_: str) -> int:
    """Return the size of a floating-point number, or of one in a vector, in bytes."""
    return {"float": 4, "double": 8}[element(type_)]


def lanes(type_: str) -> int:
    """Return the number of a vector's elements; 1 for other types."""
    return int(type_[1:].split(" x ")[0]) if type_.startswith("<") else 1


def alike(type_: str, of: str) -> str:
    """Return a type with as many lanes as another one."""
    return f"<{lanes(type_)} x {of}>" if type_.startswith("<") else of


def literal(type_: str, number: float) -> str:
    """Return a constant of a scalar type as LLVM writes it."""
    if type_ == "float":
        with np.errstate(over="ignore"):
            number = float(np.float32(number))
    if type_ in ("float", "double"):
        return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"
    return ["true", "false"][not number] if type_ == "i1" else str(int(number))


def suffix(type_: str) -> str:
    """Return a type as names of intrinsics have it, such as ``v8f32``."""
    short = {"float": "f32", "double": "f64"}.get(element(type_), element(type_))
    return f"v{lanes(type_)}{short}" if type_.startswith("<") else short
