"""Number of nets that the memory of a device holds, and what to change if training runs out of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from anynet.backends import DeviceMemory
from anynet.nn import Sequential
from anynet.optim import Optimizer
from anynet.optim.averaging import Averaging
from anynet.training.errors import OutOfMemoryError, format_bytes, format_free_memory, raise_out_of_memory
from anynet.training.evaluate import BATCH_SIZE
from anynet.training.inputs import Inputs
from anynet.training.members import Member


def split_by_memory(members: Sequence[Member], inputs: Inputs) -> list[Sequence[Member]]:
    """Split members into stacks that fit half of the free memory; a single net may take all of it.

    Parameters
    ----------
    members : sequence of Member
    inputs : Inputs

    Returns
    -------
    list of sequence of Member
        A single stack if the device does not tell its memory.

    Raises
    ------
    OutOfMemoryError
        If not even one net fits.
    """
    memory = inputs.backend.memory()
    if memory is None:
        return [members]
    settings = inputs.settings
    each = member_bytes(*members[0][:2], settings.batch_size, settings.dtype, settings.averaging)
    if each > memory.free:
        raise OutOfMemoryError(f"not enough memory: {_advice(members[:1], inputs, memory, memory.free)}")
    n = max(1, memory.free // 2 // each)
    return [members[i : i + n] for i in range(0, len(members), n)]


def member_bytes(
    net: Sequential, optimizer: Optimizer, batch_size: int, dtype: str, averaging: Averaging | None = None
) -> int:
    """Estimate the memory that one net takes in training, without samples.

    The factors are the largest that were measured with any library. Recorded steps have arrays of their own: those of
    full batches, of the last batch and of each set of samples that is evaluated.

    Parameters
    ----------
    net : Sequential
    optimizer : Optimizer
    batch_size : int
    dtype : str
    averaging : float or Lookahead, optional
        As for `train_step`: it takes what a moment of the optimizer takes.

    Returns
    -------
    int
        Bytes.
    """
    size = net.layout.size
    state = optimizer.initial_state(np.zeros((1, size)), net.layout).values()
    moments = sum(array.shape[-1] / size if array.ndim else 1 for array in state) + (averaging is not None)
    widths = sum(output.values for output in net.outputs() if not output.is_container)
    return np.dtype(dtype).itemsize * int(size * (15 + 5 * moments) + 4 * (batch_size + BATCH_SIZE) * widths)


@contextmanager
def explain_out_of_memory(members: Sequence[Member], inputs: Inputs) -> Iterator[None]:
    """Context manager that adds sizes and advice if the training of this stack runs out of memory.

    It then took more than estimated, or than was free: half of the smaller of the two is what may fit.

    Parameters
    ----------
    members : sequence of Member
    inputs : Inputs

    Raises
    ------
    OutOfMemoryError
    """
    memory, settings = inputs.backend.memory(), inputs.settings  # now, because it is full when it runs out
    needed = len(members) * member_bytes(*members[0][:2], settings.batch_size, settings.dtype, settings.averaging)
    most = (needed if memory is None else min(needed, memory.free)) // 2
    with raise_out_of_memory(inputs.backend, lambda: _advice(members, inputs, memory, most)):
        yield


def _advice(members: Sequence[Member], inputs: Inputs, memory: DeviceMemory | None, most: int) -> str:
    """Return the memory that a stack needs, and changes with which it needs at most ``most`` bytes."""
    n, (net, optimizer, *_) = len(members), members[0]
    batch_size, dtype, averaging = inputs.settings.batch_size, inputs.settings.dtype, inputs.settings.averaging
    none, one, each = (member_bytes(net, optimizer, size, dtype, averaging) for size in (0, 1, batch_size))
    ways, for_samples = [], ""
    if n > 1 and most >= each:
        ways.append(f"{most // each} of them at a time (--stack-size, --seeds)")
    if (batch := (most // n - none) // (one - none)) > 0:
        ways.append(f"batches of {batch} (--batch-size)")
    if held := sum(loader.device_bytes for loader in (inputs.train, inputs.val, inputs.test) if loader):
        for_samples = f", the samples {format_bytes(held)}"
        ways.append("streamed samples (--memory-budget 0)")
    return (
        f"training {f'{n} nets as one stack, each ' if n > 1 else ''}{net} in batches of {batch_size} takes about "
        f"{format_bytes(n * each)}{for_samples}, and {format_free_memory(inputs.backend, memory)}; what may fit: "
        f"{', '.join([*ways, 'a smaller net, another device'])}"
    )
