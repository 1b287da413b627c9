"""Operations of the array API as CUDA C++ expressions for one element."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from anynet.compiler.graph import Node
from anynet.compiler.ops import OPERATIONS
from anynet.core.typing import DType

BFLOAT16 = "|V2"
"""Dtype of arrays that hold numbers in bfloat16, two bytes each: CuPy has no such dtype without another package."""

TYPES = {
    "bool": "bool",
    "int8": "signed char",
    "int16": "short",
    "int32": "int",
    "int64": "long long",
    "uint8": "unsigned char",
    "uint16": "unsigned short",
    "uint32": "unsigned int",
    "uint64": "unsigned long long",
    "float32": "float",
    "float64": "double",
    BFLOAT16: "bfloat16",
}
"""C++ types of elements in memory, by the name of the dtype."""

UNSIGNED = {"signed char": "unsigned int", "short": "unsigned int", "int": "unsigned int"} | {
    "unsigned char": "unsigned int",
    "unsigned short": "unsigned int",
    "long long": "unsigned long long",
}
"""Types in which integers are added, subtracted and multiplied: signed ones must not overflow in C++."""


class Reduction(NamedTuple):
    """Statements that reduce elements ``x`` of type X to one number ``s`` of type S.

    Attributes
    ----------
    start : str
        Statement before the loop.
    update : str
        Statement for the r-th element.
    merge : str
        Statement that adds ``other``, the ``s`` of another thread; "" if threads cannot share a reduction.
    result : str
        Expression for the result; N is the number of elements.
    """

    start: str
    update: str
    merge: str = ""
    result: str = "s"


_ADD = Reduction("S s = 0;", "s += x;", "s += other;")
REDUCTIONS = {
    "all": Reduction("S s = 1;", "s = s && x != 0;", "s = s && other;"),
    "any": Reduction("S s = 0;", "s = s || x != 0;", "s = s || other;"),
    "argmax": Reduction("S s = 0; X most = 0;", "if (r == 0 || x > most || x != x && most == most) most = x, s = r;"),
    "count_nonzero": Reduction("S s = 0;", "s += x != 0;", "s += other;"),
    "max": Reduction("S s = LEAST;", "if (x > s || x != x) s = x;", "if (other > s || other != other) s = other;"),
    "mean": _ADD._replace(result="s / N"),
    "min": Reduction("S s = MOST;", "if (x < s || x != x) s = x;", "if (other < s || other != other) s = other;"),
    "prod": Reduction("S s = 1;", "s *= x;", "s *= other;"),
    "sum": _ADD,
}
"""Reductions by name. LEAST and MOST are the smallest and the largest number of type S."""

ENDS = {
    "int": ("-2147483647 - 1", "2147483647"),
    "long long": ("-9223372036854775807LL - 1", "9223372036854775807LL"),
    "unsigned int": ("0", "4294967295u"),
    "unsigned long long": ("0", "18446744073709551615ull"),
    "float": ("-1.0 / 0.0", "1.0 / 0.0"),
    "double": ("-1.0 / 0.0", "1.0 / 0.0"),
}
"""Smallest and largest number of each type that numbers are accumulated or compared in."""


PRELUDE = """\
__device__ inline long long at(long long index, long long n) {  // as take does: from the end if negative, modulo n
    return index >= 0 && index < n ? index : (index % n + n) % n;
}
struct bfloat16 {  // the upper half of the nearest float32 whose lower half is 0
    unsigned short bits;
    bfloat16() = default;
    __device__ bfloat16(float x) {
        const unsigned all = __float_as_uint(x);
        bits = x != x ? 0x7fffu : (all + 0x7fffu + (all >> 16 & 1u)) >> 16;
    }
    __device__ explicit operator float() const { return __uint_as_float((unsigned)bits << 16); }
};
"""
"""Begin of every source."""


def is_elementwise(node: Node) -> bool:
    """Return True if an operation computes each element from the same elements of its arguments, with an expression."""
    if not has_known_dtypes(node):
        return False
    op, kind = node.op, np.dtype(computed_in(node.dtype)).kind
    numbers = [a for a in node.args if not isinstance(a, Node)]
    if op == "astype":
        return True
    if op == "take" or op not in OPERATIONS:
        return False
    if node.kwargs or not all(isinstance(number, bool | int | float) for number in numbers):
        return False
    if op == "pow":
        return kind == "f" and numbers == [2] and node.args[1] == 2
    return OPERATIONS[op].cuda != "" and kind in OPERATIONS[op].kinds


def has_known_dtypes(node: Node) -> bool:
    """Return True if the dtypes of a node and of its inputs are in `TYPES`."""
    return all(dtype_name(used) in TYPES for used in (node, *node.inputs))


def dtype_name(node: Node) -> str:
    """Return NumPy's name of a node's dtype."""
    return _name(node.dtype)


def computed_in(dtype: DType) -> str:
    """Return the name of the dtype in which the numbers of an array are computed."""
    return "float32" if _name(dtype) == BFLOAT16 else _name(dtype)


def number_type(dtype: DType) -> str:
    """Return the C++ type in which the numbers of an array are computed."""
    return TYPES[computed_in(dtype)]


def as_number(dtype: DType, element: str) -> str:
    """Return the expression for the number that an element in memory is."""
    return f"(float){element}" if _name(dtype) == BFLOAT16 else element


def expression(node: Node, arguments: list[str]) -> str:
    """Return the expression for an element of an operation's result.

    Parameters
    ----------
    node : Node
        Elementwise operation.
    arguments : list of str
        Expressions for the elements of its arguments.

    Returns
    -------
    str
        Expression of the C++ type of the result in memory.
    """
    own, computed = TYPES[dtype_name(node)], number_type(node.dtype)
    operation = OPERATIONS["square" if node.op == "pow" else node.op]
    match node.op:
        case "astype":
            value = f"{arguments[0]} != 0" if own == "bool" else arguments[0]
        case "where":
            value = operation.cuda.format(arguments[0], *(f"({computed})({a})" for a in arguments[1:]))
        case _:
            kind = UNSIGNED.get(computed, computed) if operation.wraps else computed
            if operation.compares:
                kind = TYPES[str(np.result_type(*(_weak(argument) for argument in node.args)))]
            value = operation.cuda.format(*(f"({kind})({a})" for a in arguments))
    return f"({own})({value})"


def literal(value: bool | int | float) -> str:
    """Return a C++ literal.

    Parameters
    ----------
    value : bool, int or float

    Returns
    -------
    str

    Examples
    --------
    >>> literal(True), literal(0.1), literal(float("-inf"))
    ('1LL', '(0.1)', '(-1.0 / 0.0)')
    """
    if isinstance(value, bool | int):
        return f"{int(value)}LL"
    if value != value:
        return "(0.0 / 0.0)"
    return f"({'-' * (value < 0)}1.0 / 0.0)" if value in (np.inf, -np.inf) else f"({float(value)!r})"


@cache
def _name(dtype: DType) -> str:
    return str(dtype)  # NumPy takes microseconds, and a step has thousands of dtypes


def _weak(argument: Any) -> Any:
    return np.dtype(computed_in(argument.dtype)) if isinstance(argument, Node) else argument
