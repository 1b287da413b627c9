"""Single kernels of the native target, which tests call."""

import numpy as np

from anynet.compiler.numpy.native.kernel import Kernel
from anynet.compiler.numpy.native.module import Module, compile_module


def call_once(kernel: Kernel, threads: int = 1) -> None:
    """Compile a kernel and call it."""
    module = Module([kernel])
    table = np.asarray(module.table, np.uint64)
    compile_module(module.text)(table.ctypes.data, 0, 1, 0, 1, threads)
