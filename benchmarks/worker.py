"""A process that calls functions, one at a time."""

import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from benchmarks.environment import environment, variables
from benchmarks.peers.base import LeftOutError

EXIT_TIMEOUT = 5
"""Seconds before a process that should exit is terminated."""


class Worker:
    """A spawned process with its own threads and devices. As a context manager, it ends the process at exit."""

    def __init__(self, threads: int) -> None:
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,), daemon=True)
        with environment(variables(threads)):
            self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._process.join(timeout=EXIT_TIMEOUT)
        self._process.terminate()
        self._process.join()

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a module-level function in the process and return its result.

        Raises LeftOutError if the function raised an exception or the process has ended.
        """
        try:
            self._connection.send((function, args))
            answer = self._connection.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            raise LeftOutError(f"its process ended with exit code {self._process.exitcode}") from None
        if isinstance(answer, LeftOutError):
            raise answer
        return answer


def serve(connection: Connection) -> None:
    """Call the functions that a connection brings, and send back what they return, until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Control-C
    with suppress(EOFError, ConnectionError):  # the parent closed the connection
        while True:
            function, args = connection.recv()
            connection.send(_answer(function, args))


def _answer(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    try:
        return function(*args)
    except LeftOutError as error:
        return error
    except Exception as error:
        traceback.print_exc()
        return LeftOutError(" ".join([f"{type(error).__name__}:", *str(error).strip().splitlines()[:1]]))
