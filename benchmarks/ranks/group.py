"""Processes that MPI connects, each of which calls the same functions."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.environment import variables
from benchmarks.peers.base import LeftOutError
from benchmarks.worker import EXIT_TIMEOUT

START = 60.0
"""Seconds for all processes to start."""

CHILD = "from benchmarks.ranks.child import main; main()"
AS_ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
"""Environment variables with which Open MPI starts processes in containers, where the user is root."""


class Group:
    """Processes started by ``mpiexec``, which wait without computing between calls.

    As a context manager, it ends the processes at exit.

    Parameters
    ----------
    size : int
        Number of processes.
    threads : int
        Threads of each.

    Raises
    ------
    LeftOutError
        If they do not start.
    """

    def __init__(self, size: int, threads: int) -> None:
        beside = Path(sys.executable).with_name("mpiexec")
        mpiexec = str(beside) if beside.exists() else shutil.which("mpiexec")
        if mpiexec is None:
            raise LeftOutError("mpiexec is not installed; pip install '.[mpi]'")
        self._stack = ExitStack()
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(address := f"{folder}/calls")
            server.listen(size)
            server.settimeout(START)
            command = [mpiexec, "--bind-to", "none", "-n", f"{size}", sys.executable, "-c", CHILD, address]
            self._process = subprocess.Popen(
                command, env=os.environ | variables(threads) | AS_ROOT, stdin=subprocess.DEVNULL
            )
            try:
                found = [self._accept(server) for _ in range(size)]
            except TimeoutError:
                self._process.kill()
                raise LeftOutError(f"mpiexec did not start {size} processes in {START:.0f} s") from None
        self._connections = [link for _, link in sorted(found, key=lambda pair: pair[0])]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for link in self._connections:
            link.close()
        try:
            self._process.wait(EXIT_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stack.close()

    def call(self, function: Callable[..., Any], *args: Any) -> list[Any]:
        """Call a module-level function in all processes, and return the results in the order of the ranks.

        Raises LeftOutError if the function raised an exception or a process has ended.
        """
        try:
            for link in self._connections:
                link.send((function, args))
            answers = [link.recv() for link in self._connections]
        except (EOFError, ConnectionError):
            raise LeftOutError("a process has ended") from None
        for answer in answers:
            if isinstance(answer, LeftOutError):
                raise answer
        return answers

    def _accept(self, server: socket.socket) -> tuple[int, Connection]:
        link, _ = server.accept()
        connection = Connection(link.detach())
        return connection.recv(), connection
