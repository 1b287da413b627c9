"""What is said where memory runs out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from anynet.backends import Backend, DeviceMemory


class OutOfMemoryError(MemoryError):
    """Memory that does not hold what is asked of it; one line says the sizes, and what may fit."""


@contextmanager
def reported(backend: Backend, message: Callable[[], str]) -> Iterator[None]:
    """Within it, what a library raises where memory runs out becomes OutOfMemoryError with this message."""
    try:
        yield
    except OutOfMemoryError:  # of a training within this one
        raise
    except Exception as error:
        if not backend.out_of_memory(error):
            raise
        raise OutOfMemoryError(f"out of memory: {message()}") from error


def gigabytes(n: int) -> str:
    """Bytes in words.

    >>> gigabytes(1_234_567_890)
    '1.23 GB'
    """
    return f"{n / 1e9:.3g} GB"


def room(backend: Backend, memory: DeviceMemory | None) -> str:
    """What a backend's device had free, in words."""
    where = f"{backend.name} on {backend.device_name}"
    if memory is None:
        return f"{where} does not tell how much was free"
    return f"{where} had {gigabytes(memory.free)} free of {gigabytes(memory.total)}"
