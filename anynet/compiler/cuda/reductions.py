"""Reductions as CUDA source: one result from many elements, by one thread or by several together."""

import math
from enum import Enum, auto
from typing import NamedTuple

from anynet.compiler.cuda.axes import Axis, indent, unravel
from anynet.compiler.cuda.expressions import ENDS, Reduction

WARP = 32
"""Number of threads that run in lockstep and can exchange values directly."""

UNROLL = 8
"""Number of elements that a thread reads before it needs the first of them."""

MERGED = 8
"""Number of threads whose results are merged between two barriers."""


class Workers(Enum):
    """Threads that compute a result together.

    Attributes
    ----------
    THREAD
        A single thread.
    WARP
        The 32 threads of a warp, which read neighboring elements of one reduction.
    COLUMN
        Threads from all warps of a block; the threads of a warp read elements of neighboring results.
    """

    THREAD = auto()
    WARP = auto()
    COLUMN = auto()


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
    by : Workers
        Threads that share the inner iterations of one result.
    """

    how: Reduction
    S: str
    X: str
    by: Workers


class Shares(NamedTuple):
    """Inner iterations that a thread runs, and what follows them.

    Attributes
    ----------
    first, step : str, int
        First iteration of the thread, and distance to its next one.
    reads, writes : str
        Conditions, "" if always true: the thread has a result to work on; it writes the result.
    merge : tuple of str
        Statements after which the thread that writes has merged the numbers of the others; MERGE merges ``other``.
    end : tuple of str
        Statements after the result is written.
    """

    first: str = "0"
    step: int = 1
    reads: str = ""
    writes: str = ""
    merge: tuple[str, ...] = ()
    end: tuple[str, ...] = ()


def share(by: Workers, columns: int, stop: str, threads: int) -> Shares:
    """Return the share of a thread in the reduction to result ``i``.

    Parameters
    ----------
    by : Workers
    columns : int
        Number of results that a block computes at a time, by `Workers.COLUMN`.
    stop : str
        Expression for the first result that does not belong to the block.
    threads : int
        Number of threads of a block.

    Returns
    -------
    Shares
    """
    match by:
        case Workers.THREAD:
            return Shares()
        case Workers.WARP:
            merge = "for (int w = 16; w > 0; w /= 2) { const S other = __shfl_xor_sync(0xffffffffu, s, w); MERGE }"
            return Shares("threadIdx.x % 32", WARP, writes="threadIdx.x % 32 == 0", merge=(merge,))
        case Workers.COLUMN:  # all threads of a block reach each barrier, those without a result too
            used = threads // columns * columns
            merge_all = (
                "S* const parts = (S*)shared;",
                "parts[threadIdx.x] = s;",
                f"for (int n = {threads // columns}, left; n > 1; n = left) {{",
                f"    left = (n + {MERGED - 1}) / {MERGED};",
                "    __syncthreads();",
                f"    if (threadIdx.x < left * {columns}) {{",
                "        #pragma unroll",
                f"        for (int k = 1; k < {MERGED}; k++) {{",
                f"            const int place = threadIdx.x + k * left * {columns};",
                f"            if (place < n * {columns}) {{",
                "                const S other = parts[place];",
                "                MERGE",
                "            }",
                "        }",
                "        parts[threadIdx.x] = s;",
                "    }",
                "}",
            )
            return Shares(
                first=f"threadIdx.x / {columns}",
                step=threads // columns,
                reads=f"i < {stop}" + f" && threadIdx.x < {used}" * (used < threads),
                writes=f"threadIdx.x < {columns} && i < {stop}",
                merge=merge_all,
                end=("__syncthreads();",),  # before `shared` is used again
            )


def reduce(
    reduction: TypedReduction, body: list[str], inner: list[Axis], index: str, target: str, shares: Shares
) -> list[str]:
    """Return the statements that compute a result.

    Parameters
    ----------
    reduction : TypedReduction
    body : list of str
        Statements that set ``x``, the element of an inner iteration.
    inner : list of Axis
    index : str
        C++ type of indices.
    target : str
        Where to write the result, after the condition for it.
    shares : Shares

    Returns
    -------
    list of str
    """
    how, n = reduction.how, math.prod(axis.n for axis in inner)
    least, most = ENDS[reduction.S]
    full, rest = divmod(n, shares.step)
    iteration = indent([*unravel("r", inner, index), *body, how.update])
    r = f"const {index} r" if inner else f"[[maybe_unused]] const {index} r"  # the index of a single element is 0
    own = [
        f"#pragma unroll {UNROLL}",
        f"for ({index} t = 0; t < {full}; t++) {{",
        f"    {r} = {shares.first} + t * {shares.step};",
        *iteration,
        "}",
    ] * bool(full)
    if rest:
        last = f"{r} = {shares.first} + {full * shares.step};"
        own += ["{", f"    {last}", f"    if (r < {n}) {{", *indent(iteration), "    }", "}"]
    if shares.reads:
        own = [f"if ({shares.reads}) {{", *indent(own), "}"]
    return [
        f"using S = {reduction.S};",
        f"using X = {reduction.X};",
        how.start.replace("LEAST", least).replace("MOST", most),
        *own,
        *(line.replace("MERGE", how.merge) for line in shares.merge),
        f"{target} = {how.result.replace('N', str(n))};",
        *shares.end,
    ]
