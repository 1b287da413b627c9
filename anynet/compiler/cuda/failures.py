"""Why a recorded step does not run on a GPU, and what to do about it."""

import cupy

from anynet.core.formatting import first_line

CAPTURE = range(900, 909)
"""CUDA's error codes of failed captures, from cudaErrorStreamCaptureUnsupported on."""


def toolkit() -> str:
    """Return the command that installs the CUDA toolkit for the CuPy that is installed."""
    return f"pip install 'cupy-cuda{cupy.cuda.runtime.runtimeGetVersion() // 1000}x[ctk]'"


def lacks_toolkit(error: BaseException) -> bool:
    """Return True for errors that mean that files of the CUDA toolkit are missing: libraries or headers."""
    missing = isinstance(error, ImportError) or type(error).__name__ == "DynamicLibNotFoundError"
    return missing or "Failed to find CUDA headers" in str(error)


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
    if lacks_toolkit(error):
        return f"files of the CUDA toolkit are missing ({cause}); {toolkit()} brings them"
    if isinstance(error, cupy.cuda.compiler.CompileException):
        return f"a generated kernel does not compile ({cause}); please report it, with the net"
    if getattr(error, "status", None) in CAPTURE:
        return f"a CUDA graph could not be captured ({cause}); a newer NVIDIA driver may help"
    return cause
