"""The recipe of anynet's preset resnet9 in plain PyTorch."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.parity.torch_images import Images, accuracy, cropped, cut, flipped, he

BATCH, LR, PEAK = 512, 0.4, 0.2
DECAY = 5e-4
"""Decay of weights; PyTorch's is twice the factor of the penalty."""


class Skip(nn.Sequential):  # type: ignore[misc]
    """Layers that are added to their input."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum."""
        return x + super().forward(x)


class Net(nn.Sequential):  # type: ignore[misc]
    """ResNet-9.

    Parameters
    ----------
    width : float
        Factor of the numbers of channels.
    """

    def __init__(self, width: float = 1.0) -> None:
        first, second, third, last = (round(channels * width) for channels in (64, 128, 256, 512))
        super().__init__(
            *(*_block(3, first), *_block(first, second), nn.MaxPool2d(2)),
            Skip(*_block(second, second), *_block(second, second)),
            *(*_block(second, third), nn.MaxPool2d(2), *_block(third, last), nn.MaxPool2d(2)),
            Skip(*_block(last, last), *_block(last, last)),
            *(nn.MaxPool2d(4), nn.Flatten(), nn.Linear(last, 10)),
        )
        self.apply(he)


class Update:
    """Steps of SGD with its learning rate, which rises from 0 in a line and falls to 0 in another.

    Parameters
    ----------
    net : nn.Module
    epochs, steps : int
        Number of epochs, and of steps of each.
    """

    def __init__(self, net: nn.Module, epochs: int, steps: int) -> None:
        self.net, self.total, self.rates, self.done = net, epochs * steps, [LR], 0
        weights, others = ([p for p in net.parameters() if (p.ndim > 1) is many] for many in (True, False))
        groups = [{"params": weights, "weight_decay": DECAY}, {"params": others}]
        self.optimizer = torch.optim.SGD(groups, LR, momentum=0.9, nesterov=True)

    def __call__(self, x: Tensor, y: Tensor) -> float:
        """Make a step, and return the mean loss of the batch ahead of it."""
        share = self.done / self.total
        for group in self.optimizer.param_groups:
            group["lr"] = self.rates[0] * min(share / PEAK, (1 - share) / (1 - PEAK))
        loss = functional.cross_entropy(self.net(x), y)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.done += 1
        return float(loss.detach())


def train(train: Images, test: Images, width: float, epochs: int) -> float:
    """Train, and return the test accuracy."""
    net = Net(width).to(memory_format=torch.channels_last)
    update = Update(net, epochs, len(train.y) // BATCH)
    for _ in range(epochs):
        order = torch.randperm(len(train.y))
        for index in order[: len(order) // BATCH * BATCH].split(BATCH):
            x = cut(cropped(flipped(train.x[index]), 4), 8)
            update(x.contiguous(memory_format=torch.channels_last), train.y[index])
    net.eval()
    with torch.inference_mode():
        return accuracy(torch.cat([net(x) for x in test.x.split(1000)]), test.y)


def _block(n_in: int, n_out: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()
