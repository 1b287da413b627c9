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

Floating-point operations have the fast-math flags `anynet.compiler.numpy.native.ir_body.FAST`, which change nothing but
rounding and the sign of zeros. Within ``with f.exact():`` they have none.

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

from anynet.compiler.numpy.native.ir_body import Body
from anynet.compiler.numpy.native.ir_types import TYPES, element
from anynet.compiler.numpy.native.ir_values import Operand, Value

Host = NDArray[Any]


class Function(Body):
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
    """

    def __init__(self, name: str, arrays: Sequence[Host], addresses: int = 0) -> None:
        self._pieces = pieces(arrays)
        self.pointers = [start for start, _ in self._pieces]
        parameters = [f"ptr noalias %p{i}" for i in range(len(self._pieces))]
        parameters += [*(f"ptr %f{i}" for i in range(addresses)), "i64 %row", "i64 %first", "i64 %last"]
        super().__init__(name, parameters)

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
