"""How many nets can be trained at once in a device's memory, and what may fit where it runs out."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from anynet.backends import DeviceMemory
from anynet.nn import Sequential
from anynet.optim import Optimizer
from anynet.training.inputs import Inputs
from anynet.training.measure import BATCH
from anynet.training.members import Member
from anynet.training.out_of_memory import OutOfMemoryError, gigabytes, reported, room


def groups(members: Sequence[Member], inputs: Inputs) -> list[Sequence[Member]]:
    """The members, as many at once as fit half of the free memory, but one where it fits what is free.

    Raises OutOfMemoryError where not even that does.
    """
    memory = inputs.backend.memory()
    if memory is None:
        return [members]
    each = member_bytes(*members[0][:2], inputs.settings.batch_size, inputs.settings.dtype)
    if each > memory.free:
        raise OutOfMemoryError(f"not enough memory: {_said(members[:1], inputs, memory, memory.free)}")
    n = max(1, memory.free // 2 // each)
    return [members[i : i + n] for i in range(0, len(members), n)]


@contextmanager
def in_memory(members: Sequence[Member], inputs: Inputs) -> Iterator[None]:
    """Where the training of these members at once, within it, runs out of memory, OutOfMemoryError is raised.

    It took more than estimated, or than was free: half of the smaller of the two is what may fit.
    """
    memory = inputs.backend.memory()  # now, for when it runs out it is full of what it ran out for
    asked = len(members) * member_bytes(*members[0][:2], inputs.settings.batch_size, inputs.settings.dtype)
    most = (asked if memory is None else min(asked, memory.free)) // 2
    with reported(inputs.backend, lambda: _said(members, inputs, memory, most)):
        yield


def member_bytes(net: Sequential, optimizer: Optimizer, batch_size: int, dtype: str) -> int:
    """About how many bytes a net takes in training, images left out: the most that was found with any library.

    Recorded steps have arrays of their own, those of whole batches, of the last and of each set that is measured.
    """
    size, moments = net.layout.size, len(optimizer.init(np.zeros((1, 1))))
    widths = sum(n_out for _, n_out in (layer.features() for layer in net.named_layers().values()) if n_out is not None)
    return np.dtype(dtype).itemsize * (size * (15 + 5 * moments) + 4 * (batch_size + BATCH) * widths)


def _said(members: Sequence[Member], inputs: Inputs, memory: DeviceMemory | None, most: int) -> str:
    """What these members take at once, and what would take no more than ``most`` bytes."""
    n, (net, optimizer, *_) = len(members), members[0]
    batch_size, dtype = inputs.settings.batch_size, inputs.settings.dtype
    none, one, each = (member_bytes(net, optimizer, size, dtype) for size in (0, 1, batch_size))
    ways, beside = [], ""
    if n > 1 and most >= each:
        ways.append(f"{most // each} of them at a time (--together, --seeds)")
    if (batch := (most // n - none) // (one - none)) > 0:
        ways.append(f"batches of {batch} (--batch-size)")
    if images := sum(loader.device_bytes for loader in (inputs.train, inputs.val, inputs.test)):
        beside = f", beside the images' {gigabytes(images)}"
        ways.append("streamed images (--memory-budget 0)")
    return (
        f"training {f'{n} nets at once, each ' if n > 1 else ''}{net} in batches of {batch_size} takes about "
        f"{gigabytes(n * each)}{beside}, and {room(inputs.backend, memory)}; what may fit: "
        f"{', '.join([*ways, 'a smaller net, another device'])}"
    )
