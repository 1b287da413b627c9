"""Connections between the ranks that end when a process does, however it ends.

MPI itself does not say that a process has died: the others wait for it for ever, or are killed. Here the first rank is
connected to each other one. If one leaves, it says why, and the first rank passes it on; if it is killed, the system
closes its connection.
"""

import json
import os
import secrets
import select
import socket
from contextlib import suppress
from threading import RLock
from typing import Any, ClassVar

from anynet.core.ranks import RankLost

SECONDS = 60.0
"""Time for all connections to be made."""

GRACE = 0.1
"""Seconds for a sum to be done after another rank has left, which may have done its part before."""


class Watch:
    """Connections to the other ranks: of the first rank to all, of the others to the first.

    Parameters
    ----------
    comm : mpi4py.MPI.Intracomm

    Attributes
    ----------
    broken : bool
        True if a rank has left, or was lost: MPI cannot be ended in order.
    current : Watch or None
        That of this process.
    """

    broken: ClassVar[bool] = False
    current: ClassVar["Watch | None"] = None

    def __init__(self, comm: Any) -> None:
        Watch.current = self
        self._rank, self._size = comm.Get_rank(), comm.Get_size()
        host = socket.gethostname()
        self._names = comm.allgather(f"{host}, process {os.getpid()}")
        local = len(set(comm.allgather(host))) == 1
        self._links: dict[int, socket.socket] = {}
        self._lost: RankLost | None = None
        self._lock = RLock()  # a thread may look, too
        if self._rank == 0:
            with socket.create_server(("127.0.0.1" if local else "", 0), backlog=self._size) as server:
                token = secrets.token_bytes(16)
                comm.bcast((server.getsockname()[1], token, "127.0.0.1" if local else socket.gethostbyname(host)))
                server.settimeout(SECONDS)
                while len(self._links) < self._size - 1:
                    link, _ = server.accept()
                    link.settimeout(SECONDS)
                    greeting = link.recv(20, socket.MSG_WAITALL)
                    if greeting[:16] == token:
                        self._links[int.from_bytes(greeting[16:], "big")] = link
        else:
            port, token, address = comm.bcast(None)
            self._links[0] = socket.create_connection((address, port), SECONDS)
            self._links[0].sendall(token + self._rank.to_bytes(4, "big"))
        for link in self._links.values():
            link.setblocking(False)

    def look(self) -> None:
        """Raise RankLost if a rank has left or ended."""
        if (lost := self.lost()) is not None:
            Watch.broken = True
            raise lost

    def lost(self) -> RankLost | None:
        """Return the error of a rank that has left or ended, or None; that may be in order, if nothing waits for it."""
        with self._lock:
            if self._lost is None:
                ready, _, _ = select.select(list(self._links.values()), [], [], 0)
                for rank in [rank for rank, link in self._links.items() if link in ready]:
                    self._lost = self._lost or self._read(rank)
            return self._lost

    def leave(self, reason: str) -> None:
        """Tell the others that this rank was interrupted, or has told its user the reason why it ends."""
        Watch.broken = True
        for link in self._links.values():
            with suppress(OSError):
                link.sendall(json.dumps([self._rank, reason]).encode() + b"\n")

    def end(self) -> None:
        """Wait without work until the first rank has ended, which comes to its end first.

        A launcher stops all processes soon after one has ended with an error, or without the others.
        """
        if self._rank == 0:
            for link in self._links.values():
                with suppress(OSError):
                    link.close()
            return
        link = self._links[0]
        with suppress(OSError, KeyboardInterrupt):
            link.shutdown(socket.SHUT_WR)  # the first rank sees that this one has ended, if it waits for it
            link.settimeout(None)
            while link.recv(4096):
                pass

    def _read(self, rank: int) -> RankLost:
        """Return what a rank has said, or that it has ended; the first rank passes it on."""
        try:
            said = self._links[rank].recv(4096)
        except OSError:
            said = b""
        number, reason = json.loads(said.splitlines()[0]) if b"\n" in said else (rank, None)
        if self._rank == 0:
            for other in self._links.keys() - {rank}:
                with suppress(OSError):
                    self._links[other].sendall(json.dumps([number, reason]).encode() + b"\n")
        ended = {None: "has ended without a word", "": "was interrupted"}.get(reason, f"has stopped: {reason}")
        message = f"rank {number} of {self._size} ({self._names[number]}) {ended}"
        return RankLost(number, message, interrupted=reason == "", told=reason is not None)
