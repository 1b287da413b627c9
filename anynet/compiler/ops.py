"""The elementwise operations of the array API standard, and how each target computes them.

Every table of operations in the targets is made from this one: to add an operation is to add a line.
"""

from typing import NamedTuple

from anynet.compiler.graph import Node

FLOATS, INTEGERS, BITS, ALL = "f", "iu", "biu", "biuf"


class Operation(NamedTuple):
    """An operation that computes each element of its result from the same elements of its arguments.

    A target without an expression or a name for it calls the function of its array library, which is slower. NumPy
    has a function for each.

    Parameters
    ----------
    name : str
        Function of the array API standard.
    operator, reflected : str
        Methods of arrays that are Python's operator, such as ``__add__`` and ``__radd__``; empty without one.
    torch : str
        Name of the function of PyTorch that takes ``out``.
    cuda : str
        CUDA C++ expression of the arguments, which are converted to the type of the result first.
    kinds : str
        NumPy's letters of the kinds of dtypes that a result of the CUDA expression may have.
    compares : bool
        If True, the result is bool, and the CUDA expression takes arguments of a type that holds all of them.
    wraps : bool
        If True, signed integers may overflow, which is undefined in C++: the CUDA expression takes unsigned ones.
    in_place : bool
        If True, the result may be written over an argument.
    """

    name: str
    operator: str = ""
    reflected: str = ""
    torch: str = ""
    cuda: str = ""
    kinds: str = ALL
    compares: bool = False
    wraps: bool = False
    in_place: bool = True


_TABLE = (
    # arithmetic
    Operation("add", "__add__", "__radd__", "add", "{0} + {1}", wraps=True),
    Operation("subtract", "__sub__", "__rsub__", "sub", "{0} - {1}", wraps=True),
    Operation("multiply", "__mul__", "__rmul__", "mul", "{0} * {1}", wraps=True),
    Operation("divide", "__truediv__", "__rtruediv__", "div", "{0} / {1}", FLOATS),
    Operation("floor_divide", "__floordiv__", "__rfloordiv__"),
    Operation("remainder", "__mod__", "__rmod__"),
    Operation("pow", "__pow__", "__rpow__"),  # of the exponent 2, the CUDA expression is that of square
    Operation("negative", "__neg__", torch="neg", cuda="-{0}", wraps=True),
    Operation("positive", "__pos__", cuda="{0}"),
    # + 0, for -0.0 is not less than 0
    Operation("abs", "__abs__", torch="abs", cuda="({0} < 0 ? -{0} : {0} + 0)"),
    Operation("square", cuda="{0} * {0}", wraps=True),
    Operation("sqrt", torch="sqrt", cuda="sqrt({0})", kinds=FLOATS),
    Operation("reciprocal"),
    Operation("hypot"),
    # of two, the one; NaN if one of them is
    Operation("maximum", torch="maximum", cuda="({0} > {1} || {0} != {0} ? {0} : {1})"),
    Operation("minimum", torch="minimum", cuda="({0} < {1} || {0} != {0} ? {0} : {1})"),
    # exponentials and logarithms
    Operation("exp", torch="exp", cuda="exp({0})", kinds=FLOATS),
    Operation("expm1", torch="expm1", cuda="expm1({0})", kinds=FLOATS),
    Operation("log", torch="log", cuda="log({0})", kinds=FLOATS),
    Operation("log1p", torch="log1p", cuda="log1p({0})", kinds=FLOATS),
    Operation("log2"),
    Operation("log10"),
    Operation("logaddexp"),
    # trigonometric and hyperbolic functions
    Operation("tanh", torch="tanh", cuda="tanh({0})", kinds=FLOATS),
    Operation("sin", torch="sin", cuda="sin({0})", kinds=FLOATS),
    Operation("cos", torch="cos", cuda="cos({0})", kinds=FLOATS),
    *map(Operation, ("tan", "asin", "acos", "atan", "atan2")),
    *map(Operation, ("sinh", "cosh", "asinh", "acosh", "atanh")),
    # rounding, signs
    *map(Operation, ("ceil", "floor", "round", "trunc", "signbit", "copysign", "nextafter")),
    # PyTorch's own is 0 of NaN
    Operation("sign", cuda="({0} > 0 ? 1 : {0} < 0 ? -1 : {0} + 0)", kinds="iuf"),
    # comparisons
    Operation("equal", "__eq__", "", "eq", "{0} == {1}", compares=True),
    Operation("not_equal", "__ne__", "", "ne", "{0} != {1}", compares=True),
    Operation("less", "__lt__", "", "lt", "{0} < {1}", compares=True),
    Operation("less_equal", "__le__", "", "le", "{0} <= {1}", compares=True),
    Operation("greater", "__gt__", "", "gt", "{0} > {1}", compares=True),
    Operation("greater_equal", "__ge__", "", "ge", "{0} >= {1}", compares=True),
    Operation("isfinite", cuda="{0} - {0} == 0", compares=True),
    Operation("isinf"),
    Operation("isnan", cuda="{0} != {0}", compares=True),
    Operation("logical_and", cuda="({0} != 0) && ({1} != 0)", compares=True),
    Operation("logical_or", cuda="({0} != 0) || ({1} != 0)", compares=True),
    Operation("logical_not", cuda="{0} == 0", compares=True),
    Operation("logical_xor", cuda="({0} != 0) != ({1} != 0)", compares=True),
    # bits
    Operation("bitwise_and", "__and__", "__rand__", "bitwise_and", "{0} & {1}", BITS),
    Operation("bitwise_or", "__or__", "__ror__", "bitwise_or", "{0} | {1}", BITS),
    Operation("bitwise_xor", "__xor__", "__rxor__", "bitwise_xor", "{0} ^ {1}", BITS),
    Operation("bitwise_invert", "__invert__", cuda="~{0}", kinds=INTEGERS),
    Operation(
        *("bitwise_left_shift", "__lshift__", "__rlshift__", "bitwise_left_shift", "{0} << {1}", INTEGERS), wraps=True
    ),
    Operation("bitwise_right_shift", "__rshift__", "__rrshift__", "bitwise_right_shift", "{0} >> {1}", INTEGERS),
    # the others
    Operation("astype", cuda="{0}"),
    Operation("where", torch="where", cuda="({0}) ? {1} : {2}", in_place=False),  # two copies
    # Rows from anywhere in the first argument; CUDA computes the address.
    Operation("take", in_place=False),
)

OPERATIONS = {operation.name: operation for operation in _TABLE}
"""Every elementwise operation by name, ``take`` among them."""


def keeps_integers(node: Node) -> bool:
    """Return True if all arrays of an operation have one integer dtype, and its numbers are integers.

    The numbers can be converted to the dtype then; others may change the dtype of the result.
    """
    numbers = (arg for arg in node.args if not isinstance(arg, Node))
    return (
        "int" in str(node.dtype)
        and all(used.dtype == node.dtype for used in node.inputs)
        and all(type(number) is int for number in numbers)
    )


def is_mask(node: Node) -> bool:
    """Return True if a choice (``where``) is between an array and zeros: a product with the condition."""
    condition, x, y = node.args
    return (
        isinstance(condition, Node)
        and isinstance(x, Node)
        and str(condition.dtype).endswith("bool")
        and x.dtype == node.dtype
        and isinstance(y, int | float)
        and str(float(y)) == "0.0"  # which -0.0 is not
    )
