"""Eager PyTorch with preloaded data: the baseline."""

from torch import Tensor

from benchmarks.data import Data
from benchmarks.peers.torch_net import TorchPeer, optimizer
from benchmarks.workloads import Workload


class TorchEager(TorchPeer):
    """A module, autograd, and an optimizer from torch.optim."""

    def __init__(self, workload: Workload, data: Data, device: str = "cpu") -> None:
        super().__init__(workload, data, device)
        self.optimizer = optimizer(workload, self.net)

    def step(self, images: Tensor, labels: Tensor) -> None:
        self.loss(self.net(self.normalized(images)), labels).backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
