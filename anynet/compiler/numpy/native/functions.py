"""Functions of floating-point numbers as instructions that LLVM vectorizes."""

from collections.abc import Callable

from anynet.compiler.numpy.native.writer import Function, Value

FUNCTIONS: dict[str, Callable[[Function, Value], Value]] = {}
"""``function(f, x)`` by name of the array API; `x` is a float or a double."""
