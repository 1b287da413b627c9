"""Functions of LLVM IR, written as text.

A `Function` is built by a kernel (`anynet.compiler.numpy.native.kernel.Kernel`), which names the NumPy arrays it reads
and writes. Their shapes and strides become constants, their addresses parameters: one for each piece of memory that
overlaps with no other, so that all are ``noalias``. Views of the arrays are at constant distances from them, and are
made with NumPy: ``f.load(x.mT, i, j)`` is ``x.mT[i, j]``. ``f.row`` is the number of the step's row; a kernel of
several units does the work of those from ``f.first`` to ``f.last``, which is excluded.

Values of IR are `Value` objects. They have Python's operators ``+ - * / & | ^ << -x``; Python numbers beside them
become constants of the same type. ``/`` is for floating-point numbers. There is no ``>>``, which depends on the sign:
``f.op("lshr", x, 3)`` and ``f.op("ashr", x, 3)``. Comparisons are ``f.compare("olt", x, y)`` with LLVM's predicates.

Types are LLVM's names: ``float``, ``double``, ``i1`` for bool (a byte in memory), ``i8``, ``i32``, ``i64``, and vectors
such as ``<8 x float>``: ``f.load(x, i, j, lanes=8)`` reads eight neighbors on the last axis, which must be contiguous.
Loops of scalars over contiguous elements are vectorized by LLVM.

Variables that change in a loop, such as sums, are ``total = f.variable(f.constant("float", 0))``, ``total.get()`` and
``total.set(value)``; LLVM keeps them in registers.

Floating-point operations have the fast-math flags `FAST`, which change nothing but rounding and the sign of zeros.
Within ``with f.exact():`` they have none; ``f.fma(x, y, z)`` is rounded once in any case.

Examples
--------
The sums of rows:

>>> import numpy as np
>>> x, sums = np.ones((2, 8), np.float32), np.empty(2, np.float32)
>>> f = Function("sums", [x, sums])
>>> with f.loop(2) as i:
...     total = f.variable(f.constant("float", 0.0))
...     with f.loop(8) as j:
...         total.set(total.get() + f.load(x, i, j))
...     f.store(total.get(), sums, i)
>>> print(f.text().splitlines()[0])
define internal void @sums(ptr noalias %p0, ptr noalias %p1, i64 %row, i64 %first, i64 %last) #0 {
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.compiler.numpy.native.ir_types import TYPES, alike, element, lanes, literal, suffix
from anynet.compiler.numpy.native.ir_values import Operand, Value, Variable

Host = NDArray[Any]

FAST = "contract arcp nsz "
"""LLVM's fast-math flags that change nothing but rounding and the sign of zeros: infinities and NaN are kept.

With ``reassoc``, ``(x + y) - x`` would be y, also where x is infinite, and sums that carry their rounding errors along
would lose them.
"""


class Function:
    """Function of LLVM IR that is being written; see the module.

    Parameters
    ----------
    name : str
    arrays : sequence of ndarray
        Arrays that it reads or writes.
    addresses : int
        Number of addresses of other functions, the parameters ``%f0``, ``%f1``.

    Attributes
    ----------
    pointers : list of int
        Addresses of the pieces of memory, the first parameters.
    declarations : set of str
        Declarations of intrinsics.
    """

    def __init__(self, name: str, arrays: Sequence[Host], addresses: int = 0) -> None:
        self.name = name
        self._pieces = pieces(arrays)
        self.pointers = [start for start, _ in self._pieces]
        self.declarations: set[str] = set()
        self._flags = FAST
        self._addresses = addresses
        self._count = 0
        self._ahead: list[str] = []
        self._lines: list[str] = []
        self._hints: list[Sequence[str]] = []

    # Text

    def text(self) -> str:
        """Return the definition."""
        parameters = [f"ptr noalias %p{i}" for i in range(len(self._pieces))]
        parameters += [*(f"ptr %f{i}" for i in range(self._addresses)), "i64 %row", "i64 %first", "i64 %last"]
        body = "\n".join(["entry:", *self._ahead, *self._lines, "  ret void"])
        return f"define internal void @{self.name}({', '.join(parameters)}) #0 {{\n{body}\n}}\n"

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

    def _name(self) -> str:
        self._count += 1
        return f"%v{self._count}"

    # Values

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

    def call(self, name: str, *values: Operand, result: str = "") -> Value:
        """Return the result of an intrinsic, such as ``llvm.sqrt``, overloaded on the type of its operands.

        `result` is the type of the result where it is another one, as of ``llvm.vector.reduce.fadd``.
        """
        found = self.operands(*values)
        overload = max((value.type for value in found), key=lanes)
        type_ = result or found[0].type
        full = f"@{name}.{suffix(overload)}"
        self.declarations.add(f"declare {type_} {full}({', '.join(value.type for value in found)})")
        flags = self._flags if element(type_) in ("float", "double") else ""
        return self.emit(type_, f"call {flags}{type_} {full}({', '.join(map(str, found))})")

    def fma(self, x: Operand, y: Operand, z: Operand) -> Value:
        """Return ``x * y + z``, rounded once."""
        return self.call("llvm.fma", x, y, z)

    def splat(self, value: Value, n: int) -> Value:
        """Return a vector whose `n` elements are a value."""
        type_ = f"<{n} x {value.type}>"
        first = self.emit(type_, f"insertelement {type_} poison, {value}, i64 0")
        return self.emit(type_, f"shufflevector {first}, {type_} poison, <{n} x i32> zeroinitializer")

    # Memory

    def address(self, array: Host, *index: Operand) -> str:
        """Return a pointer to an element of an array; missing indices are 0."""
        start = array.ctypes.data
        piece = next(i for i, (low, high) in enumerate(self._pieces) if low <= start < high)
        place = f"%p{piece}"
        fixed = start - self._pieces[piece][0]
        for i, stride in zip(index, array.strides, strict=False):
            if isinstance(i, Value):
                if not stride:
                    continue
                far = self.emit("i64", f"mul nsw {i}, {stride}")
                place = self.emit("ptr", f"getelementptr inbounds i8, ptr {place}, {far}").text
            else:
                fixed += int(i) * stride
        if fixed:
            place = self.emit("ptr", f"getelementptr inbounds i8, ptr {place}, i64 {fixed}").text
        return place

    def load(self, array: Host, *index: Operand, lanes: int = 0) -> Value:
        """Return the element at an index, or with `lanes` as many neighbors on the last axis."""
        type_ = TYPES[array.dtype.name]
        stored = "i8" if type_ == "i1" else type_
        whole = f"<{lanes} x {stored}>" if lanes else stored
        value = self.emit(whole, f"load {whole}, ptr {self.address(array, *index)}, align {_alignment(array)}")
        return self.compare("ne", value, 0) if type_ == "i1" else value

    def store(self, value: Value, array: Host, *index: Operand) -> None:
        """Write a value of the array's type, or a vector of neighbors on the last axis."""
        if element(value.type) == "i1":
            value = self.cast("zext", value, "i8")
        self.line(f"store {value}, ptr {self.address(array, *index)}, align {_alignment(array)}")

    # Control

    @property
    def row(self) -> Value:
        """Number of the step's row."""
        return Value(self, "i64", "%row")

    @property
    def first(self) -> Value:
        """Number of the first unit of the kernel's work that is to be done."""
        return Value(self, "i64", "%first")

    @property
    def last(self) -> Value:
        """Number of the unit before which to stop."""
        return Value(self, "i64", "%last")

    @contextmanager
    def loop(self, stop: Operand, start: Operand = 0, step: int = 1, hints: Sequence[str] = ()) -> Iterator[Value]:
        """Context manager for the body of a loop over ``range(start, stop, step)`` with a positive step.

        `hints` are LLVM's metadata for loops, such as ``!"llvm.loop.unroll.disable"``.
        """
        first, last = (x if isinstance(x, Value) else self.index(int(x)) for x in (start, stop))
        head, body, done = self.label("head"), self.label("body"), self.label("done")
        variable = self.variable(first)
        self.jump(head)
        self.begin(head)
        i = variable.get()
        self.line(f"br {self.compare('slt', i, last)}, label %{body}, label %{done}")
        self.begin(body)
        yield i
        variable.set(self.emit("i64", f"add nuw nsw {i}, {step}"))
        tail = ""
        if hints:
            tail = f", !llvm.loop !hints{len(self._hints)} "
            self._hints.append(hints)
        self.jump(head, tail)
        self.begin(done)

    @contextmanager
    def loops(self, shape: Sequence[int], hints: Sequence[str] = ()) -> Iterator[list[Value]]:
        """Context manager for the body of nested loops over the indices of a shape; `hints` are for the inner one."""
        if not shape:
            yield []
            return
        inner = len(shape) == 1
        with self.loop(shape[0], hints=hints if inner else ()) as i, self.loops(shape[1:], hints) as rest:
            yield [i, *rest]

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """Context manager for what is done only if a condition holds."""
        yes, done = self.label("yes"), self.label("done")
        self.line(f"br {condition}, label %{yes}, label %{done}")
        self.begin(yes)
        yield
        self.jump(done)
        self.begin(done)

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


def pieces(arrays: Sequence[Host]) -> list[tuple[int, int]]:
    """Return the ranges of addresses of arrays, those that overlap as one, in an order without regard to addresses."""
    bounds = [np.lib.array_utils.byte_bounds(array) for array in arrays]
    bounds = [(low, max(high, low + 1)) for low, high in bounds]  # an empty array has a place, too
    found: list[tuple[int, int]] = []
    for low, high in sorted(bounds):
        if found and low < found[-1][1]:
            found[-1] = found[-1][0], max(high, found[-1][1])
        else:
            found.append((low, high))
    return list(dict.fromkeys(next(piece for piece in found if piece[0] <= low < piece[1]) for low, _ in bounds))


def _alignment(array: Host) -> int:
    return array.itemsize if array.flags.aligned else 1
