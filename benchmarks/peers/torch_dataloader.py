"""PyTorch with a DataLoader over preloaded tensors."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.peers.torch_eager import TorchEager


class TorchDataLoader(TorchEager):
    """The eager step with a DataLoader without worker processes, the fastest setting for tensors.

    The sampler yields whole batches, so that the loader does not collate single images.
    """

    def train(self, order: NDArray[np.int64]) -> None:
        batches = torch.from_numpy(order).split(self.workload.batch_size)
        dataset = TensorDataset(self.x, self.y)
        for images, labels in DataLoader(dataset, batch_size=None, sampler=batches):
            self.step(images, labels)
