"""Properties of this processor that functions are written for."""

from functools import cache

import llvmlite.binding as llvm


@cache
def vector_registers() -> tuple[int, int]:
    """Return the number of bytes of a vector register, and the number of registers."""
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return 64, 32
    if features.get("avx2"):
        return 32, 16
    return 16, 32 if llvm.get_process_triple().startswith(("aarch64", "arm64")) else 16
