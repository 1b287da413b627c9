"""Loops over elements as CUDA source: what kernels are put together from."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from anynet.compiler.cuda.expressions import ENDS, Reduction
from anynet.core.typing import ConcreteArray as Array

WARP = 32
"""Threads that run in step, and can hand values to each other."""

INT = 1 << 31
"""From here on, an index takes 64 bits, which are slower."""


class Access(NamedTuple):
    """An element of an array, by a loop's indices.

    strides: in elements, for each axis of the loop.
    also: what is added to them, an expression, or nothing.
    """

    array: Array
    strides: tuple[int, ...]
    also: str = ""


class Fold(NamedTuple):
    """What a loop reduces with: how, and the types S and X that it speaks of.

    by_warp: whether the 32 threads of a warp share an element's turns.
    """

    how: Reduction
    S: str
    X: str
    by_warp: bool


class Span(NamedTuple):
    """From which turn, to which, in which steps, as expressions."""

    first: str
    stop: str
    step: str


class Axis(NamedTuple):
    """An index by name, how far it goes, and by which of an access's strides."""

    name: str
    n: int
    place: int


@dataclass(frozen=True, eq=False)
class Phase:
    """One loop over the elements of a result, no turn of which needs what another gives.

    kept: the result's extents. inner: those of what each element is reduced from.
    reads, writes: elements, x0, x1 ... and y0, y1 ... in the lines. Strides: of kept axes, then of inner ones.
    lines: statements. With a fold, they set x in each inner turn, and the fold's result is written to y0.
    """

    kept: tuple[int, ...]
    reads: tuple[Access, ...]
    writes: tuple[Access, ...]
    lines: tuple[str, ...]
    inner: tuple[int, ...] = ()
    fold: Fold | None = None

    @property
    def by_warp(self) -> bool:
        """Whether a turn is a warp's and not a thread's."""
        return self.fold is not None and self.fold.by_warp

    @property
    def turns(self) -> int:
        return math.prod(self.kept)

    @property
    def work(self) -> int:
        """Turns; of inner ones, which are quick, four count as one."""
        return self.turns * max(1, math.prod(self.inner) // 4)

    @property
    def accesses(self) -> tuple[Access, ...]:
        return self.reads + self.writes

    def source(self, pointer: Callable[[Array], str], span: Span) -> list[str]:
        """The loop's lines. pointer: the expression for where an array begins."""
        axes = (*self.kept, *self.inner)
        outer = _joined("i", axes, range(len(self.kept)), self.accesses)
        inner = _joined("r", axes, range(len(self.kept), len(axes)), self.accesses)

        def element(access: Access) -> str:
            terms = [_times(axis.name, access.strides[axis.place]) for axis in (*outer, *inner)]
            return f"{pointer(access.array)}[{' + '.join([t for t in (*terms, access.also) if t]) or '0'}]"

        places = {f"x{k}": element(access) for k, access in enumerate(self.reads)}
        places |= {f"y{k}": element(access) for k, access in enumerate(self.writes)}
        body, index = [line.format(**places) for line in self.lines], self._index_type()
        if self.fold is not None:
            body = _fold(self.fold, body, inner, index, places["y0"])
        return [
            f"for ({index} i = {span.first}; i < {span.stop}; i += {span.step}) {{",
            *_indented([*_unravel("i", outer, index), *body]),
            "}",
        ]

    def _index_type(self) -> str:
        reach = max((extent(a.strides, (*self.kept, *self.inner)) for a in self.accesses), default=0)
        return "long long" if max(4 * self.work, reach) >= INT else "int"


def _fold(fold: Fold, body: list[str], inner: list[Axis], index: str, target: str) -> list[str]:
    how, n = fold.how, math.prod(axis.n for axis in inner)
    least, most = ENDS[fold.S]
    first, step = ("threadIdx.x % 32", WARP) if fold.by_warp else ("0", 1)
    write = f"{target} = {how.result.replace('N', str(n))};"
    return [
        f"using S = {fold.S};",
        f"using X = {fold.X};",
        how.start.replace("LEAST", least).replace("MOST", most),
        f"for ({index} r = {first}; r < {n}; r += {step}) {{",
        *_indented([*_unravel("r", inner, index), *body, how.update]),
        "}",
        *([_MERGE.format(how.merge), f"if (threadIdx.x % 32 == 0) {write}"] if fold.by_warp else [write]),
    ]


_MERGE = "for (int w = 16; w > 0; w /= 2) {{ const S other = __shfl_xor_sync(0xffffffffu, s, w); {} }}"


def _joined(letter: str, extents: tuple[int, ...], places: Iterable[int], accesses: Sequence[Access]) -> list[Axis]:
    """Axes to index by, as few as can be: neighbours through which all accesses go as through one are one."""
    found: list[Axis] = []
    for place in places:
        n = extents[place]
        if n == 1:
            continue
        if found and all(a.strides[found[-1].place] == a.strides[place] * n for a in accesses):
            found[-1] = Axis(found[-1].name, found[-1].n * n, place)
        else:
            found.append(Axis(f"{letter}{len(found)}", n, place))
    return found


def _unravel(index: str, axes: list[Axis], kind: str) -> list[str]:
    """Statements that split a running index."""
    lines, below = [], 1
    for k, axis in reversed(list(enumerate(axes))):
        part = index if below == 1 else f"{index} / {below}"
        lines.append(f"const {kind} {axis.name} = {part}{f' % {axis.n}' if k else ''};")
        below *= axis.n
    return lines


def extent(strides: tuple[int, ...], extents: tuple[int, ...]) -> int:
    """How many elements behind or before the first the farthest is, at most."""
    return sum(abs(stride) * (n - 1) for stride, n in zip(strides, extents, strict=True))


def _times(name: str, stride: int) -> str:
    return "" if stride == 0 else name if stride == 1 else f"{name} * {stride}"


def _indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]
