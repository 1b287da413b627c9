"""Net, optimizer and data shared by the PyTorch peers."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.data import Data, Parameters, flat, like
from benchmarks.peers.base import LeftOutError, Peer
from benchmarks.peers.torch_modules import Residual, from_torch, image_net, to_torch
from benchmarks.workloads import Workload

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "gelu": partial(nn.GELU, "tanh"),
}


class TorchPeer(Peer):
    """Base class with all images as a uint8 tensor on the device; subclasses define a step.

    Float32 products use PyTorch's default, without TF32.

    Parameters
    ----------
    workload, data
    device : str
        PyTorch's device name.

    Raises
    ------
    LeftOutError
        If PyTorch cannot use the device.
    """

    def __init__(self, workload: Workload, data: Data, device: str = "cpu") -> None:
        try:
            self.device = torch.zeros(1, device=device).device
        except (RuntimeError, AssertionError) as error:
            raise LeftOutError(f'torch cannot use the device "{device}": {error}'.splitlines()[0]) from None
        self.workload, self.start = workload, data.parameters
        data = data.channels_last if workload.layers else data
        host = data.x, data.y, data.scale, data.shift
        self.x, self.y, self.scale, self.shift = (torch.from_numpy(a).to(self.device) for a in host)
        self.net = net(workload, data.parameters).to(self.device)
        self.loss = nn.CrossEntropyLoss()

    def train(self, order: NDArray[np.int64]) -> None:
        for index in torch.from_numpy(order).to(self.device).split(self.workload.batch_size):
            self.train_on(index)
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def train_on(self, index: Tensor) -> None:
        """Train on the batch with these indices."""
        self.step(self.x.index_select(0, index), self.y.index_select(0, index))

    def step(self, images: Tensor, labels: Tensor) -> None:
        """Train on one batch."""
        raise NotImplementedError

    def normalized(self, images: Tensor) -> Tensor:
        """Return normalized float32 images."""
        return torch.addcmul(self.shift, images.float(), self.scale)

    def parameters(self) -> Parameters:
        return like(self.start, map(from_torch, self.net.parameters()))


def optimizer(workload: Workload, net: nn.Module) -> torch.optim.Optimizer:
    """Return a fused optimizer; only weights are penalized."""
    groups = [
        {"params": [p for p in net.parameters() if p.ndim > 1], "weight_decay": 2 * workload.l2},
        {"params": [p for p in net.parameters() if p.ndim == 1]},
    ]
    if workload.optimizer == "adam":
        return torch.optim.Adam(groups, lr=workload.lr, fused=True)
    settings = {"momentum": workload.momentum, "nesterov": workload.nesterov}
    return torch.optim.SGD(groups, lr=workload.lr, fused=True, **settings)


def net(workload: Workload, parameters: Parameters) -> nn.Sequential:
    """Return the net of a workload with these parameters, in float32."""
    made = image_net(workload.layers) if workload.layers else _net(workload, parameters)
    with torch.no_grad():
        for parameter, array in zip(made.parameters(), flat(parameters), strict=True):
            parameter.copy_(to_torch(array))
    return made


def _net(workload: Workload, parameters: Parameters) -> nn.Sequential:
    modules: list[nn.Module] = []
    for i, start in enumerate(parameters[:-1]):
        own: list[nn.Module] = [nn.Linear(*start["W"].shape)]
        if workload.normalized:
            own.append((nn.BatchNorm1d if workload.batch_norm else nn.LayerNorm)(len(start["b"])))
        own.append(ACTIVATIONS[workload.activation]())
        modules += [Residual(*own)] if workload.is_residual(i) else own
        if workload.dropout:
            modules.append(nn.Dropout(workload.dropout))
    return nn.Sequential(*modules, nn.Linear(*parameters[-1]["W"].shape))
