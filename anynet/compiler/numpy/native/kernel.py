"""Interface of what runs natively: a part of a step that can write itself as a function of LLVM IR."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from anynet.compiler.numpy.native.writer import Function

Host = NDArray[Any]


class Kernel(ABC):
    """Call of a step with a native form.

    Modules for kinds of operations, such as ``folds`` and ``short_products``, have a function ``kernel(node, args,
    kwargs, out)`` that returns a kernel, or None if the operation has no native form (for these dtypes or shapes).

    Parameters
    ----------
    arrays : sequence of ndarray
        Every array that the function reads or writes. Views of them need not be named. Which of them share memory is
        found out from their addresses; arrays that do not are known not to alias.
    addresses : sequence of int
        Addresses of functions that it calls, the parameters ``%f0``, ``%f1``.
    units : int
        Number of independent parts of its work, which may run in several threads. It depends on shapes alone, and no
        sum is split between threads: results are the same with any number of them.
    """

    def __init__(self, arrays: Sequence[Host], addresses: Sequence[int] = (), units: int = 1) -> None:
        self.arrays, self.addresses, self.units = list(arrays), list(addresses), units

    def __call__(self) -> None:
        """Raise an error: a kernel has the place of a function among the calls of a program, which compiles it."""
        raise NotImplementedError

    @abstractmethod
    def write(self, f: Function) -> None:
        """Write the body of the function; with several units, it does the work of ``f.first`` to ``f.last`` alone."""
