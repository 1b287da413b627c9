"""PyTorch in float64: the reference of convolutional nets."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.data import Data, flat
from benchmarks.peers.torch_eager import TorchEager
from benchmarks.peers.torch_modules import to_torch
from benchmarks.workloads import Workload


class TorchDouble(TorchEager):
    """The eager step in float64, which is an independent truth for anynet's, but not for the other PyTorch peers."""

    def __init__(self, workload: Workload, data: Data) -> None:
        super().__init__(workload, data.astype(np.float64))
        self.net.double()
        with torch.no_grad():
            for parameter, array in zip(self.net.parameters(), flat(data.parameters), strict=True):
                parameter.copy_(to_torch(array))

    def normalized(self, images: Tensor) -> Tensor:
        return torch.addcmul(self.shift, images.double(), self.scale)

    def logits(self, n: int) -> NDArray[Any]:
        """Return the logits of the first `n` images as one batch."""
        with torch.no_grad():
            found: NDArray[Any] = self.net(self.normalized(self.x[:n])).numpy()
        return found
