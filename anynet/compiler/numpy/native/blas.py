"""Matrix products by OpenBLAS, called by address: the library that NumPy itself calls."""

import ctypes
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import threadpoolctl

from anynet.compiler.graph import Args, Kwargs, Node
from anynet.compiler.numpy.native.ir_types import TYPES, has_type
from anynet.compiler.numpy.native.ir_values import Value
from anynet.compiler.numpy.native.kernel import Host, Kernel
from anynet.compiler.numpy.native.writer import Function

_LETTERS = {"float32": "s", "float64": "d"}
_ROWS, _PLAIN, _TRANSPOSED = "i32 101", "i32 111", "i32 112"  # constants of CBLAS


class Library(NamedTuple):
    """CBLAS functions of a library.

    Attributes
    ----------
    functions : dict of str to int
        Addresses by name, such as ``sgemm``.
    integer : str
        LLVM's type of sizes.
    """

    functions: dict[str, int]
    integer: str


@cache
def library() -> Library | None:
    """Return the functions of NumPy's OpenBLAS, or of another one in the process; None without one."""
    found = [info["filepath"] for info in threadpoolctl.threadpool_info() if info["internal_api"] == "openblas"]
    found.sort(key=lambda path: not any(part.startswith("numpy") for part in Path(path).parts))
    return next(filter(None, map(_functions, found)), None)


def _functions(path: str) -> Library | None:
    loaded = ctypes.CDLL(path)
    for prefix, suffix in product(("", "scipy_"), ("", "64_", "_64")):
        try:
            functions = {
                name: getattr(loaded, f"{prefix}cblas_{name}{suffix}") for name in ("sgemm", "dgemm", "sgemv", "dgemv")
            }
            config = getattr(loaded, f"{prefix}openblas_get_config{suffix}")
        except AttributeError:
            continue
        config.restype = ctypes.c_char_p
        addresses = {name: ctypes.cast(function, ctypes.c_void_p).value or 0 for name, function in functions.items()}
        return Library(addresses, "i64" if b"USE64BITINT" in config() else "i32")
    return None


def kernel(node: Node, args: Args, kwargs: Kwargs, out: Host) -> Kernel | None:
    """Return a matrix product of floating-point numbers, if BLAS can read its arguments where they are."""
    if (
        node.op != "matmul"
        or kwargs
        or not has_type(node.dtype)
        or node.dtype.name not in _LETTERS
        or library() is None
    ):
        return None
    a, b = args
    if any(arg.dtype != node.dtype or not arg.size for arg in args):
        return None
    if b.ndim == 1:
        b, out = b[:, None], out[..., None]
    if a.ndim == 1:
        a, out = a[None], out[..., None, :]
    if _layout(a) is None or _layout(b) is None or _layout(out) != _PLAIN:
        return None
    return Product(a, b, out)


class Product(Kernel):
    """Matrix product by OpenBLAS, of the last two axes; the others are looped over."""

    def __init__(self, a: Host, b: Host, out: Host) -> None:
        found = library()
        assert found is not None
        self._integer, ahead = found.integer, out.shape[:-2]
        a, b = (np.broadcast_to(x, (*ahead, *x.shape[-2:])) for x in (a, b))
        self._vector = 1 in out.shape[-2:]
        name = _LETTERS[out.dtype.name] + ("gemv" if self._vector else "gemm")
        super().__init__([a, b, out], [found.functions[name]])

    def write(self, f: Function) -> None:
        """Write a call for each member."""
        with f.loops(self.arrays[2].shape[:-2]) as index:
            if self._vector:
                self._write_vector(f, index)
            else:
                self._write_matrix(f, index)

    def _write_matrix(self, f: Function, index: list[Value]) -> None:
        a, b, out = self.arrays
        (m, k), n = a.shape[-2:], b.shape[-1]
        one, zero = f.constant(TYPES[out.dtype.name], 1), f.constant(TYPES[out.dtype.name], 0)
        integer = self._integer
        sizes = [f"{integer} {size}" for size in (m, n, k)]
        matrices = [f"ptr {f.address(x, *index)}, {integer} {_leading(x)}" for x in (a, b, out)]
        args = [_ROWS, _layout(a), _layout(b), *sizes, one, matrices[0], matrices[1], zero, matrices[2]]
        f.line(f"call void %f0({', '.join(map(str, args))})")

    def _write_vector(self, f: Function, index: list[Value]) -> None:
        a, b, out = self.arrays
        if out.shape[-1] > 1:  # (b.T @ a.T).T
            a, b, out = b.mT, a.mT, out.mT
        one, zero = f.constant(TYPES[out.dtype.name], 1), f.constant(TYPES[out.dtype.name], 0)
        transposed = _layout(a) == _TRANSPOSED
        matrix = a.mT if transposed else a
        integer = self._integer
        sizes = [f"{integer} {size}" for size in matrix.shape[-2:]]
        steps = [f"{integer} {max(x.strides[-2] // x.itemsize, 1)}" for x in (b, out)]
        args = [_ROWS, _layout(a), *sizes, one, f"ptr {f.address(a, *index)}, {integer} {_leading(a)}"]
        args += [f"ptr {f.address(b, *index)}", steps[0], zero, f"ptr {f.address(out, *index)}", steps[1]]
        f.line(f"call void %f0({', '.join(map(str, args))})")


def _layout(matrix: Host) -> str | None:
    """Return how the last two axes of an array are laid out, for BLAS; None if it cannot read them."""
    if _is_rows(matrix):
        return _PLAIN
    return _TRANSPOSED if _is_rows(matrix.mT) else None


def _is_rows(matrix: Host) -> bool:
    (n, m), (far, near) = matrix.shape[-2:], matrix.strides[-2:]
    size = matrix.itemsize
    return (m == 1 or near == size) and (n == 1 or (far % size == 0 and far >= max(m, 1) * size))


def _leading(matrix: Host) -> int:
    """Return the distance between the rows, or between the columns of a transposed matrix, in elements."""
    if _layout(matrix) == _TRANSPOSED:
        matrix = matrix.mT
    n, m = matrix.shape[-2:]
    return matrix.strides[-2] // matrix.itemsize if n > 1 else m
