"""A process that calls functions, one at a time, and sleeps in between."""

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

PATIENCE = 5
"""Seconds that a process has to end by itself."""


class Worker:
    """Starts with nothing imported, so that threads and devices are its own. As a context, it ends with it."""

    def __init__(self, threads: int) -> None:
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with environment(variables(threads)):
            self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._process.join(timeout=PATIENCE)
        self._process.terminate()
        self._process.join()

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """What a module's function returns there.

        Raises LeftOutError where it raised anything, and where the process is no more.
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


def _serve(connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Control-C is for the process that started this one, and ends it
    with suppress(EOFError, ConnectionError):  # the other end is closed
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
