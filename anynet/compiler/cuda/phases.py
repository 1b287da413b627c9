"""Parallel loops over the elements of a result, as CUDA source: the parts of a kernel."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from anynet.compiler.cuda.axes import indent, merge_axes, unravel
from anynet.compiler.cuda.expressions import TYPES, as_number
from anynet.compiler.cuda.reductions import WARP, TypedReduction, Workers, reduce, share
from anynet.core.typing import ConcreteArray as Array

INT = 1 << 31
"""First index that needs 64 bits; arithmetic with 64 bits is slower."""

BATCH = 8
"""Most iterations of a thread that are computed before any is written, so that their reads overlap.

The compiler must assume that what one iteration writes the next one reads.
"""

BATCHED_VALUES = 16
"""Most values that a thread keeps until they are written."""


def element_strides(array: Array) -> tuple[int, ...]:
    """Return the strides of an array in elements."""
    return tuple(stride // array.itemsize for stride in array.strides)


def broadcast_strides(array: Array, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return strides in elements, along the axes of a shape that the array is broadcast to."""
    own = [0 if n == 1 else stride for n, stride in zip(array.shape, element_strides(array), strict=True)]
    return (*(0 for _ in range(len(shape) - len(own))), *own)


class Access(NamedTuple):
    """Element of an array, addressed by the indices of a loop.

    Attributes
    ----------
    array : cupy.ndarray
    strides : tuple of int
        Strides in elements, one for each axis of the loop.
    offset : str
        Expression that is added to the offset, or "".
    """

    array: Array
    strides: tuple[int, ...]
    offset: str = ""


class Place(NamedTuple):
    """Sum of the indices of a loop, each times a number, and a constant.

    Attributes
    ----------
    factors : tuple of int
        One for each axis of the loop.
    constant : int
    """

    factors: tuple[int, ...]
    constant: int


class Span(NamedTuple):
    """Iterations of a thread or warp.

    Attributes
    ----------
    start, stop : str
        Expressions, as in `range`.
    step : int
    n : int
        Largest number of iterations.
    columns : int
        Number of neighboring results that a block computes at a time, by `Workers.COLUMN`.
    """

    start: str
    stop: str
    step: int
    n: int
    columns: int


@dataclass(frozen=True, eq=False)
class Phase:
    """A parallel loop over the elements of a result; its iterations are independent.

    Parameters
    ----------
    outer : tuple of int
        Shape of the result.
    reads, writes : tuple of Access
        Elements that an iteration reads and writes, called ``{x0}``, ``{x1}`` ... and ``{y0}``, ``{y1}`` ... in the
        lines. Their strides belong to the outer axes, then to the inner axes.
    lines : tuple of str
        Statements of the loop's body. With a reduction, they set ``x`` in each inner iteration, and the reduction's
        result is written to ``{y0}``.
    inner : tuple of int
        Shape of the elements that one result is reduced from.
    reduction : TypedReduction, optional
        Default: none.
    lengths : tuple of int
        Numbers called ``{n0}``, ``{n1}`` ... in the lines. They are arguments of the kernel, so that phases that differ
        in nothing else have equal sources.
    places : tuple of Place
        Numbers called ``{p0}``, ``{p1}`` ... in the lines.
    """

    outer: tuple[int, ...]
    reads: tuple[Access, ...]
    writes: tuple[Access, ...]
    lines: tuple[str, ...]
    inner: tuple[int, ...] = ()
    reduction: TypedReduction | None = None
    lengths: tuple[int, ...] = ()
    places: tuple[Place, ...] = ()

    @property
    def by(self) -> Workers:
        """Threads that compute each result."""
        return Workers.THREAD if self.reduction is None else self.reduction.by

    @property
    def columns(self) -> int:
        """Number of neighboring results that one of many blocks computes at a time, by `Workers.COLUMN`."""
        axes = merge_axes("i", self.outer, range(len(self.outer)), self._strides())
        return min(WARP, axes[-1].n) if axes else 1

    @property
    def batch(self) -> int:
        """Most iterations of a thread that are computed before any is written; one for ``take``, it gains nothing."""
        return 1 if self.lengths else max(1, min(BATCH, BATCHED_VALUES // max(1, len(self.writes))))

    @property
    def n_results(self) -> int:
        """Number of outer iterations."""
        return math.prod(self.outer)

    @property
    def work(self) -> int:
        """Estimated cost: the number of results, times a quarter of the inner iterations, which are cheap."""
        return self.n_results * max(1, math.prod(self.inner) // 4)

    @property
    def accesses(self) -> tuple[Access, ...]:
        """Reads, then writes."""
        return self.reads + self.writes

    @property
    def index_type(self) -> str:
        """C++ type of the loop's indices and of the elements' offsets."""
        farthest = max((extent(a.strides, (*self.outer, *self.inner)) for a in self.accesses), default=0)
        return "long long" if max(4 * self.work, farthest) >= INT else "int"

    def source(
        self, pointer: Callable[[Array], str], number: Callable[[int], str], span: Span, threads: int
    ) -> list[str]:
        """Return the lines of the loop.

        Parameters
        ----------
        pointer : callable
            ``pointer(array)`` returns the expression for the address of the array's first element.
        number : callable
            ``number(length)`` returns the expression for one of the `lengths`.
        span : Span
            Iterations of the thread or warp that runs the loop. By `Workers.COLUMN`, all threads of a block run the
            same iterations, each of which computes as many results as `columns` says.
        threads : int
            Number of threads of a block.

        Returns
        -------
        list of str
        """
        axes = (*self.outer, *self.inner)
        outer = merge_axes("i", axes, range(len(self.outer)), self._strides())
        inner = merge_axes("r", axes, range(len(self.outer), len(axes)), self._strides())

        def total(factors: tuple[int, ...], constant: str) -> str:
            terms = [_term(axis.name, factors[axis.place]) for axis in (*outer, *inner)]
            return " + ".join([t for t in (*terms, constant) if t]) or "0"

        def element(access: Access) -> str:
            return f"{pointer(access.array)}[{total(access.strides, access.offset)}]"

        reads = {f"x{k}": as_number(access.array.dtype, element(access)) for k, access in enumerate(self.reads)}
        writes = {f"y{k}": element(access) for k, access in enumerate(self.writes)}
        numbers = {f"n{k}": number(length) for k, length in enumerate(self.lengths)}
        numbers |= {f"p{k}": total(p.factors, f"{p.constant or ''}") for k, p in enumerate(self.places)}
        index, head = self.index_type, unravel("i", outer, self.index_type)
        shares = share(self.by, span.columns, span.stop, threads)
        condition = f"if ({shares.writes}) " * bool(shares.writes)

        def body(results: dict[str, str]) -> list[str]:
            lines = [line.format(**reads, **results, **numbers) for line in self.lines]
            if self.reduction is None:
                return [*head, *lines]
            return [*head, *reduce(self.reduction, lines, inner, index, results["y0"], shares)]

        if self.by is Workers.COLUMN:
            own = f"const {index} i = first + threadIdx.x % {span.columns};"
            return loop(index, "first", span, [own, *body({"y0": condition + writes["y0"]})])
        together = math.ceil(span.n / math.ceil(span.n / self.batch))
        if together == 1:
            return loop(index, "i", span, body({name: condition + place for name, place in writes.items()}))

        def repeat(lines: list[str]) -> list[str]:
            own = f"const {index} i = first + u * {span.step};"
            inside = [own, f"if (i < {span.stop}) {{", *indent(lines), "}"]
            return ["#pragma unroll", f"for (int u = 0; u < {together}; u++) {{", *indent(inside), "}"]

        kept = {name: f"w{name}[u]" for name in writes}
        kinds = [TYPES[str(access.array.dtype)] for access in self.writes]
        arrays = [f"{kind} w{name}[{together}];" for kind, name in zip(kinds, writes, strict=True)]
        written = [*head, *(f"{condition}{place} = {kept[name]};" for name, place in writes.items())]
        batches = span._replace(step=span.step * together)
        return loop(index, "first", batches, [*arrays, *repeat(body(kept)), *repeat(written)])

    def _strides(self) -> list[tuple[int, ...]]:
        return [*(access.strides for access in self.accesses), *(place.factors for place in self.places)]


def loop(index: str, name: str, span: Span, body: list[str]) -> list[str]:
    """Return a loop over the iterations of a thread."""
    head = f"for ({index} {name} = {span.start}; {name} < {span.stop}; {name} += {span.step}) {{"
    return [head, *indent(body), "}"]


def extent(strides: tuple[int, ...], shape: tuple[int, ...]) -> int:
    """Return an upper bound of the distance, in elements, between the first element of an array and any other."""
    return sum(abs(stride) * (n - 1) for stride, n in zip(strides, shape, strict=True))


def _term(name: str, stride: int) -> str:
    return "" if stride == 0 else name if stride == 1 else f"{name} * {stride}"
