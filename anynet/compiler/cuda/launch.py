"""Compile kernels and launch them."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import cupy
import numpy as np

from anynet.compiler.cuda.dependences import Footprint, address_range
from anynet.compiler.cuda.expressions import PRELUDE
from anynet.compiler.cuda.kernel_source import Row, Source, write
from anynet.compiler.cuda.kernels import alone
from anynet.compiler.cuda.phases import Phase
from anynet.core.collective import Group
from anynet.core.typing import ConcreteArray as Array


class Launch:
    """A compiled kernel with its arguments.

    Parameters
    ----------
    function : cupy.RawKernel
    source : Source
    """

    def __init__(self, function: Any, source: Source) -> None:
        self._function, self._source = function, source

    def __call__(self, rows: Sequence[Array] = (), step: Array | None = None, later: int = 0) -> None:
        """Launch the kernel on the current stream.

        Parameters
        ----------
        rows : sequence of cupy.ndarray
            Buffers with the rows of all steps.
        step : cupy.ndarray of int64, shape ()
            Index of the first step.
        later : int
            Offset of this step from the first.
        """
        _, _, arguments, has_rows, blocks, threads = self._source
        args = [np.int64(a) if isinstance(a, int) else rows[a.place] if isinstance(a, Row) else a for a in arguments]
        if has_rows:
            args += [step, np.int32(later)]
        self._function((blocks,), (threads,), tuple(args))


class SingleKernel:
    """A phase as a kernel of its own, compiled when it is first called.

    Parameters
    ----------
    phase : Phase
    """

    def __init__(self, phase: Phase) -> None:
        self.phase = phase

    @cached_property
    def _launch(self) -> Launch:
        return compile_all([write(alone(self.phase), "single")])[0]

    def __call__(self) -> None:
        """Launch the kernel on the current stream."""
        self._launch()


def compile_all(sources: Sequence[Source]) -> list[Launch]:
    """Compile kernels as one module, which takes less time than one by one.

    CuPy compiles equal sources once for each device, as long as the process lives.

    Parameters
    ----------
    sources : sequence of Source

    Returns
    -------
    list of Launch
    """
    module = cupy.RawModule(code="\n".join([PRELUDE, *(source.text for source in sources)]))
    return [Launch(module.get_function(source.name), source) for source in sources]


def copy_values(into: Array, array: Array) -> None:
    """Copy values from one array to another, with CuPy, on the current stream."""
    into[...] = array


class CupyCall:
    """An operation computed by functions of CuPy; call the object to compute it.

    Parameters
    ----------
    evaluate : callable
        Returns the result, a new array or a view.
    arrays : sequence of cupy.ndarray
        Arrays that it reads.
    out : cupy.ndarray
        Array that the result is copied to.

    Attributes
    ----------
    footprint : Footprint
        Memory that the operation accesses.
    """

    def __init__(self, evaluate: Callable[[], Array], arrays: Sequence[Array], out: Array) -> None:
        self._evaluate, self._out = evaluate, out
        self.footprint = Footprint(tuple(map(address_range, arrays)), (address_range(out),))

    def __call__(self) -> None:
        """Compute the operation on the current stream."""
        self._out[...] = self._evaluate()


class RanksCall:
    """A sum over ranks; call the object to compute it.

    Parameters
    ----------
    array : cupy.ndarray
        That of this rank.
    group : Group
        The ranks.
    out : cupy.ndarray

    Attributes
    ----------
    footprint : Footprint
        Memory that the operation accesses.
    """

    def __init__(self, array: Array, group: Group, out: Array) -> None:
        self._array, self._group, self._out = array, group, out
        self.footprint = Footprint((address_range(array),), (address_range(out),))

    def __call__(self) -> None:
        """Compute the sum on the current stream."""
        self._group.sum_into(self._array, self._out)
