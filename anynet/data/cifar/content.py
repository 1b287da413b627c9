"""Contents of files, in memory that is read without copies."""

import mmap
from typing import IO, Any, Self

import numpy as np

LONG = 1 << 16
"""Bytes from which on a part is a view; shorter ones are copied."""


class Text(np.ndarray[Any, Any]):
    """A long text in Latin-1, as the bytes that it has in a file."""

    def decode(self, encoding: str) -> Self:
        """Return the text itself: what it is needed for is its bytes."""
        return self


class Content(mmap.mmap):
    """Content of a file, which can be read like the file.

    The memory goes back to the operating system with the object. That of ``bytes`` of some megabytes may stay with the
    process, for smaller objects to come.

    Parameters
    ----------
    size : int
        Number of bytes, 1 or more; all of them 0.
    """

    def __new__(cls, size: int) -> Self:  # noqa: D102 - described above
        return super().__new__(cls, -1, size)

    def read(self, n: int | None = None) -> bytes:
        """Return the next `n` bytes, or what there is of them; of many, a view."""
        if n is None or n < LONG:
            return _read(self, n)
        start = self.tell()
        part = np.frombuffer(self, np.uint8)[start : start + n].view(Text)
        self.seek(start + len(part))
        return part  # type: ignore[return-value]  # it has what callers need of bytes


_read = mmap.mmap.read


def read_content(stream: IO[bytes], size: int, piece: int | None = None) -> Content | bytes:
    """Read the next bytes of a stream.

    Parameters
    ----------
    stream : binary file
    size : int
        Number of bytes.
    piece : int, optional
        Bytes that are read at once. Default: all, since a thread may wait for the others before each piece.

    Returns
    -------
    Content or bytes
        Fewer bytes if the stream ends before.
    """
    if not size:
        return b""
    content, done = Content(size), 0
    with memoryview(content) as view:
        while count := stream.readinto(view[done : done + (piece or size)]):  # type: ignore[attr-defined]
            done += count
    return content if done == size else content[:done]
