"""Phases for recorded operations, whose arrays are there."""

import math
from collections.abc import Callable
from typing import Any

from anynet.compiler.cuda.expressions import ENDS, REDUCTIONS, TYPES, Reduction, dtype_name, expression, number
from anynet.compiler.cuda.phases import WARP, Access, Fold, Phase
from anynet.compiler.graph import Node
from anynet.compiler.memory import MemoryPlan
from anynet.core.typing import ConcreteArray as Array

NewArray = Callable[[tuple[int, ...]], Array]

MANY_TURNS = 1 << 8
"""Results from which on each is a thread's where the elements that it is made of lie apart: neighbours lie together."""

LONG = 1 << 8
"""Elements from which on a reduction is split into parts, if that occupies more of the device."""

MOST_OF_WARP, LEAST_OF_THREAD, THREADS = 1 << 9, 1 << 4, 1 << 15
"""Into parts of so many elements: a warp's at most, a thread's at least, and of no more threads than so many."""

FINALLY = {"mean": "sum", "count_nonzero": "sum"}
"""How what parts have come to is reduced, where it is not as the parts are."""


def elementwise(group: list[Node], memory: MemoryPlan) -> Phase:
    """One loop for operations with results of one shape, each behind those it needs; it writes those needed outside."""
    shape, outer = tuple(group[0].shape), set(memory.needed_outside(group))
    local: dict[Node, str] = {}
    reads: list[Access] = []
    writes: list[Access] = []
    lines: list[str] = []

    def load(access: Access, kind: str) -> str:
        for k, known in enumerate(reads):
            if (_address(known), known.array.dtype) == (_address(access), access.array.dtype):
                return f"v{k}"
        reads.append(access)
        lines.append(f"const {kind} v{len(reads) - 1} = {{x{len(reads) - 1}}};")
        return f"v{len(reads) - 1}"

    def value(argument: Any) -> str:
        if not isinstance(argument, Node):
            return number(argument)
        return local.get(argument) or load(Access(memory[argument], _strides(memory[argument], shape)), _type(argument))

    for k, node in enumerate(group):
        if node.op == "take":
            table, index, axis = (*(memory[used] for used in node.args), node.kwargs["axis"] % len(shape))
            along = [0] * len(shape)
            along[axis] = _steps(index)[0]
            chosen = load(Access(index, tuple(along)), _type(node.args[1]))
            lines.append(f"const long long j{k} = at({chosen}, {table.shape[axis]});")
            found = load(_at(table, axis, f"j{k}"), _type(node))
        else:
            found = expression(node, [value(a) for a in (node.args[:1] if node.op == "astype" else node.args)])
        lines.append(f"const {_type(node)} t{k} = {found};")
        local[node] = f"t{k}"
        if node in outer:
            out = memory.allocate(node)
            writes.append(Access(out, _strides(out, shape)))
            lines.append(f"{{y{len(writes) - 1}}} = t{k};")
    return Phase(shape, tuple(reads), tuple(writes), tuple(lines))


def along_axis(table: Array, index: Array, axis: int, out: Array) -> Phase:
    """``take_along_axis``, of an index of the result's shape."""
    reads = Access(index, _steps(index)), _at(table, axis % out.ndim, "j")
    lines = f"const long long j = at({{x0}}, {table.shape[axis]});", "{y0} = {x1};"
    return Phase(tuple(out.shape), reads, (Access(out, _steps(out)),), lines)


def copy(into: Array, array: Array) -> Phase:
    """Values as they are, or of another dtype."""
    shape = tuple(into.shape)
    value = "{x0} != 0" if str(into.dtype) == "bool" else "{x0}"
    return Phase(
        shape, (Access(array, _strides(array, shape)),), (Access(into, _steps(into)),), (f"{{y0}} = {value};",)
    )


def product(a: Array, b: Array, out: Array) -> Phase:
    """A matrix product, each element of the result by one thread."""
    *members, m, n = out.shape
    shape, k = (*members, m, n), a.shape[-1]
    (*of_a, row_a, in_a), (*of_b, in_b, column_b) = (
        _strides(operand, (*members, *operand.shape[-2:])) for operand in (a, b)
    )
    kind = TYPES[str(out.dtype)]
    return Phase(
        shape,
        (Access(a, (*of_a, row_a, 0, in_a)), Access(b, (*of_b, 0, column_b, in_b))),
        (Access(out, (*_steps(out), 0)),),
        ("const X x = {x0} * {x1};",),
        (k,),
        Fold(REDUCTIONS["sum"], _sum_type(kind), kind, by_warp=False),
    )


def reduction(op: str, x: Array, out: Array, axes: tuple[int, ...], new: NewArray) -> list[Phase]:
    """Reduce an array; in two phases where one would leave most of the device idle.

    axes: those to reduce, not negative. out: without them.
    new: gives an array of a shape, and of out's dtype, for what comes between.
    """
    steps, kept = _steps(x), [axis for axis in range(x.ndim) if axis not in axes]
    shape, inner = ([x.shape[axis] for axis in part] for part in (kept, axes))
    outer_steps, inner_steps = ([steps[axis] for axis in part] for part in (kept, axes))
    n, how = math.prod(inner), REDUCTIONS[op]
    parts = _parts(n, math.prod(shape), inner_steps[0]) if len(axes) == 1 and how.merge else 1
    if parts == 1:
        return [_fold(how, x, [*outer_steps, *inner_steps], shape, inner, out)]
    (axis,), (step,) = axes, inner_steps  # the parts take the axis's place, so that members stay apart
    between = new((*shape[:axis], parts, *shape[axis:]))
    split = [*outer_steps[:axis], step * (n // parts), *outer_steps[axis:], step]
    first, then = "sum" if op == "mean" else op, FINALLY.get(op, op)
    last = REDUCTIONS[then]._replace(result=f"s / {n}") if op == "mean" else REDUCTIONS[then]
    behind = list(_steps(between))
    behind.append(behind.pop(axis))
    return [
        _fold(REDUCTIONS[first], x, split, list(between.shape), [n // parts], between),
        _fold(last, between, behind, shape, [parts], out),
    ]


def _fold(how: Reduction, x: Array, steps: list[int], shape: list[int], inner: list[int], out: Array) -> Phase:
    """steps: of x, along the kept axes and the inner ones."""
    S, X = TYPES[str(out.dtype)], TYPES[str(x.dtype)]
    n, turns = math.prod(inner), math.prod(shape)
    by_warp = bool(how.merge) and n >= WARP and (abs(steps[-1]) == 1 or turns < MANY_TURNS)
    return Phase(
        tuple(shape),
        (Access(x, tuple(steps)),),
        (Access(out, (*_steps(out), *(0 for _ in inner))),),
        ("const X x = {x0};",),
        tuple(inner),
        Fold(how, _sum_type(S), X, by_warp),
    )


def _parts(n: int, turns: int, step: int) -> int:
    """Into how many parts to split reductions of n elements, of which there are so many; a divisor of n."""
    if n < LONG:
        return 1
    most = n // MOST_OF_WARP if abs(step) == 1 else min(THREADS // turns, n // LEAST_OF_THREAD)
    return max((p for p in range(1, most + 1) if n % p == 0), default=1)


def _steps(array: Array) -> tuple[int, ...]:
    """Strides in elements."""
    return tuple(stride // array.itemsize for stride in array.strides)


def _strides(array: Array, shape: tuple[int, ...]) -> tuple[int, ...]:
    """In elements, along the axes of a shape that the array is broadcast to."""
    own = [0 if n == 1 else step for n, step in zip(array.shape, _steps(array), strict=True)]
    return (*(0 for _ in range(len(shape) - len(own))), *own)


def _at(table: Array, axis: int, index: str) -> Access:
    """The element where one axis goes by another index than the loop's."""
    steps = list(_steps(table))
    along, steps[axis] = steps[axis], 0
    return Access(table, tuple(steps), f"{index} * {along}")


def _address(access: Access) -> tuple:
    return access.array.data.ptr, access.strides, access.also


def _sum_type(kind: str) -> str:
    """In which type a result of another is made."""
    return kind if kind in ENDS else "int"


def _type(node: Node) -> str:
    return TYPES[dtype_name(node)]
