"""NumPy whose products round their operands as a GPU's multipliers do: what that costs in accuracy, without a GPU."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.backends import PRECISIONS
from anynet.backends.numpy import Numpy
from anynet.compiler import Call, Node, Target
from anynet.compiler.numpy import NumpyTarget

BITS = {"tf32": 10, "bf16": 7}
"""Behind the point, of float32's 23."""


class RoundedNumpy(Numpy):
    """NumPy on the CPU that has every precision in recorded steps, more slowly than float32."""

    @property
    def precisions(self) -> tuple[str, ...]:
        return tuple(PRECISIONS)

    @property
    def target(self) -> Target:
        return RoundedTarget(BITS[self.precision]) if self.precision in BITS else NumpyTarget()


class RoundedTarget(NumpyTarget):
    """NumPy's, with so many bits kept of what is multiplied; sums are of float32 numbers, as ever."""

    def __init__(self, bits: int) -> None:
        self._bits = bits

    def calls(self, node: Node, args: tuple, kwargs: dict[str, Any], out: NDArray[Any]) -> list[Call]:
        if node.op != "matmul" or out.dtype != np.float32:
            return super().calls(node, args, kwargs, out)
        found: list[Call] = []
        rounded = [np.empty_like(operand) for operand in args]
        for operand, into in zip(args, rounded, strict=True):
            found.append((partial(round_into, self._bits), (operand, into)))
        return [*found, *super().calls(node, tuple(rounded), kwargs, out)]


def round_into(bits: int, x: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Write the nearest numbers with so many bits behind the point; of two, the even one."""
    np.copyto(out, x)
    dropped, whole = np.uint32(23 - bits), out.view(np.uint32)
    whole += ((whole >> dropped) & np.uint32(1)) + np.uint32((1 << (dropped - 1)) - 1)
    whole &= np.uint32(0xFFFFFFFF << int(dropped) & 0xFFFFFFFF)
