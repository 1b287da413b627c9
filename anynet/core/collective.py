"""Sums over the processes that train one net together, the ranks, as an operation that can be recorded."""

from typing import Protocol

from anynet.core.operation import operation
from anynet.core.typing import Array


class Group(Protocol):
    """Processes that call the same functions in the same order."""

    def sum(self, array: Array) -> Array:
        """Return the sum of the arrays of all ranks, a new array; their shapes and dtypes are the same."""

    def sum_into(self, array: Array, out: Array) -> None:
        """Write the sum of the arrays of all ranks to `out`, which has their shape and dtype."""


def _shape(x: Array, group: Group) -> tuple[int, ...]:
    return tuple(x.shape)


@operation(_shape)
def sum_over_ranks(x: Array, group: Group) -> Array:
    """Return the sum of an array over all ranks, the same on each of them.

    Parameters
    ----------
    x : array
        That of this rank; all have the same shape and dtype.
    group : Group
        The ranks.

    Returns
    -------
    array
    """
    return group.sum(x)
