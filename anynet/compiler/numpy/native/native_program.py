"""Programs whose steps run natively, as far as their calls have a native form."""

import time
from typing import NamedTuple

import numpy as np

from anynet.compiler.graph import Args, Graph, Kwargs, Node
from anynet.compiler.numpy.native import blas, copies, folds, products
from anynet.compiler.numpy.native.copies import TakeRow, column_key
from anynet.compiler.numpy.native.kernel import Host, Kernel
from anynet.compiler.numpy.native.module import Module, compile_module
from anynet.compiler.numpy.ufuncs import check_index
from anynet.compiler.program import Program
from anynet.compiler.target import Call, Target, Tick

CHUNK = 0.1
"""Seconds that native code runs for before progress is shown and a training can be stopped."""

FORMS = (products.kernel, folds.kernel, blas.kernel)
"""``form(node, args, kwargs, out)`` returns the kernel of an operation outside of loops, or None."""


class _Segment(NamedTuple):
    """Kernels of a module, one after another, numbers `first` to `stop`."""

    first: int
    stop: int


class NativeProgram(Program):
    """Program of kernels, which are compiled for this processor, and of the calls that have no native form.

    Parameters
    ----------
    graph, n_carry, shared, target
        Parameters of `Program`.
    """

    def __init__(self, graph: Graph, n_carry: int, shared: list[Host], target: Target) -> None:
        self._checks: list[tuple[int, Host, int]] = []  # columns that index tables, with the axis
        super().__init__(graph, n_carry, shared, target, hot=True)
        rows: list[Kernel] = [TakeRow(array, i) for i, array in enumerate(self._row)]
        native = [function for function, _ in self.calls if isinstance(function, Kernel)]
        self._kernels = [*rows, *native]  # they keep the arrays
        module = Module(self._kernels)
        self._run = compile_module(module.text)
        self._table = np.asarray([address if address >= 0 else 0 for address in module.table], np.uint64)
        self._columns = [module.table.index(column_key(i)) for i in range(len(rows))]
        self._parts: list[Call | _Segment] = [_Segment(0, len(rows))]
        number = len(rows)
        for i, (function, args) in enumerate(self.calls):
            if not isinstance(function, Kernel):
                self._parts.append((function, args))
                continue
            last = self._parts[-1]
            if isinstance(last, _Segment):
                self._parts[-1] = _Segment(last.first, number + 1)
            else:
                self._parts.append(_Segment(number, number + 1))
            self.calls[i] = self._run, (self._table.ctypes.data, 0, 1, number, number + 1)
            number += 1

    @property
    def launches(self) -> int:
        """Number of functions that Python calls for a step, 1 if it calls one for many steps."""
        return len(self._parts)

    def steps(self, columns: list[Host], tick: Tick) -> None:
        """Run a step for each row of the columns; ``tick(n)`` is called after the `n` steps of each native call."""
        columns = [np.ascontiguousarray(column) for column in columns]
        n = columns[0].shape[0]
        good = min((_rows_within(columns[i], table, axis) for i, table, axis in self._checks), default=n)
        for place, column in zip(self._columns, columns, strict=True):
            self._table[place] = column.ctypes.data
        address = self._table.ctypes.data
        done, chunk = 0, 1
        while done < good:
            stop, began = min(done + chunk, good), time.perf_counter()
            self._rows(address, done, stop)
            seconds = time.perf_counter() - began
            chunk = max(1, min(2 * chunk, int((stop - done) * CHUNK / max(seconds, 1e-9))))
            tick(stop - done)
            done = stop
        for i, table, axis in self._checks if good < n else ():
            check_index(table, columns[i][good], axis)

    def _rows(self, address: int, begin: int, stop: int) -> None:
        """Run a step for each of some rows; if all of it is native, with one call."""
        if len(self._parts) == 1:
            self._run(address, begin, stop, 0, len(self._kernels))
            return
        for row in range(begin, stop):
            for part in self._parts:
                if isinstance(part, _Segment):
                    self._run(address, row, row + 1, *part)
                else:
                    function, args = part
                    function(*args)

    def _calls(self, node: Node, args: Args, kwargs: Kwargs, out: Host) -> list[Call]:
        found = next(filter(None, (form(node, args, kwargs, out) for form in FORMS)), None)
        return super()._calls(node, args, kwargs, out) if found is None else [(found, ())]

    def _copy(self, into: Host, array: Host) -> Call:
        found = copies.kernel(into, array)
        return super()._copy(into, array) if found is None else (found, ())

    def _add(self, nodes: list[Node], calls: list[Call]) -> None:
        """Add calls; indices that are known ahead are checked for a whole loop."""
        for call in calls:
            if call[0] is not check_index:
                super()._add(nodes, [call])
                continue
            table, index, axis = call[1]
            column = next((i for i, array in enumerate(self._row) if array is index), None)
            if column is not None:
                self._checks.append((column, table, axis))
            elif any(array is index for array in self._shared):
                self._once.append(call)
            else:
                super()._add(nodes, [call])


def _rows_within(column: Host, table: Host, axis: int) -> int:
    """Return the number of rows of a column ahead of the first that is out of the bounds of a table."""
    n = table.shape[axis]
    if not column.size or -n <= column.min() <= column.max() < n:
        return len(column)
    outside = ((column < -n) | (column >= n)).reshape(len(column), -1).any(axis=1)
    return int(outside.argmax())
