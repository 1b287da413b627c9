"""NumPy backend that rounds the operands of matrix products as GPUs do, to measure accuracy without a GPU."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.backends import PRECISIONS
from anynet.backends.numpy import Numpy
from anynet.compiler import Call, Node, Target
from anynet.compiler.numpy import NumpyTarget

MANTISSA_BITS = {"tf32": 10, "bf16": 7}
"""Explicit mantissa bits; float32 has 23."""


class RoundedNumpy(Numpy):
    """NumPy on the CPU with every matmul precision in recorded steps; lower precisions are slower than float32."""

    @property
    def precisions(self) -> tuple[str, ...]:
        return tuple(PRECISIONS)

    @property
    def target(self) -> Target:
        return RoundedTarget(MANTISSA_BITS[self.precision]) if self.precision in MANTISSA_BITS else NumpyTarget()


class RoundedTarget(NumpyTarget):
    """NumPy's target with the operands of float32 products rounded to `bits` mantissa bits; sums stay float32."""

    def __init__(self, bits: int) -> None:
        super().__init__(native=False)
        self._bits = bits

    def calls(self, node: Node, args: tuple[Any, ...], kwargs: dict[str, Any], out: NDArray[Any]) -> list[Call]:
        if node.op != "matmul" or out.dtype != np.float32:
            return super().calls(node, args, kwargs, out)
        found: list[Call] = []
        rounded = [np.empty_like(operand) for operand in args]
        for operand, into in zip(args, rounded, strict=True):
            found.append((partial(round_into, self._bits), (operand, into)))
        return [*found, *super().calls(node, tuple(rounded), kwargs, out)]


def round_into(bits: int, x: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Write `x` rounded to `bits` mantissa bits to `out`; ties go to even."""
    np.copyto(out, x)
    dropped, whole = np.uint32(23 - bits), out.view(np.uint32)
    whole += ((whole >> dropped) & np.uint32(1)) + np.uint32((1 << (dropped - 1)) - 1)
    whole &= np.uint32(0xFFFFFFFF << int(dropped) & 0xFFFFFFFF)
