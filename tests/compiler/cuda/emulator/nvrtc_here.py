"""Compile CUDA C with NVRTC, which needs neither a GPU nor a driver."""

from collections.abc import Sequence

import pytest

missing = ""
try:
    from cupy_backends.cuda.libs import nvrtc  # of CuPy; the fake CuPy does not replace this module

    nvrtc.getVersion()  # loads the library, with the help of the real CuPy
except (ImportError, RuntimeError) as error:
    missing = str(error).splitlines()[0]

ARCHITECTURES = ("sm_75", "sm_80", "sm_90", "sm_120")
"""T4, A100, H100, RTX 50: the oldest that NVRTC 12 and 13 compile for, and later ones."""


def nvrtc_compile(source: str, arch: str = "sm_80", options: Sequence[str] = ()) -> str:
    """Compile and return the log of NVRTC and of the assembler, which is empty without warnings.

    arch: ``sm_80`` gives machine code; ``compute_80`` gives PTX, which takes a quarter of the time.

    Raises CompileError with the log if the source is rejected; skips the test if NVRTC is not installed.
    """
    if missing:
        pytest.skip(f"NVRTC is not installed: {missing}")
    program = nvrtc.createProgram(source, "source.cu", [], [])
    try:
        nvrtc.compileProgram(program, (f"--gpu-architecture={arch}", *options))
    except nvrtc.NVRTCError as error:
        raise CompileError(f"{error}\n{nvrtc.getProgramLog(program)}") from None
    else:
        return nvrtc.getProgramLog(program).strip("\0\n")
    finally:
        nvrtc.destroyProgram(program)


class CompileError(Exception):
    """NVRTC rejects the source."""
