"""Recorded steps as calls of NumPy, run row by row."""

from anynet.compiler.graph import Graph
from anynet.compiler.numpy.ufuncs import check_index, count_valid, small_buffers
from anynet.compiler.program import Program
from anynet.compiler.target import Target, Tick
from anynet.core.typing import ConcreteArray as Array


class NumpyProgram(Program):
    """Program whose indices, where they are rows, are checked once ahead of the loop; see `Program`."""

    def __init__(self, graph: Graph, n_carry: int, shared: list[Array], target: Target, *, hot: bool = False) -> None:
        super().__init__(graph, n_carry, shared, target, hot=hot)
        self._checks: list[tuple[Array, int, int | None]] = []
        kept = []
        for call, made in zip(self.calls, self.made, strict=True):
            k = self._row_of(*call[1]) if call[0] is check_index else None
            if k is None:
                kept.append((call, made))
            else:
                self._checks.append((call[1][0], k, call[1][2]))
        self.calls, self.made = [call for call, _ in kept], [made for _, made in kept]

    def run(self, carry: list[Array], shared: list[Array], columns: list[Array], tick: Tick) -> list[Array]:
        """Run a whole loop with small buffers, and return copies of the last carry's arrays."""
        with small_buffers():
            return super().run(carry, shared, columns, tick)

    def steps(self, columns: list[Array], tick: Tick) -> None:
        """Run a step for each row of the columns, up to the first with an index that is out of bounds."""
        n = len(columns[0])
        valid = min((count_valid(table, columns[k], axis) for table, k, axis in self._checks), default=n)
        self._valid_steps([column[:valid] for column in columns], tick)
        if valid < n:
            for table, k, axis in self._checks:
                check_index(table, columns[k][valid], axis)

    def _valid_steps(self, columns: list[Array], tick: Tick) -> None:
        """Run a step for each row of columns without an index that is out of bounds."""
        super().steps(columns, tick)

    def _row_of(self, table: Array, index: Array, axis: int | None) -> int | None:
        """Return the number of the row's array that is the index, or None."""
        return next((k for k, row in enumerate(self._row) if self._target.same(index, row)), None)
