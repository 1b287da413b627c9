"""Connections to the schedulers of Dask clusters, and clusters on this machine."""

import asyncio
import logging
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from typing import Any

import distributed
from distributed.comm import connect

from anynet.app.compile_warnings import show_in_one_line
from anynet.core.errors import Error
from anynet.core.formatting import first_line, printable

CONNECT_SECONDS = 10
"""Time in which a scheduler must answer."""


class DaskError(Error, OSError):
    """A Dask cluster that cannot be used."""


@contextmanager
def connected(address: str) -> Iterator[distributed.Client]:
    """Context manager of a connection to a scheduler.

    Parameters
    ----------
    address : str
        Address of the scheduler, or "local" for a cluster of processes on this machine.

    Yields
    ------
    distributed.Client

    Raises
    ------
    DaskError
        If no scheduler answers.
    """
    if "@" in address:  # not printed: there may be a password before it
        raise DaskError(
            "--dask: expected HOST:PORT, got a user or a password before it; leave them out (Dask has TLS, by its "
            "configuration distributed.comm.tls)"
        )
    with ExitStack() as opened:
        opened.enter_context(_silent(logging.getLogger("distributed.client")))
        place: Any = _start(opened) if address == "local" else address
        try:
            with ThreadPoolExecutor(1) as thread:  # this one may have a loop already
                thread.submit(asyncio.run, _answer(getattr(place, "scheduler_address", place))).result()
            client = opened.enter_context(distributed.Client(place, timeout=CONNECT_SECONDS))
        except Exception as error:  # what is no address, or no scheduler, raises many kinds
            raise DaskError(
                f"--dask {printable(address)}: expected a scheduler that answers within {CONNECT_SECONDS} s, got an "
                f"error: {printable(first_line(error))}; start one with: dask scheduler, and workers with: dask worker "
                "HOST:8786; or use --dask local"
            ) from None
        if address == "local":
            client.run(show_in_one_line)
        yield client


async def _answer(address: str) -> None:
    """Connect once, because Dask's client waits for ever for what listens but is no scheduler."""
    options = distributed.Security().get_connection_args("client")
    try:
        comm = await asyncio.wait_for(connect(address, timeout=CONNECT_SECONDS, **options), CONNECT_SECONDS + 1)
    except TimeoutError:
        raise DaskError("what listens there does not answer as a scheduler") from None
    comm.abort()


def _start(opened: ExitStack) -> distributed.LocalCluster:
    """Start a worker for each core of this machine, to be closed with the rest."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    options: dict[str, Any] = {"n_workers": cores, "threads_per_worker": 1, "memory_limit": None}
    options |= {"dashboard_address": "127.0.0.1:0", "silence_logs": logging.CRITICAL}  # any port that is free

    def start() -> distributed.LocalCluster:
        return opened.enter_context(distributed.LocalCluster(**options))

    try:
        with _without_interrupts(), ThreadPoolExecutor(1) as thread:  # an interrupt waits for it and closes it
            return thread.submit(start).result()
    except RuntimeError as error:
        raise DaskError(
            f"--dask local: expected workers that start, got an error: {printable(first_line(error))}; in a program, "
            'call search under: if __name__ == "__main__":'
        ) from None


@contextmanager
def _silent(logger: logging.Logger) -> Iterator[None]:
    """Context manager in which a logger says nothing: what goes wrong is told by one line, or mended."""
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Context manager whose threads and processes get no Control-C; it reaches this thread afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # when it starts, it lets signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
