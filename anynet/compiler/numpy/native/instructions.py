"""Instructions of elementwise operations: one table, by name and kind of dtype.

Expressions give what NumPy's functions give, for NaN, infinities and integers that wrap around, too.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from anynet.compiler.graph import Node
from anynet.compiler.numpy.native.elementary import FUNCTIONS
from anynet.compiler.numpy.native.ir_types import TYPES, element, has_type
from anynet.compiler.numpy.native.ir_values import Value
from anynet.compiler.numpy.native.writer import Function
from anynet.compiler.ops import OPERATIONS

Expression = Callable[..., Value]
"""``expression(f, *values)`` writes an operation of values that have one type, and returns its result."""

_COMPARISONS = {
    "equal": ("oeq", "eq", "eq"),
    "not_equal": ("une", "ne", "ne"),
    "less": ("olt", "slt", "ult"),
    "less_equal": ("ole", "sle", "ule"),
    "greater": ("ogt", "sgt", "ugt"),
    "greater_equal": ("oge", "sge", "uge"),
}
"""LLVM's predicates for floating-point numbers, signed and unsigned integers."""


def _larger(f: Function, x: Value, y: Value) -> Value:
    """Return the larger of two floating-point numbers, or NaN."""
    return _first_or_nan(f, "ugt", x, y)


def _smaller(f: Function, x: Value, y: Value) -> Value:
    """Return the smaller of two floating-point numbers, or NaN."""
    return _first_or_nan(f, "ult", x, y)


def _first_or_nan(f: Function, predicate: str, x: Value, y: Value) -> Value:
    if not x.text.startswith("%"):  # a constant; one comparison is enough then
        x, y = y, x
    chosen = f.select(f.compare(predicate, x, y), x, y)  # x, too, if one is NaN
    return f.select(f.compare("uno", y, y), y, chosen) if y.text.startswith("%") else chosen


def _sign(f: Function, x: Value) -> Value:
    one, zero = f.operands(x, 1)[1], f.operands(x, 0)[1]
    if x.is_float:
        rest = f.select(f.compare("uno", x, x), x, zero)
        return f.select(f.compare("ogt", x, 0), one, f.select(f.compare("olt", x, 0), -1, rest))
    return f.select(f.compare("sgt", x, 0), one, f.select(f.compare("slt", x, 0), -1, zero))


def _absolute(f: Function, x: Value) -> Value:
    return f.call("llvm.fabs", x) if x.is_float else f.select(f.compare("slt", x, 0), -x, x)


def _shift(name: str) -> Expression:
    def shift(f: Function, x: Value, n: Value) -> Value:
        """Return a shift, by as many bits as there are or more, too."""
        width = int(element(x.type)[1:])
        bounded = f.select(f.compare("ult", n, width), n, width - 1)
        if name == "ashr":
            return f.op(name, x, bounded)
        return f.select(f.compare("ult", n, width), f.op(name, x, bounded), 0)

    return shift


def _operator(name: str) -> Expression:
    return lambda f, *values: f.op(name, *values)


def _intrinsic(name: str) -> Expression:
    return lambda f, *values: f.call(name, *values)


def _comparison(predicate: str) -> Expression:
    return lambda f, x, y: f.compare(predicate, x, y)


_FLOAT: dict[str, Expression] = {
    "add": _operator("fadd"),
    "subtract": _operator("fsub"),
    "multiply": _operator("fmul"),
    "divide": _operator("fdiv"),
    "reciprocal": lambda f, x: 1 / x,
    "negative": lambda f, x: -x,
    "positive": lambda f, x: x,
    "square": lambda f, x: x * x,
    "abs": _absolute,
    "sqrt": _intrinsic("llvm.sqrt"),
    "maximum": _larger,
    "minimum": _smaller,
    "sign": _sign,
    "ceil": _intrinsic("llvm.ceil"),
    "floor": _intrinsic("llvm.floor"),
    "trunc": _intrinsic("llvm.trunc"),
    "round": _intrinsic("llvm.roundeven"),
    "copysign": _intrinsic("llvm.copysign"),
    "isnan": lambda f, x: f.compare("uno", x, x),
    "isinf": lambda f, x: f.compare("oeq", f.call("llvm.fabs", x), np.inf),
    "isfinite": lambda f, x: f.compare("one", f.call("llvm.fabs", x), np.inf),
    **{name: _comparison(predicates[0]) for name, predicates in _COMPARISONS.items()},
    **FUNCTIONS,
}

_INTEGER: dict[str, Expression] = {
    "add": _operator("add"),
    "subtract": _operator("sub"),
    "multiply": _operator("mul"),
    "negative": lambda f, x: -x,
    "positive": lambda f, x: x,
    "square": lambda f, x: x * x,
    "bitwise_and": _operator("and"),
    "bitwise_or": _operator("or"),
    "bitwise_xor": _operator("xor"),
    "bitwise_invert": lambda f, x: x ^ -1,
    "bitwise_left_shift": _shift("shl"),
    **dict.fromkeys(("ceil", "floor", "trunc", "round"), lambda f, x: x),
}

_SIGNED = _INTEGER | {
    "bitwise_right_shift": _shift("ashr"),
    "abs": _absolute,
    "sign": _sign,
    "maximum": _intrinsic("llvm.smax"),
    "minimum": _intrinsic("llvm.smin"),
    **{name: _comparison(predicates[1]) for name, predicates in _COMPARISONS.items()},
}

_UNSIGNED = _INTEGER | {
    "bitwise_right_shift": _shift("lshr"),
    "abs": lambda f, x: x,
    "sign": lambda f, x: f.select(f.compare("ne", x, 0), 1, x),
    "maximum": _intrinsic("llvm.umax"),
    "minimum": _intrinsic("llvm.umin"),
    **{name: _comparison(predicates[2]) for name, predicates in _COMPARISONS.items()},
}

_BOOL: dict[str, Expression] = {
    **dict.fromkeys(("add", "maximum", "bitwise_or", "logical_or"), _operator("or")),
    **dict.fromkeys(("multiply", "minimum", "bitwise_and", "logical_and"), _operator("and")),
    **dict.fromkeys(("bitwise_xor", "logical_xor", "not_equal"), _operator("xor")),
    **dict.fromkeys(("bitwise_invert", "logical_not"), lambda f, x: x ^ 1),
    **dict.fromkeys(("abs", "positive"), lambda f, x: x),
    **{name: _comparison(_COMPARISONS[name][2]) for name in _COMPARISONS if name != "not_equal"},
}

TABLE = {"f": _FLOAT, "i": _SIGNED, "u": _UNSIGNED, "b": _BOOL}
"""Expressions by NumPy's letter of the kind of the arguments' dtype."""

_OF_BOOLS = {"logical_and", "logical_or", "logical_xor", "logical_not"}
_RESULT_IS_BOOL = {*_COMPARISONS, "isnan", "isinf", "isfinite"}


def is_written(node: Node) -> bool:
    """Return True if an operation has an expression."""
    if node.op not in OPERATIONS or not all(has_type(used.dtype) for used in (node, *node.inputs)):
        return False
    if node.op in ("astype", "where"):
        return not node.kwargs or node.op == "astype"
    if node.kwargs or not node.inputs:
        return False
    return _is_square(node) or (node.op in TABLE[(dtype := argument_dtype(node)).kind] and _numbers_fit(node, dtype))


def argument_dtype(node: Node) -> np.dtype:
    """Return the dtype that arguments are converted to before an operation."""
    if node.op in _OF_BOOLS:
        return np.dtype(bool)
    if node.op in _RESULT_IS_BOOL:
        dtypes = [arg.dtype if isinstance(arg, Node) else arg for arg in node.args]
        return np.result_type(*dtypes)
    dtype: np.dtype = node.dtype
    return dtype


def expression(f: Function, node: Node, values: list[Value]) -> Value:
    """Write an operation that `is_written`, and return its result.

    Parameters
    ----------
    f : Function
    node : Node
    values : list of Value
        Arguments: of ``where``, a condition and two values of the result's dtype; otherwise, of `argument_dtype`.
    """
    if node.op == "astype":
        return values[0]
    if node.op == "where":
        return f.select(*values)
    if _is_square(node):
        return values[0] * values[0]
    write: Expression = TABLE[argument_dtype(node).kind][node.op]
    result: Value = write(f, *values)
    return result


def convert(f: Function, value: Value, old: np.dtype, new: np.dtype) -> Value:
    """Return a value converted from one dtype to another as ``astype`` does."""
    if old == new:
        return value
    if new.kind == "b":
        return f.compare("une" if old.kind == "f" else "ne", value, 0)
    type_ = TYPES[new.name]
    match old.kind, new.kind:
        case "f", "f":
            name = "fpext" if old.itemsize < new.itemsize else "fptrunc"
        case "f", _:
            wide = "i32" if new.itemsize < 4 else "i64" if new == np.uint32 else type_
            value = f.cast("fptoui" if new == np.uint64 else "fptosi", value, wide)
            if element(value.type) == type_:
                return value
            name = "trunc"
        case _, "f":
            name = "sitofp" if old.kind == "i" else "uitofp"
        case _ if old.kind != "b" and old.itemsize >= new.itemsize:
            if old.itemsize == new.itemsize:
                return value
            name = "trunc"
        case _:
            name = "sext" if old.kind == "i" else "zext"
    return f.cast(name, value, type_)


def number(f: Function, value: Any, dtype: np.dtype) -> Value:
    """Return a Python number as a constant of a dtype."""
    return f.constant(TYPES[dtype.name], float(value) if dtype.kind == "f" else int(value))


def _is_square(node: Node) -> bool:
    match node.op, node.args:
        case "pow", (Node() as x, int() | float() as n):
            return n == 2 and x.dtype == node.dtype and node.dtype.kind == "f"
    return False


def _numbers_fit(node: Node, dtype: np.dtype) -> bool:
    """Return True if numbers among the arguments can be converted to a dtype without a change."""
    numbers = [arg for arg in node.args if not isinstance(arg, Node)]
    if dtype.kind == "f":
        return all(isinstance(n, int | float) for n in numbers)
    if dtype.kind == "b":
        return all(isinstance(n, bool) for n in numbers)
    info = np.iinfo(dtype)
    return all(isinstance(n, int) and info.min <= n <= info.max for n in numbers)
