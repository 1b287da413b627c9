"""Lower recorded operations, whose arrays are allocated, to phases."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from anynet.compiler.cuda.expressions import (
    ENDS,
    REDUCTIONS,
    TYPES,
    Reduction,
    as_number,
    dtype_name,
    expression,
    literal,
    number_type,
)
from anynet.compiler.cuda.phases import Access, Phase, broadcast_strides, element_strides
from anynet.compiler.cuda.reductions import TypedReduction, Workers
from anynet.compiler.cuda.sharing import Strided, n_parts, workers
from anynet.compiler.graph import Node
from anynet.compiler.memory import MemoryPlan
from anynet.core.typing import ConcreteArray as Array

NewArray = Callable[[tuple[int, ...]], Array]
"""Function that allocates an array of a shape."""

MERGED_BY = {"mean": "sum", "count_nonzero": "sum"}
"""Reduction of the parts' results, where it is not the reduction of the parts themselves."""


def elementwise(group: list[Node], memory: MemoryPlan) -> Phase:
    """Return one loop for elementwise operations.

    Parameters
    ----------
    group : list of Node
        Operations whose results have one shape, in an order in which they can be computed.
    memory : MemoryPlan
        Allocates the results that are needed outside the group; only these are written.

    Returns
    -------
    Phase
    """
    shape, needed = tuple(group[0].shape), set(memory.needed_outside(group))
    local: dict[Node, str] = {}
    reads: list[Access] = []
    writes: list[Access] = []
    lines: list[str] = []
    lengths: list[int] = []

    def load(access: Access, kind: str) -> str:
        for k, known in enumerate(reads):
            if (_address(known), known.array.dtype) == (_address(access), access.array.dtype):
                return f"v{k}"
        reads.append(access)
        lines.append(f"const {kind} v{len(reads) - 1} = {{x{len(reads) - 1}}};")
        return f"v{len(reads) - 1}"

    def value(argument: Any) -> str:
        if not isinstance(argument, Node):
            return literal(argument)
        if argument in local:
            return local[argument]
        array = memory[argument]
        return load(Access(array, broadcast_strides(array, shape)), number_type(argument.dtype))

    for k, node in enumerate(group):
        if node.op == "take":
            table, index, axis = (*(memory[used] for used in node.args), node.kwargs["axis"] % len(shape))
            along = [0] * len(shape)
            along[axis] = element_strides(index)[0]
            chosen = load(Access(index, tuple(along)), number_type(node.args[1].dtype))
            # An argument, so that steps on data sets of any length run the same source. Other lengths are constants:
            # the compiler needs no division to divide by them.
            lines.append(f"const long long j{k} = at({chosen}, {{n{len(lengths)}}});")
            lengths.append(table.shape[axis])
            found = load(_at(table, axis, f"j{k}"), number_type(node.dtype))
        else:
            found = expression(node, [value(a) for a in (node.args[:1] if node.op == "astype" else node.args)])
        lines.append(f"const {TYPES[dtype_name(node)]} t{k} = {found};")
        local[node] = as_number(node.dtype, f"t{k}")
        if node in needed:
            out = memory.allocate(node)
            writes.append(Access(out, broadcast_strides(out, shape)))
            lines.append(f"{{y{len(writes) - 1}}} = t{k};")
    return Phase(shape, tuple(reads), tuple(writes), tuple(lines), lengths=tuple(lengths))


def along_axis(table: Array, index: Array, axis: int, out: Array) -> Phase:
    """Return the loop of ``out = take_along_axis(table, index, axis)``.

    Parameters
    ----------
    table, index, out : cupy.ndarray
        `index` has the shape of `out`.
    axis : int

    Returns
    -------
    Phase
    """
    reads = Access(index, element_strides(index)), _at(table, axis % out.ndim, "j")
    lines = f"const long long j = at({{x0}}, {table.shape[axis]});", "{y0} = {x1};"
    return Phase(tuple(out.shape), reads, (Access(out, element_strides(out)),), lines)


def copy(into: Array, array: Array) -> Phase:
    """Return the loop of ``into[...] = array``, which may convert the dtype.

    Parameters
    ----------
    into, array : cupy.ndarray

    Returns
    -------
    Phase
    """
    shape = tuple(into.shape)
    value = "{x0} != 0" if str(into.dtype) == "bool" else "{x0}"
    read, write = Access(array, broadcast_strides(array, shape)), Access(into, element_strides(into))
    return Phase(shape, (read,), (write,), (f"{{y0}} = {value};",))


def concat(parts: Sequence[Array], axis: int, out: Array) -> list[Phase]:
    """Return the loops of ``out = concat(parts, axis=axis)``, one for each part.

    Parameters
    ----------
    parts : sequence of cupy.ndarray
    axis : int
    out : cupy.ndarray

    Returns
    -------
    list of Phase
    """
    phases, stop = [], 0
    for part in parts:
        start, stop = stop, stop + part.shape[axis]
        phases.append(copy(out[(slice(None),) * (axis % out.ndim) + (slice(start, stop),)], part))
    return phases


def product(a: Array, b: Array, out: Array) -> Phase:
    """Return the loop of ``out = a @ b``, in which a thread computes each element.

    Parameters
    ----------
    a, b, out : cupy.ndarray
        Matrices or stacks of matrices.

    Returns
    -------
    Phase
    """
    *members, m, n = out.shape
    shape, k = (*members, m, n), a.shape[-1]
    (*of_a, row_a, in_a), (*of_b, in_b, column_b) = (
        broadcast_strides(operand, (*members, *operand.shape[-2:])) for operand in (a, b)
    )
    kind = number_type(out.dtype)
    return Phase(
        shape,
        (Access(a, (*of_a, row_a, 0, in_a)), Access(b, (*of_b, 0, column_b, in_b))),
        (Access(out, (*element_strides(out), 0)),),
        ("const X x = {x0} * {x1};",),
        (k,),
        TypedReduction(REDUCTIONS["sum"], _accumulator(kind), kind, Workers.THREAD),
    )


def reduction(op: str, x: Array, out: Array, axes: tuple[int, ...], new: NewArray) -> list[Phase]:
    """Return the loops of a reduction: two where one would leave most of the GPU idle.

    Parameters
    ----------
    op : str
        Name in `REDUCTIONS`.
    x, out : cupy.ndarray
        `out` is without the reduced axes.
    axes : tuple of int
        Axes to reduce, not negative.
    new : callable
        ``new(shape)`` returns an array of out's dtype, for intermediate results.

    Returns
    -------
    list of Phase
    """
    strides, kept = element_strides(x), [axis for axis in range(x.ndim) if axis not in axes]
    outer, inner = (Strided(*([of[axis] for axis in part] for of in (x.shape, strides))) for part in (kept, axes))
    n, how = math.prod(inner.shape), REDUCTIONS[op]
    parts = n_parts(how, outer, inner)
    if parts == 1:
        return [_reduce(how, x, outer, inner, out)]
    (axis,), (stride,) = axes, inner.strides  # the parts take the axis's place, so that members stay separate
    between = new((*outer.shape[:axis], parts, *outer.shape[axis:]))
    split = Strided(between.shape, [*outer.strides[:axis], stride * (n // parts), *outer.strides[axis:]])
    first, then = "sum" if op == "mean" else op, MERGED_BY.get(op, op)
    last = REDUCTIONS[then]._replace(result=f"s / {n}") if op == "mean" else REDUCTIONS[then]
    merged = list(element_strides(between))
    part = merged.pop(axis)
    return [
        _reduce(REDUCTIONS[first], x, split, Strided([n // parts], [stride]), between),
        _reduce(last, between, Strided(outer.shape, merged), Strided([parts], [part]), out),
    ]


def _reduce(how: Reduction, x: Array, outer: Strided, inner: Strided, out: Array) -> Phase:
    """Return the loop of a reduction. outer, inner: kept and reduced axes of x."""
    S, X = number_type(out.dtype), number_type(x.dtype)
    return Phase(
        tuple(outer.shape),
        (Access(x, (*outer.strides, *inner.strides)),),
        (Access(out, (*element_strides(out), *(0 for _ in inner.shape))),),
        ("const X x = {x0};",),
        tuple(inner.shape),
        TypedReduction(how, _accumulator(S), X, workers(how, outer, inner)),
    )


def _at(table: Array, axis: int, index: str) -> Access:
    """Return the element of a table with this index along one axis, and the loop's indices along the others."""
    strides = list(element_strides(table))
    along, strides[axis] = strides[axis], 0
    return Access(table, tuple(strides), f"{index} * {along}")


def _address(access: Access) -> tuple[int, tuple[int, ...], str]:
    return access.array.data.ptr, access.strides, access.offset


def _accumulator(kind: str) -> str:
    """Return the type in which a result of another type is accumulated."""
    return kind if kind in ENDS else "int"
