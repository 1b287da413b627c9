"""Parallel loops over the elements of a result, as CUDA source: the parts of a kernel."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from anynet.compiler.cuda.expressions import ENDS, Reduction
from anynet.core.typing import ConcreteArray as Array

WARP = 32
"""Number of threads that run in lockstep and can exchange values directly."""

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


class TypedReduction(NamedTuple):
    """A reduction with its types.

    Attributes
    ----------
    how : Reduction
        Statements, which mention the types S and X.
    S : str
        C++ type of the accumulator.
    X : str
        C++ type of the elements.
    by_warp : bool
        If True, the 32 threads of a warp share the inner iterations of one result.
    """

    how: Reduction
    S: str
    X: str
    by_warp: bool


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


class Axis(NamedTuple):
    """Axis of a loop.

    Attributes
    ----------
    name : str
        Variable that holds the index.
    n : int
        Length.
    place : int
        Position of the axis's stride in the strides of an `Access`.
    """

    name: str
    n: int
    place: int


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
    """

    outer: tuple[int, ...]
    reads: tuple[Access, ...]
    writes: tuple[Access, ...]
    lines: tuple[str, ...]
    inner: tuple[int, ...] = ()
    reduction: TypedReduction | None = None

    @property
    def by_warp(self) -> bool:
        """True if a warp computes each result, False if a single thread does."""
        return self.reduction is not None and self.reduction.by_warp

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

    def source(self, pointer: Callable[[Array], str], span: Span) -> list[str]:
        """Return the lines of the loop.

        Parameters
        ----------
        pointer : callable
            ``pointer(array)`` returns the expression for the address of the array's first element.
        span : Span
            Iterations of the thread (or warp) that runs the loop.

        Returns
        -------
        list of str
        """
        axes = (*self.outer, *self.inner)
        outer = _merge_axes("i", axes, range(len(self.outer)), self.accesses)
        inner = _merge_axes("r", axes, range(len(self.outer), len(axes)), self.accesses)

        def element(access: Access) -> str:
            terms = [_term(axis.name, access.strides[axis.place]) for axis in (*outer, *inner)]
            return f"{pointer(access.array)}[{' + '.join([t for t in (*terms, access.offset) if t]) or '0'}]"

        places = {f"x{k}": element(access) for k, access in enumerate(self.reads)}
        places |= {f"y{k}": element(access) for k, access in enumerate(self.writes)}
        body, index = [line.format(**places) for line in self.lines], self._index_type()
        if self.reduction is not None:
            body = _reduce(self.reduction, body, inner, index, places["y0"])
        return [
            f"for ({index} i = {span.start}; i < {span.stop}; i += {span.step}) {{",
            *_indent([*_unravel("i", outer, index), *body]),
            "}",
        ]

    def _index_type(self) -> str:
        farthest = max((extent(a.strides, (*self.outer, *self.inner)) for a in self.accesses), default=0)
        return "long long" if max(4 * self.work, farthest) >= INT else "int"


def extent(strides: tuple[int, ...], shape: tuple[int, ...]) -> int:
    """Return an upper bound of the distance, in elements, between the first element of an array and any other."""
    return sum(abs(stride) * (n - 1) for stride, n in zip(strides, shape, strict=True))


def _reduce(reduction: TypedReduction, body: list[str], inner: list[Axis], index: str, target: str) -> list[str]:
    how, n = reduction.how, math.prod(axis.n for axis in inner)
    least, most = ENDS[reduction.S]
    first, step = ("threadIdx.x % 32", WARP) if reduction.by_warp else ("0", 1)
    write = f"{target} = {how.result.replace('N', str(n))};"
    return [
        f"using S = {reduction.S};",
        f"using X = {reduction.X};",
        how.start.replace("LEAST", least).replace("MOST", most),
        f"for ({index} r = {first}; r < {n}; r += {step}) {{",
        *_indent([*_unravel("r", inner, index), *body, how.update]),
        "}",
        *([_MERGE.format(how.merge), f"if (threadIdx.x % 32 == 0) {write}"] if reduction.by_warp else [write]),
    ]


_MERGE = "for (int w = 16; w > 0; w /= 2) {{ const S other = __shfl_xor_sync(0xffffffffu, s, w); {} }}"


def _merge_axes(letter: str, shape: tuple[int, ...], places: Iterable[int], accesses: Sequence[Access]) -> list[Axis]:
    """Return as few axes as possible: adjacent ones that all accesses walk through as through one are merged."""
    found: list[Axis] = []
    for place in places:
        n = shape[place]
        if n == 1:
            continue
        if found and all(a.strides[found[-1].place] == a.strides[place] * n for a in accesses):
            found[-1] = Axis(found[-1].name, found[-1].n * n, place)
        else:
            found.append(Axis(f"{letter}{len(found)}", n, place))
    return found


def _unravel(index: str, axes: list[Axis], kind: str) -> list[str]:
    """Return statements that compute each axis's index from a flat index."""
    lines, below = [], 1
    for k, axis in reversed(list(enumerate(axes))):
        part = index if below == 1 else f"{index} / {below}"
        lines.append(f"const {kind} {axis.name} = {part}{f' % {axis.n}' if k else ''};")
        below *= axis.n
    return lines


def _term(name: str, stride: int) -> str:
    return "" if stride == 0 else name if stride == 1 else f"{name} * {stride}"


def _indent(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]
