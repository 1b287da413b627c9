"""Programs whose steps run natively, as far as their calls have a native form."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from anynet.compiler.graph import Args, Graph, Kwargs, Node, computes
from anynet.compiler.numpy.native import (
    blas,
    convolutions,
    copies,
    folds,
    kernel_gradients,
    max_pools,
    shared_products,
    short_products,
)
from anynet.compiler.numpy.native.copies import TakeRow, column_key
from anynet.compiler.numpy.native.joins import is_sum
from anynet.compiler.numpy.native.kernel import Host, Kernel
from anynet.compiler.numpy.native.loops import kernels
from anynet.compiler.numpy.native.module import Module, compile_module
from anynet.compiler.numpy.native.runner import threads
from anynet.compiler.numpy.numpy_program import NumpyProgram
from anynet.compiler.numpy.ufuncs import check_index
from anynet.compiler.target import Call, Target, Tick

CHUNK = 0.1
"""Seconds that native code runs for before progress is shown and a training can be stopped."""

Form = Callable[[Node, Args, Kwargs, Host], Kernel | list[Kernel] | None]
FORMS: tuple[Form, ...] = (
    short_products.kernel,
    folds.kernel,
    blas.kernel,
    convolutions.kernel,
    kernel_gradients.kernel,
    max_pools.kernel,
)
"""``form(node, args, kwargs, out)`` returns the kernel of an operation outside of loops, a list of them, or None."""

SHARED_FORMS: tuple[Form, ...] = (short_products.kernel, shared_products.kernel)
"""Forms that come first in steps with loops that threads share."""


class _Segment(NamedTuple):
    """Kernels of a module, one after another, numbers `first` to `stop`."""

    first: int
    stop: int


class NativeProgram(NumpyProgram):
    """Program of kernels, which are compiled for this processor, and of the calls that have no native form.

    Parameters
    ----------
    graph, n_carry, shared, target
        Parameters of `Program`.
    """

    def __init__(self, graph: Graph, n_carry: int, shared: list[Host], target: Target) -> None:
        # BLAS has threads of its own, which wait busily: shared loops would be slower beside them.
        self._shares = any(computes(node) for node in graph.nodes)
        super().__init__(graph, n_carry, shared, target, hot=True)
        rows: list[Kernel] = [TakeRow(array, i) for i, array in enumerate(self._row)]
        native = [function for function, _ in self.calls if isinstance(function, Kernel)]
        self._kernels = [*rows, *native]  # they keep the arrays
        module = Module(self._kernels)
        self._run = compile_module(module.text)
        self._table = np.asarray([address if address >= 0 else 0 for address in module.table], np.uint64)
        self._columns = [module.table.index(column_key(i)) for i in range(len(rows))]
        self._parts: list[Call | _Segment] = [_Segment(0, len(rows))]
        parts, number = self._threads(), len(rows)
        for i, (function, args) in enumerate(self.calls):
            if not isinstance(function, Kernel):
                self._parts.append((function, args))
                continue
            last = self._parts[-1]
            if isinstance(last, _Segment):
                self._parts[-1] = _Segment(last.first, number + 1)
            else:
                self._parts.append(_Segment(number, number + 1))
            self.calls[i] = self._run, (self._table.ctypes.data, 0, 1, number, number + 1, parts)
            number += 1

    @property
    def launches(self) -> int:
        """Number of functions that Python calls for a step, 1 if it calls one for many steps."""
        return len(self._parts)

    def _valid_steps(self, columns: list[Host], tick: Tick) -> None:
        """Run a step for each row of the columns; ``tick(n)`` is called after the `n` steps of each native call."""
        columns = [np.ascontiguousarray(column) for column in columns]
        n = columns[0].shape[0]
        for place, column in zip(self._columns, columns, strict=True):
            self._table[place] = column.ctypes.data
        parts = self._threads()
        done, chunk = 0, 1
        while done < n:
            stop, began = min(done + chunk, n), time.perf_counter()
            self._rows(done, stop, parts)
            seconds = time.perf_counter() - began
            chunk = max(1, min(2 * chunk, int((stop - done) * CHUNK / max(seconds, 1e-9))))
            tick(stop - done)
            done = stop

    def _rows(self, begin: int, stop: int, parts: int) -> None:
        """Run a step for each of some rows; if all of it is native, with one call."""
        address = self._table.ctypes.data
        if len(self._parts) == 1:
            self._run(address, begin, stop, 0, len(self._kernels), parts)
            return
        for row in range(begin, stop):
            for part in self._parts:
                if isinstance(part, _Segment):
                    self._run(address, row, row + 1, *part, parts)
                else:
                    function, args = part
                    function(*args)

    def _threads(self) -> int:
        return threads() if self._shares else 1

    def _calls(self, node: Node, args: Args, kwargs: Kwargs, out: Host) -> list[Call]:
        if is_sum(node):
            return [(kernel, ()) for kernel in kernels([node], {node: out}, {node.args[0]: args[0]})]
        for form in (*(SHARED_FORMS if self._shares else ()), *FORMS):
            if found := form(node, args, kwargs, out):
                return [(kernel, ()) for kernel in (found if isinstance(found, list) else [found])]
        return super()._calls(node, args, kwargs, out)

    def _copy(self, into: Host, array: Host) -> Call:
        found = copies.kernel(into, array)
        return super()._copy(into, array) if found is None else (found, ())

    def _add(self, nodes: list[Node], calls: list[Call]) -> None:
        """Add calls of a step; an index that stays the same is checked when a loop begins."""
        for call in calls:
            if call[0] is check_index and any(call[1][1] is array for array in self._shared):
                self._once.append(call)
            else:
                super()._add(nodes, [call])
