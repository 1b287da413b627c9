"""Interface of what runs natively: a part of a step that can write itself as a function of LLVM IR."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from anynet.compiler.numpy.native.writer import Function

Host = NDArray[Any]


class Kernel(ABC):
    """Call of a step with a native form.

    Modules for kinds of operations, such as ``reductions`` and ``products``, have a function ``kernel(node, args,
    kwargs, out)`` that returns a kernel, or None if the operation has no native form (for these dtypes or shapes).

    Parameters
    ----------
    arrays : sequence of ndarray
        Every array that the function reads or writes. Views of them need not be named. Which of them share memory is
        found out from their addresses; arrays that do not are known not to alias.
    addresses : sequence of int
        Addresses of functions that it calls.
    """

    def __init__(self, arrays: Sequence[Host], addresses: Sequence[int] = ()) -> None:
        self.arrays, self.addresses = list(arrays), list(addresses)

    @abstractmethod
    def write(self, f: Function) -> None:
        """Write the body of the function."""


class Copy(Kernel):
    """Copy of an array into another of the same shape and dtype, with which it does not overlap."""

    def __init__(self, into: Host, array: Host) -> None:
        super().__init__([into, array])

    def write(self, f: Function) -> None:
        """Write a loop for each axis."""
        into, array = self.arrays
        with f.loops(into.shape) as index:
            f.store(f.load(array, *index), into, *index)
