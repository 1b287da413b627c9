"""What nets are trained on, and for how long, whichever nets they are."""

import math
import sys
from dataclasses import dataclass

from anynet.backends import Backend, DeviceMemory
from anynet.data.augmentation import Augmentation
from anynet.data.dataset import Dataset
from anynet.data.loader import Loader, Pass
from anynet.data.normalization import Normalization
from anynet.nn.losses import Loss
from anynet.training.out_of_memory import gigabytes, reported, room


@dataclass(frozen=True, kw_only=True)
class Course:
    """Images on a device, the order of the batches, and how many epochs of them there are.

    data: where the images come from. train, val, test: them, loaded.
    order_seed: what the batches' order and augmentation are drawn from. The others: as of ``fit``.
    """

    data: Dataset
    train: Loader
    val: Loader
    test: Loader
    normalization: Normalization
    augmentation: Augmentation | None
    loss: Loss
    epochs: int
    batch_size: int
    order_seed: int
    drop_last: bool
    backend: Backend
    dtype: str

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        n = len(self.train) / self.batch_size
        return math.floor(n) if self.drop_last else math.ceil(n)

    def batches(self, epoch: int) -> Pass:
        """The batches of an epoch, counted from 0."""
        return self.train.shuffled(self.batch_size, self.order_seed, epoch, self.augmentation, drop_last=self.drop_last)


def load(data: Dataset, backend: Backend, memory_budget: int | None) -> list[Loader]:
    """Loaders of the training, validation and test images; on the device as far as the budget, in bytes, goes.

    Raises OutOfMemoryError where the device does not hold so many.
    """
    memory = backend.memory()
    if memory_budget is None:
        memory_budget = sys.maxsize if memory is None else memory.free // 2
    loaders = []
    for part in (data.train, data.val, data.test):
        resident = part.images.nbytes <= memory_budget
        memory_budget -= part.images.nbytes if resident else 0
        with reported(backend, lambda: _said(data, backend, memory)):
            loaders.append(Loader(part, backend, resident=resident))
    return loaders


def _said(data: Dataset, backend: Backend, memory: DeviceMemory | None) -> str:
    images = sum(part.images.nbytes for part in (data.train, data.val, data.test))
    return (
        f"moving images to the device, where all of {data.name} take {gigabytes(images)}, and {room(backend, memory)}; "
        "a smaller --memory-budget, in GB, streams those that do not fit it, and 0 streams all"
    )
