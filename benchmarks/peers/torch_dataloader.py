"""PyTorch with its DataLoader over the same tensors."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.peers.torch_eager import TorchEager


class TorchDataLoader(TorchEager):
    """The eager step; batches from a DataLoader, in this process, which beats any number of others for tensors.

    The sampler gives the images of a whole batch, which spares the loader from putting it together image by image.
    """

    def train(self, order: NDArray[np.int64]) -> None:
        batches = torch.from_numpy(order).split(self.workload.batch_size)
        dataset = TensorDataset(self.images, self.labels)
        for images, labels in DataLoader(dataset, batch_size=None, sampler=batches):
            self.step(images, labels)
