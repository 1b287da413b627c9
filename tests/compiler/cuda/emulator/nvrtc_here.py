"""CUDA's own compiler, which needs no GPU and no driver."""

from collections.abc import Sequence

import pytest

missing = ""
try:
    from cupy_backends.cuda.libs import nvrtc  # CuPy's, by a name that the fake CuPy does not take

    nvrtc.getVersion()  # finds the library, for which it asks CuPy, still the real one
except (ImportError, RuntimeError) as error:
    missing = str(error).splitlines()[0]

ARCHITECTURES = ("sm_70", "sm_80", "sm_90")
"""V100, A100, H100: what NVRTC 12 compiles for, and anynet is used on."""


def nvrtc_compile(source: str, arch: str = "sm_80", options: Sequence[str] = ()) -> str:
    """Compile to machine code, and return what NVRTC and the assembler have to say.

    arch: ``sm_80``, or ``compute_80`` for PTX, which is assembled for no GPU in particular.

    Raises CompileError, with the same words, where they refuse; skips the test where NVRTC is not installed.
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
    """NVRTC does not take the source."""
