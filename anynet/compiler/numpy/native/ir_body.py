"""Bodies of functions of LLVM IR: text that grows by instructions, and the values that these give."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from anynet.compiler.numpy.native.ir_types import alike, element, lanes, literal, nbytes, suffix
from anynet.compiler.numpy.native.ir_values import Operand, Value, Variable

FAST = "contract arcp nsz "
"""LLVM's fast-math flags that change nothing but rounding and the sign of zeros: infinities and NaN are kept.

With ``reassoc``, ``(x + y) - x`` would be y, also where x is infinite, and sums that carry their rounding errors along
would lose them.
"""


class Body:
    """Function of LLVM IR without arrays and loops, which `Function` adds.

    Parameters
    ----------
    name : str
    parameters : sequence of str
        Types and names.

    Attributes
    ----------
    declarations : set of str
        Declarations of intrinsics.
    """

    def __init__(self, name: str, parameters: Sequence[str]) -> None:
        self.name, self._parameters = name, parameters
        self.declarations: set[str] = set()
        self._flags = FAST
        self._count = 0
        self._ahead: list[str] = []
        self._lines: list[str] = []
        self._hints: list[Sequence[str]] = []

    def text(self) -> str:
        """Return the definition."""
        body = "\n".join(["entry:", *self._ahead, *self._lines, "  ret void"])
        return f"define internal void @{self.name}({', '.join(self._parameters)}) #0 {{\n{body}\n}}\n"

    def metadata(self, first: int) -> tuple[str, list[str]]:
        """Return the definition, and the module's metadata that it refers to, numbered from `first` on."""
        text, found = self.text(), []
        for i, hints in enumerate(self._hints):
            text = text.replace(f"!hints{i} ", f"!{first + i}")
            marks = "".join(f", !{{{hint}}}" for hint in hints)
            found.append(f"!{first + i} = distinct !{{!{first + i}{marks}}}")
        return text, found

    def line(self, text: str) -> None:
        """Write an instruction without a result."""
        self._lines.append(f"  {text}")

    def emit(self, type_: str, text: str) -> Value:
        """Write an instruction, and return its result."""
        name = self._name()
        self.line(f"{name} = {text}")
        return Value(self, type_, name)

    def reserve(self, type_: str) -> str:
        """Return a pointer to memory of the function's own."""
        name = self._name()
        self._ahead.append(f"  {name} = alloca {type_}")
        return name

    def load_at(self, type_: str, pointer: str) -> Value:
        """Return a number, or a vector of neighbors, that a pointer has."""
        return self.emit(type_, f"load {type_}, ptr {pointer}, align {nbytes(type_)}")

    def store_at(self, value: Value, pointer: str) -> None:
        """Write a number, or a vector of neighbors, where a pointer has it."""
        self.line(f"store {value}, ptr {pointer}, align {nbytes(value.type)}")

    def _name(self) -> str:
        self._count += 1
        return f"%v{self._count}"

    def label(self, name: str) -> str:
        """Return a new label."""
        self._count += 1
        return f"{name}{self._count}"

    def jump(self, label: str, metadata: str = "") -> None:
        """Go on at a label."""
        self.line(f"br label %{label}{metadata}")

    def begin(self, label: str) -> None:
        """Begin the block of a label."""
        self._lines.append(f"{label}:")

    def constant(self, type_: str, number: float) -> Value:
        """Return a constant; of a vector, all elements are `number`."""
        if type_.startswith("<"):
            each = self.constant(element(type_), number)
            return Value(self, type_, f"<{', '.join([str(each)] * lanes(type_))}>")
        return Value(self, type_, literal(type_, number))

    def index(self, number: int) -> Value:
        """Return a constant of the type of indices."""
        return self.constant("i64", number)

    def variable(self, start: Value) -> Variable:
        """Return a variable with a value to start with."""
        return Variable(self, start)

    @contextmanager
    def exact(self) -> Iterator[None]:
        """Context manager in which floating-point operations have no fast-math flags."""
        flags, self._flags = self._flags, ""
        try:
            yield
        finally:
            self._flags = flags

    def operands(self, *values: Operand) -> list[Value]:
        """Return values, with constants of the same type in place of Python numbers."""
        type_ = next(value.type for value in values if isinstance(value, Value))
        return [value if isinstance(value, Value) else self.constant(type_, value) for value in values]

    def op(self, name: str, *values: Operand) -> Value:
        """Return the result of an instruction whose operands and result have one type, such as ``fadd``."""
        found = self.operands(*values)
        flags = self._flags if found[0].is_float else ""
        return self.emit(found[0].type, f"{name} {flags}{found[0].type} {', '.join(value.text for value in found)}")

    def compare(self, predicate: str, x: Operand, y: Operand) -> Value:
        """Return a comparison (``i1``) by a predicate of ``fcmp`` or ``icmp``, such as ``olt`` or ``slt``."""
        one, other = self.operands(x, y)
        name = "fcmp" if one.is_float else "icmp"
        return self.emit(alike(one.type, "i1"), f"{name} {predicate} {one}, {other.text}")

    def select(self, condition: Value, x: Operand, y: Operand) -> Value:
        """Return `x` where a condition holds, otherwise `y`."""
        one, other = self.operands(x, y)
        return self.emit(one.type, f"select {condition}, {one}, {other}")

    def cast(self, name: str, value: Value, type_: str) -> Value:
        """Return a value converted by an instruction such as ``sitofp`` or ``bitcast``; `type_` is without lanes."""
        type_ = alike(value.type, type_)
        return self.emit(type_, f"{name} {value} to {type_}")

    def call(self, name: str, *values: Operand) -> Value:
        """Return the result of an intrinsic whose operands and result have one type, such as ``llvm.sqrt``."""
        found = self.operands(*values)
        type_ = found[0].type
        full = f"@{name}.{suffix(type_)}"
        self.declarations.add(f"declare {type_} {full}({', '.join(value.type for value in found)})")
        flags = self._flags if element(type_) in ("float", "double") else ""
        return self.emit(type_, f"call {flags}{type_} {full}({', '.join(map(str, found))})")

    def splat(self, value: Value, n: int) -> Value:
        """Return a vector whose `n` elements are a value."""
        type_ = f"<{n} x {value.type}>"
        first = self.emit(type_, f"insertelement {type_} poison, {value}, i64 0")
        return self.emit(type_, f"shufflevector {first}, {type_} poison, <{n} x i32> zeroinitializer")
