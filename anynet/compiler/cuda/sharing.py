"""Choose the threads that share a reduction, such that the threads of a warp read adjacent memory."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from anynet.compiler.cuda.expressions import Reduction
from anynet.compiler.cuda.reductions import WARP, Workers

SHARED = WARP
"""Number of elements from which on threads share a reduction."""

MANY_RESULTS = 1 << 8
"""Number of results from which on a thread computes each of them if neither results nor their elements are adjacent."""

LONG = 1 << 8
"""Number of elements from which on a reduction is split into parts, if more threads can work then."""

MOST_OF_WARP, LEAST_OF_THREAD, THREADS = 1 << 9, 1 << 4, 1 << 15
"""Sizes of parts: at most so many elements for a warp, at least so many for a thread, and at most so many threads.

That many threads are enough for a GPU of about a hundred multiprocessors. Where results are as many, each has a thread.
"""

ONE_BLOCK, BLOCK = 1 << 16, 1 << 8
"""Number of elements that one block reduces by column, and number of threads of a block if there are several.

The single block has 1024 threads with at most 64 elements each, which takes about as long as a second phase would.
"""


class Strided(NamedTuple):
    """Axes of an array.

    Attributes
    ----------
    shape, strides : sequence of int
        Lengths, and strides in elements.
    """

    shape: Sequence[int]
    strides: Sequence[int]

    @property
    def adjacent(self) -> bool:
        """True if neighbors along the last axis, of those longer than 1, are adjacent in memory."""
        long = [stride for n, stride in zip(self.shape, self.strides, strict=True) if n > 1]
        return bool(long) and abs(long[-1]) == 1


def workers(how: Reduction, outer: Strided, inner: Strided) -> Workers:
    """Return the threads that compute a result of a reduction.

    Parameters
    ----------
    how : Reduction
    outer, inner : Strided
        Kept and reduced axes.

    Returns
    -------
    Workers
    """
    n_results = math.prod(outer.shape)
    if not how.merge or math.prod(inner.shape) < SHARED:
        return Workers.THREAD
    if inner.adjacent:
        return Workers.WARP
    if outer.adjacent:
        return Workers.COLUMN if n_results < THREADS else Workers.THREAD
    return Workers.WARP if n_results < MANY_RESULTS else Workers.THREAD


def n_parts(how: Reduction, outer: Strided, inner: Strided) -> int:
    """Return the number of parts to split a reduction along one axis into; it divides the length of the axis.

    Parameters
    ----------
    how : Reduction
    outer, inner : Strided
        Kept and reduced axes.

    Returns
    -------
    int
        1 if there are several axes, or elements that cannot be merged.
    """
    n, n_results = math.prod(inner.shape), math.prod(outer.shape)
    if len(inner.shape) != 1 or n < LONG or not how.merge:
        return 1
    if inner.adjacent:
        most = n // MOST_OF_WARP
    elif workers(how, outer, inner) is Workers.COLUMN:
        blocks = THREADS // BLOCK // math.ceil(n_results / WARP)
        most = min(blocks, n // (LEAST_OF_THREAD * BLOCK // WARP)) if n * n_results > ONE_BLOCK else 1
    else:
        most = min(THREADS // n_results, n // LEAST_OF_THREAD)
    return max((p for p in range(1, most + 1) if n % p == 0), default=1)
