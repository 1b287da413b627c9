"""Reductions as native functions: sums, products, the largest and the smallest elements, any and all.

Several elements are folded at a time, in vectors and in variables of their own, and what they give is folded pairwise.
Long sums are sums of sums of about as many numbers, so that errors grow with the root of the number of elements. The
order of all that depends on the shape alone.
"""

import math
from collections.abc import Callable

import numpy as np

from anynet.compiler.graph import Args, Kwargs, Node
from anynet.compiler.numpy.native.instructions import TABLE, convert
from anynet.compiler.numpy.native.ir_types import element, has_type
from anynet.compiler.numpy.native.ir_values import Operand, Value
from anynet.compiler.numpy.native.kernel import Host, Kernel
from anynet.compiler.numpy.native.panels import ONCE, power_of_two, shuffle, starts
from anynet.compiler.numpy.native.processor import vector_registers
from anynet.compiler.numpy.native.writer import Function

OPERATIONS = {
    "sum": "add",
    "mean": "add",
    "prod": "multiply",
    "max": "maximum",
    "min": "minimum",
    "any": "logical_or",
    "all": "logical_and",
}
"""Operations that fold two elements."""

CHAINS = 8
"""Number of variables that hide the latency of an operation."""

LONG = 64
"""Number of operations one after another, beyond which sums are divided."""

Load = Callable[[Operand], list[Value]]
"""``load(i)`` returns what is to be folded with what it returns for other numbers."""


def kernel(node: Node, args: Args, kwargs: Kwargs, out: Host) -> Kernel | None:
    """Return a kernel for a reduction, or None if there is no native form."""
    if node.op not in OPERATIONS or kwargs.keys() - {"axis", "keepdims"}:
        return None
    (x,) = args
    if x.size == 0 or not (has_type(x.dtype) and has_type(out.dtype)):
        return None
    if node.op in ("any", "all"):
        fits = out.dtype == bool
    elif node.op == "mean" or out.dtype.kind == "f":
        fits = out.dtype == x.dtype and out.dtype.kind == "f"
    else:
        fits = out.dtype.kind in "iu" and x.dtype.kind in "iub"
    axis = kwargs.get("axis")
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    reduced = sorted(a % x.ndim for a in axes) if x.ndim else []
    if kwargs.get("keepdims"):
        out = out[(..., *(0 if a in reduced else slice(None) for a in range(x.ndim)))]
    kept = [n for a, n in enumerate(x.shape) if a not in reduced]
    flat = np.moveaxis(x, reduced, range(-len(reduced), 0)).reshape((*kept, -1)) if reduced else x[..., None]
    if not fits or not np.may_share_memory(flat, x):
        return None
    return Reduction(node.op, flat, out)


class Reduction(Kernel):
    """Reduction of the last axis.

    Parameters
    ----------
    op : str
        Name of the operation.
    x, out : ndarray
    count : int, optional
        Number that means are divided by. Default: the length of the axis.
    """

    def __init__(self, op: str, x: Host, out: Host, count: int = 0) -> None:
        super().__init__([x, out])
        self._op, self._x, self._out, self._count = op, x, out, count or x.shape[-1]

    def write(self, f: Function) -> None:
        """Write loops over the other axes; neighboring results are computed at a time, or one from neighbors."""
        x, out, size = self._x, self._out, vector_registers()[0]
        most = size // max(x.itemsize, out.itemsize)
        neighbors = x.ndim > 1 and x.shape[-2] > 1 and x.strides[-2] == x.itemsize and out.strides[-1] == out.itemsize
        if not neighbors:
            with f.loops(out.shape) as index:
                f.store(self._result(f, self._row(f, index, most)), out, *index)
            return
        turned, n = x.mT, out.shape[-1]
        width = power_of_two(min(n, most))
        columns = starts(n, width)
        with f.loops(out.shape[:-1]) as index:

            def fold(first: Operand, places: list[int]) -> None:
                def load(i: Operand) -> list[Value]:
                    return [self._load(f, turned, *index, i, first + place, lanes=width) for place in places]

                for place, value in zip(places, self._fold(f, x.shape[-1], load, len(places)), strict=True):
                    f.store(self._result(f, value), out, *index, first + place)

            whole = n // (width * CHAINS) * CHAINS
            if whole > CHAINS:
                with f.loop(whole * width, step=CHAINS * width, hints=ONCE) as first:
                    fold(first, columns[:CHAINS])
                columns = columns[whole:]
            for i in range(0, len(columns), CHAINS):
                fold(f.index(0), columns[i : i + CHAINS])

    def _row(self, f: Function, index: list[Value], most: int) -> Value:
        """Return what the elements of a row give."""
        x, n = self._x, self._x.shape[-1]
        if x.strides[-1] != x.itemsize:
            return self._fold(f, n, lambda i: [self._load(f, x, *index, i)], 1)[0]
        width = power_of_two(min(n, most))
        value = self._fold(f, n // width, lambda i: [self._load(f, x, *index, i * width, lanes=width)], 1)[0]
        place = n - n % width
        while width > 1:
            width //= 2
            low, high = (shuffle(f, value, value, range(first, first + width)) for first in (0, width))
            value = self._combine(f, low, high)
            if n - place >= width:
                value = self._combine(f, value, self._load(f, x, *index, place, lanes=width))
                place += width
        return f.emit(element(value.type), f"extractelement {value}, i64 0")

    def _fold(self, f: Function, n: int, load: Load, width: int) -> list[Value]:
        """Return what `n` lists of `width` values give."""
        chains = min(n, max(1, CHAINS // width))
        steps = n // chains
        parts = math.isqrt(steps) if steps > LONG and self._op in ("sum", "mean") else 1
        if parts == 1:
            found = self._chains(f, 0, f.index(steps), load, chains)
        else:
            size = -(-steps // parts)
            zero = f.operands(load(0)[0], 0)[1]
            totals = [[f.variable(zero) for _ in range(width)] for _ in range(chains)]
            with f.loop(steps, step=size, hints=ONCE) as first:
                stop = f.select(f.compare("slt", first + size, steps), first + size, steps)
                for total, part in zip(totals, self._chains(f, first, stop, load, chains), strict=True):
                    for variable, value in zip(total, part, strict=True):
                        variable.set(self._combine(f, variable.get(), value))
            found = [[variable.get() for variable in total] for total in totals]
        for i in range(steps * chains, n):
            found[i - steps * chains] = self._combined(f, found[i - steps * chains], load(i))
        while len(found) > 1:
            half = -(-len(found) // 2)
            pairs = [self._combined(f, one, other) for one, other in zip(found, found[half:], strict=False)]
            found = pairs + found[len(pairs) : half]
        return found[0]

    def _chains(self, f: Function, first: Operand, stop: Value, load: Load, chains: int) -> list[list[Value]]:
        """Return what every so many lists of values give, from one step to another."""
        variables = [[f.variable(value) for value in load(first * chains + i)] for i in range(chains)]
        with f.loop(stop, first + 1) as step:
            for i, several in enumerate(variables):
                for variable, value in zip(several, load(step * chains + i), strict=True):
                    variable.set(self._combine(f, variable.get(), value))
        return [[variable.get() for variable in several] for several in variables]

    def _combined(self, f: Function, one: list[Value], other: list[Value]) -> list[Value]:
        return [self._combine(f, x, y) for x, y in zip(one, other, strict=True)]

    def _combine(self, f: Function, x: Value, y: Value) -> Value:
        value: Value = TABLE[self._out.dtype.kind][OPERATIONS[self._op]](f, x, y)
        return value

    def _load(self, f: Function, array: Host, *index: Operand, lanes: int = 0) -> Value:
        value: Value = convert(f, f.load(array, *index, lanes=lanes), array.dtype, self._out.dtype)
        return value

    def _result(self, f: Function, value: Value) -> Value:
        if self._op != "mean":
            return value
        with f.exact():
            mean: Value = value / self._count
            return mean
