"""Kernels compiled, and launched."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import cupy
import numpy as np

from anynet.compiler.cuda.expressions import PRELUDE
from anynet.compiler.cuda.kernels import Kernel, Source, write
from anynet.compiler.cuda.phases import Phase
from anynet.core.typing import ConcreteArray as Array


class Launch:
    """A compiled kernel with its arguments."""

    def __init__(self, function: Any, source: Source) -> None:
        self._function, self._source = function, source

    def __call__(self, rows: Sequence[Array] = (), step: Array | None = None, later: int = 0) -> None:
        """Launch it on the current stream.

        rows: the buffers with all steps' rows. step: where the number of the first step lies. later: how many steps
        behind that one this one is.
        """
        _, _, takes, has_rows, blocks, threads = self._source
        args = [rows[thing] if isinstance(thing, int) else thing for thing in takes]
        if has_rows:
            args += [step, np.int32(later)]
        self._function((blocks,), (threads,), tuple(args))


def compile_all(sources: Sequence[Source]) -> list[Launch]:
    """In one go, which takes less time than one by one."""
    module = cupy.RawModule(code="\n".join([PRELUDE, *(source.text for source in sources)]))
    return [Launch(module.get_function(source.name), source) for source in sources]


def copy_values(into: cupy.ndarray, array: cupy.ndarray) -> None:
    """By CuPy, on the current stream."""
    into[...] = array


class Single:
    """A phase as a kernel of its own, compiled when it is called first."""

    def __init__(self, phase: Phase) -> None:
        self.phase = phase

    @cached_property
    def _launch(self) -> Launch:
        kernel = Kernel()
        kernel.add(self.phase)
        return compile_all([write(kernel, "single")])[0]

    def __call__(self) -> None:
        self._launch()
