"""Matrix products with cuBLAS."""

from typing import Any, NamedTuple

import numpy as np

from anynet.compiler.cuda import cublas
from anynet.compiler.cuda.dependences import Footprint, address_range
from anynet.compiler.cuda.expressions import BFLOAT16, computed_in
from anynet.compiler.cuda.phases import element_strides
from anynet.core.typing import ConcreteArray as Array

ONE, ZERO = ({name: np.full(1, value, name) for name in ("float32", "float64")} for value in (1, 0))
"""Factors alpha and beta, by dtype."""

KINDS = {"float32": cublas.CUDA_R_32F, "float64": cublas.CUDA_R_64F, BFLOAT16: cublas.CUDA_R_16BF}
"""Types of operands and results, by dtype."""

COMPUTE = {
    "float32": cublas.CUBLAS_COMPUTE_32F,
    "tf32": cublas.CUBLAS_COMPUTE_32F_FAST_TF32,
    "bf16": cublas.CUBLAS_COMPUTE_32F,
}
"""Compute type of products of float32 or, for bf16, of `BFLOAT16`; all of them accumulate in float32."""


class Operand(NamedTuple):
    """A matrix as cuBLAS sees it: cuBLAS is column-major, so a row-major matrix is its transpose.

    Attributes
    ----------
    transposed : bool
        If True, the array is column-major.
    ld : int
        Leading dimension: the distance, in elements, between rows (or columns).
    stride : int
        Distance, in elements, between the matrices of a stack.
    """

    transposed: bool
    ld: int
    stride: int


class MatrixProduct:
    """``out = a @ b``, or ``out += a @ b``, for arrays that `fits` accepts; call the object to compute the product.

    Parameters
    ----------
    a, b, out : cupy.ndarray
        Matrices, or stacks of matrices with three dimensions. If the precision is bf16, `a` and `b` are of `BFLOAT16`,
        and `out` of that or of float32, unless all are of float64.
    precision : {"float32", "tf32", "bf16"}
        Precision of products of float32 arrays.
    add : bool
        If True, the product is added to `out`.

    Attributes
    ----------
    footprint : Footprint
        Memory that the product accesses.
    """

    def __init__(self, a: Array, b: Array, out: Array, precision: str, *, add: bool = False) -> None:
        self.footprint = Footprint((address_range(a), address_range(b)), (address_range(out),))
        self._arrays = a, b, out
        self._handle = cublas.cublas_handle()
        left, right, result = map(_operand, (a, b, out))
        kind = computed_in(out.dtype)
        (m, n), k, members = out.shape[-2:], a.shape[-1], out.shape[0] if out.ndim == 3 else None
        stacked = members is not None

        def matrix(array: Array, operand: Operand) -> tuple[Any, ...]:
            return array.data.ptr, KINDS[str(array.dtype)], operand.ld, *((operand.stride,) if stacked else ())

        self._function = "cublasGemmStridedBatchedEx" if stacked else "cublasGemmEx"
        self._args = (
            *(cublas.CUBLAS_OP_T if operand.transposed else cublas.CUBLAS_OP_N for operand in (right, left)),
            *(n, m, k, ONE[kind].ctypes.data, *matrix(b, right), *matrix(a, left)),
            (ONE if add else ZERO)[kind].ctypes.data,
            *matrix(out, result),
            *((members,) if stacked else ()),
            COMPUTE[precision] if kind == "float32" else cublas.CUBLAS_COMPUTE_64F,
            cublas.CUBLAS_GEMM_DEFAULT,
        )

    def __call__(self) -> None:
        """Compute the product on the current stream."""
        self._handle.multiply(self._function, *self._args)


def fits(a: Array, b: Array, out: Array) -> bool:
    """Return True if cuBLAS can compute ``out = a @ b`` without copies of the arrays.

    Parameters
    ----------
    a, b, out : cupy.ndarray

    Returns
    -------
    bool
    """
    return (
        computed_in(out.dtype) in ONE
        and computed_in(a.dtype) == computed_in(b.dtype) == computed_in(out.dtype)
        and all(
            2 <= array.ndim <= out.ndim <= 3 and (is_row_major(array) or is_row_major(array.mT)) for array in (a, b)
        )
        and is_row_major(out)
        and all(0 < n < 2**31 for array in (a, b, out) for n in array.shape)  # C's int
    )


def _operand(array: Array) -> Operand:
    transposed = not is_row_major(array)
    matrix = array.mT if transposed else array
    rows, columns = matrix.shape[-2:]
    ld = columns if rows == 1 else element_strides(matrix)[-2]
    return Operand(transposed, ld, 0 if array.ndim == 2 or array.shape[0] == 1 else element_strides(array)[0])


def is_row_major(matrix: Array) -> bool:
    """Return True if the elements of each row are adjacent and rows do not overlap."""
    (rows, columns), (down, right) = matrix.shape[-2:], element_strides(matrix)[-2:]
    return bool((right == 1 or columns == 1) and (down >= columns or rows == 1))
