"""Products in bfloat16: kernels round the operands, and cuBLAS multiplies what they have written.

Asked to round operands of float32 to bfloat16 itself, the cuBLAS of CUDA 13 rounds them to TF32 on an H100.
"""

import cupy

from anynet.compiler.cuda.cublas import cublas_handle
from anynet.compiler.cuda.expressions import BFLOAT16
from anynet.compiler.cuda.launch import SingleKernel
from anynet.compiler.cuda.lowering import copy
from anynet.compiler.cuda.matmul import MatrixProduct, is_row_major
from anynet.compiler.target import Call
from anynet.core.typing import ConcreteArray as Array


def rounds(array: Array, precision: str) -> bool:
    """Return True if operands of products like this one are rounded to bfloat16 in memory."""
    return precision == "bf16" and bool(array.dtype == "float32")


def operand(array: Array, name: str, precision: str) -> tuple[Array, list[Call]]:
    """Return an operand in the precision of products, and the calls that round it if it has another one.

    Parameters
    ----------
    array : cupy.ndarray
    name : str
        Name of the memory for the rounded numbers; see `Handle.scratch`.
    precision : {"float32", "tf32", "bf16"}

    Returns
    -------
    cupy.ndarray
        The array itself, or one of `BFLOAT16` of the same order of axes in memory.
    list of Call
    """
    if not rounds(array, precision):
        return array, []
    turned = not is_row_major(array)
    source = array.mT if turned else array
    into = cublas_handle().scratch(name, source.shape, BFLOAT16)
    return into.mT if turned else into, [(SingleKernel(copy(into, source)), ())]


def memory_in_float32(array: Array) -> Array:
    """Return an array itself, or memory for its numbers in float32 if it is of bfloat16."""
    return cupy.empty(array.shape, "float32") if array.dtype == BFLOAT16 else array


def multiply(a: Array, b: Array, out: Array, precision: str) -> list[Call]:
    """Return the calls of ``out = a @ b`` for arrays that `fits` accepts.

    Parameters
    ----------
    a, b, out : cupy.ndarray
    precision : {"float32", "tf32", "bf16"}
        Precision of products of float32 arrays.

    Returns
    -------
    list of Call
    """
    (left, first), (right, second) = operand(a, "left", precision), operand(b, "right", precision)
    return [*first, *second, (MatrixProduct(left, right, out, precision), ())]
