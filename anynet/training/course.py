"""What nets are trained on, and for how long, whichever nets they are."""

import math
import sys
from dataclasses import dataclass

from anynet.backends import Backend
from anynet.data.augmentation import Augmentation
from anynet.data.loader import Loader, Pass
from anynet.data.normalization import Normalization
from anynet.data.splits import Dataset
from anynet.losses import Loss


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
    """Loaders of the training, validation and test images; on the device as far as the budget, in bytes, goes."""
    if memory_budget is None:
        memory = backend.memory()
        memory_budget = sys.maxsize if memory is None else memory.free // 2
    loaders = []
    for part in (data.train, data.val, data.test):
        resident = part.images.nbytes <= memory_budget
        memory_budget -= part.images.nbytes if resident else 0
        loaders.append(Loader(part, backend, resident=resident))
    return loaders
