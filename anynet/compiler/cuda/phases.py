"""Parallel loops over the elements of a result, as CUDA source: the parts of a kernel."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from anynet.compiler.cuda.axes import indent, merge_axes, unravel
from anynet.compiler.cuda.reductions import WARP, TypedReduction, Workers, reduce, share
from anynet.core.typing import ConcreteArray as Array

INT = 1 << 31
"""First index that needs 64 bits; arithmetic with 64 bits is slower."""


def element_strides(array: Array) -> tuple[int, ...]:
    """Return the strides of an array in elements."""
    return tuple(stride // array.itemsize for stride in array.strides)


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


class Span(NamedTuple):
    """Bounds of a loop, as expressions.

    Attributes
    ----------
    start, stop, step : str
        As in `range`.
    """

    start: str
    stop: str
    step: str


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
    """

    outer: tuple[int, ...]
    reads: tuple[Access, ...]
    writes: tuple[Access, ...]
    lines: tuple[str, ...]
    inner: tuple[int, ...] = ()
    reduction: TypedReduction | None = None
    lengths: tuple[int, ...] = ()

    @property
    def by(self) -> Workers:
        """Threads that compute each result."""
        return Workers.THREAD if self.reduction is None else self.reduction.by

    @property
    def columns(self) -> int:
        """Number of neighboring results that a block computes at a time, by `Workers.COLUMN`."""
        axes = merge_axes("i", self.outer, range(len(self.outer)), self._strides())
        return min(WARP, axes[-1].n) if axes else 1

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

        def element(access: Access) -> str:
            terms = [_term(axis.name, access.strides[axis.place]) for axis in (*outer, *inner)]
            return f"{pointer(access.array)}[{' + '.join([t for t in (*terms, access.offset) if t]) or '0'}]"

        places = {f"x{k}": element(access) for k, access in enumerate(self.reads)}
        places |= {f"y{k}": element(access) for k, access in enumerate(self.writes)}
        places |= {f"n{k}": number(length) for k, length in enumerate(self.lengths)}
        body, index = [line.format(**places) for line in self.lines], self.index_type
        head, each = unravel("i", outer, index), "i"
        if self.by is Workers.COLUMN:
            head, each = [f"const {index} i = first + threadIdx.x % {self.columns};", *head], "first"
        if self.reduction is not None:
            shares = share(self.by, self.columns, span.stop, threads)
            body = reduce(self.reduction, body, inner, index, places["y0"], shares)
        return [
            f"for ({index} {each} = {span.start}; {each} < {span.stop}; {each} += {span.step}) {{",
            *indent([*head, *body]),
            "}",
        ]

    def _strides(self) -> list[tuple[int, ...]]:
        return [access.strides for access in self.accesses]


def extent(strides: tuple[int, ...], shape: tuple[int, ...]) -> int:
    """Return an upper bound of the distance, in elements, between the first element of an array and any other."""
    return sum(abs(stride) * (n - 1) for stride, n in zip(strides, shape, strict=True))


def _term(name: str, stride: int) -> str:
    return "" if stride == 0 else name if stride == 1 else f"{name} * {stride}"
