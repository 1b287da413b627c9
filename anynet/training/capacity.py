"""How many nets can be trained at once in a device's memory."""

from collections.abc import Sequence

import numpy as np

from anynet.layers import Sequential
from anynet.optimizers import Optimizer
from anynet.training.course import Course
from anynet.training.measure import BATCH
from anynet.training.members import Member


def groups(members: Sequence[Member], course: Course) -> list[Sequence[Member]]:
    """The members, as many at once as fit half of the free memory, but one where it fits what is free.

    Raises MemoryError, with the sizes, where not even that does.
    """
    memory = course.backend.memory()
    if memory is None:
        return [members]
    each = member_bytes(*members[0][:2], course.batch_size, course.dtype)
    if each > memory.free:
        raise MemoryError(
            f"training {members[0].net} in batches of {course.batch_size} takes about {each / 1e9:.3g} GB, and "
            f"{memory.free / 1e9:.3g} GB are free; a smaller batch or net, or another device, may do"
        )
    n = max(1, memory.free // 2 // each)
    return [members[i : i + n] for i in range(0, len(members), n)]


def member_bytes(net: Sequential, optimizer: Optimizer, batch_size: int, dtype: str) -> int:
    """About how many bytes a net takes in training, images left out: the most that was found with any library.

    Recorded steps have arrays of their own, those of whole batches, of the last and of each set that is measured.
    """
    size, moments = net.layout.size, len(optimizer.init(np.zeros((1, 1))))
    widths = sum(n_out for _, n_out in (layer.features() for layer in net.layers) if n_out is not None)
    return np.dtype(dtype).itemsize * (size * (15 + 5 * moments) + 4 * (batch_size + BATCH) * widths)
