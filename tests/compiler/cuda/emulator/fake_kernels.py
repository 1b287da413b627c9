"""``cupy.RawModule`` for the emulated GPU: g++ compiles its kernels, which run in the order of their stream."""

from typing import Any

import cuda_on_cpu
import numpy as np
from fake_gpu import Work


class CompileException(Exception):  # noqa: N818
    def __init__(self, msg: str, source: str, name: str, options: tuple[str, ...], backend: str = "nvrtc") -> None:
        super().__init__(msg)


def raw_module(fake: Any) -> type:
    class RawModule:
        def __init__(self, code=None, *, options=(), backend="nvrtc"):
            self.code, self.options = code, tuple(options)

        def compile(self, log_stream=None):
            self._kernels()

        def _kernels(self):
            fake.compilations.add_module(self.code)
            try:
                return cuda_on_cpu.compile_kernels(self.code, self.options)
            except cuda_on_cpu.CompileError as error:
                raise CompileException(str(error), self.code, "", self.options) from None

        def get_function(self, name):
            kernel = self._kernels()[name]

            def launch(grid: tuple, block: tuple, args: tuple, *, shared_mem: int = 0) -> None:
                assert isinstance(grid, tuple)
                assert isinstance(block, tuple)
                assert shared_mem == 0
                refused = [type(arg) for arg in args if isinstance(arg, np.ndarray)]
                if refused:
                    raise TypeError(f"Unsupported type {refused[0]}")
                values = [arg.values if isinstance(arg, fake.Array) else arg for arg in args]
                packed, blocks = kernel.pack(values), fake.gpu.blocks(v for v in values if isinstance(v, np.ndarray))
                fake.gpu.current.push(Work(name, lambda: kernel.launch(grid, block, packed), blocks, args))

            return launch

    return RawModule
