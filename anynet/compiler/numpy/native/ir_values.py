"""Values of LLVM IR with Python's operators; each operation is written to the function that the value belongs to."""

from typing import Protocol, Union

from anynet.compiler.numpy.native.ir_types import element

Operand = Union["Value", int, float]

_FLOAT = {"add": "fadd", "sub": "fsub", "mul": "fmul"}


class _Writer(Protocol):
    """Methods of a function that is being written; see `Function`."""

    def op(self, name: str, *values: Operand) -> "Value": ...
    def emit(self, type_: str, text: str) -> "Value": ...
    def line(self, text: str) -> None: ...
    def reserve(self, type_: str) -> str: ...


class Value:
    """Value of IR: a register or a constant.

    Attributes
    ----------
    type : str
    text : str
        The operand, such as ``%v3``.
    """

    __slots__ = ("_function", "text", "type")

    def __init__(self, function: _Writer, type_: str, text: str) -> None:
        self._function, self.type, self.text = function, type_, text

    @property
    def is_float(self) -> bool:
        """True for floating-point numbers and vectors of them."""
        return element(self.type) in ("float", "double")

    def __str__(self) -> str:
        return f"{self.type} {self.text}"

    def _arithmetic(self, name: str, x: Operand, y: Operand) -> "Value":
        return self._function.op(_FLOAT[name] if self.is_float else name, x, y)

    def __add__(self, other: Operand) -> "Value":
        return self._arithmetic("add", self, other)

    def __radd__(self, other: Operand) -> "Value":
        return self._arithmetic("add", other, self)

    def __sub__(self, other: Operand) -> "Value":
        return self._arithmetic("sub", self, other)

    def __rsub__(self, other: Operand) -> "Value":
        return self._arithmetic("sub", other, self)

    def __mul__(self, other: Operand) -> "Value":
        return self._arithmetic("mul", self, other)

    def __rmul__(self, other: Operand) -> "Value":
        return self._arithmetic("mul", other, self)

    def __truediv__(self, other: Operand) -> "Value":
        return self._function.op("fdiv", self, other)

    def __rtruediv__(self, other: Operand) -> "Value":
        return self._function.op("fdiv", other, self)

    def __neg__(self) -> "Value":
        return self._function.op("fneg", self) if self.is_float else self._arithmetic("sub", 0, self)

    def __and__(self, other: Operand) -> "Value":
        return self._function.op("and", self, other)

    def __or__(self, other: Operand) -> "Value":
        return self._function.op("or", self, other)

    def __xor__(self, other: Operand) -> "Value":
        return self._function.op("xor", self, other)

    def __lshift__(self, other: Operand) -> "Value":
        return self._function.op("shl", self, other)


class Variable:
    """Value that changes."""

    def __init__(self, function: _Writer, start: Value) -> None:
        self._function, self._type = function, start.type
        self._pointer = function.reserve(start.type)
        self.set(start)

    def get(self) -> Value:
        """Return the value that was set last."""
        return self._function.emit(self._type, f"load {self._type}, ptr {self._pointer}")

    def set(self, value: Value) -> None:
        """Change the value."""
        self._function.line(f"store {value}, ptr {self._pointer}")
