"""Run recorded steps as calls of CuPy, captured as a CUDA graph: for steps whose own kernels cannot be compiled."""

from typing import Any

from anynet.compiler.cuda.capture import Capture
from anynet.compiler.program import Program
from anynet.compiler.target import Tick
from anynet.core.typing import ConcreteArray as Array


class CupyProgram(Program):
    """A program of calls of CuPy. A step's row is copied to where they read it, and then a graph of one step runs.

    Parameters
    ----------
    *args, **kwargs
        As of `Program`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._capture = Capture()
        self._graph: Any = None
        self._proved = False

    def steps(self, columns: list[Array], tick: Tick) -> None:
        """Run a step for each row of the columns; the first step ever runs without a graph and allocates memory.

        That step is reported as done together with the next one, which shows that the graph runs.
        """
        with self._capture():
            unreported = 0
            for left, row in zip(range(columns[0].shape[0] - 1, -1, -1), zip(*columns, strict=True), strict=True):
                self.take(row)
                unreported += 1
                if self._graph is None:
                    self._run()
                    self._graph = self._capture.graph(self._run)
                    if left:
                        continue
                elif not self._proved:
                    self._capture.prove(self._graph)
                    self._proved = True
                else:
                    self._graph.launch(self._capture.stream)
                tick(unreported)
                unreported = 0

    def _run(self) -> None:
        for function, args in self.calls:
            function(*args)
