"""Errors of CUDA and CuPy: what they mean, and what to do about them."""

import errno
import os

import cupy

from anynet.compiler.cuda.capture import CaptureError
from anynet.compiler.cuda.cublas import CublasError
from anynet.core.formatting import first_line

CAPTURE = range(900, 909)
"""CUDA's error codes of failed captures, from cudaErrorStreamCaptureUnsupported on."""


def toolkit() -> str:
    """Return what to install for the CUDA toolkit of the CuPy that is here, as an argument of ``pip install``."""
    return f"'cupy-cuda{cupy.cuda.runtime.runtimeGetVersion() // 1000}x[ctk]'"


def lacks_toolkit(error: BaseException) -> bool:
    """Return True for errors that mean that files of the CUDA toolkit are missing: libraries or headers."""
    if isinstance(error, OSError):
        return error.errno in (None, errno.ENOENT)  # the loader of libraries gives no number
    kinds = {kind.__name__ for kind in type(error).__mro__}
    missing = kinds & {"ImportError", "DynamicLibNotFoundError"}
    return bool(missing) or "Failed to find CUDA headers" in str(error)


def cache_advice() -> str:
    """Return what to do if the system refuses to write a file: CuPy writes compiled kernels."""
    folder = os.environ.get("CUPY_CACHE_DIR", "~/.cupy/kernel_cache")
    return (
        f"CuPy keeps compiled kernels in {folder}: make it writable, free disk space, or set CUPY_CACHE_DIR to another "
        "folder"
    )


def out_of_memory(error: BaseException) -> bool:
    """Return True for errors of memory; those of CUDA and cuBLAS are told by their messages."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in ("out of memory", "ALLOC_FAILED"))


def explain(error: BaseException) -> str:
    """Return in one line why a step could not run, and what to do about it.

    Parameters
    ----------
    error : BaseException

    Returns
    -------
    str
    """
    cause = first_line(error)
    if isinstance(error, CaptureError):
        return f"{cause}; convert it to another dtype before the loop"
    if lacks_toolkit(error):
        return f"files of the CUDA toolkit are missing ({cause}); pip install {toolkit()} brings them"
    if isinstance(error, OSError):
        return f"the system refuses a file ({cause}); {cache_advice()}"
    if isinstance(error, cupy.cuda.compiler.CompileException):
        return f"a generated kernel does not compile ({cause}); please report it, with the net"
    if isinstance(error, CublasError):
        return f"cuBLAS refuses a product ({cause}); pip install -U {toolkit()} brings a newer one"
    if getattr(error, "status", None) in CAPTURE:
        return f"a CUDA graph could not be captured ({cause}); a newer NVIDIA driver may help"
    return f"{cause} ({type(error).__name__}); please report it, with the net"
