"""Nets and updates of the parity benchmark's recipes in plain PyTorch; that of ResNet-18 is written here."""

import math

import torch
from torch import nn

from benchmarks.parity import torch_airbench94, torch_images, torch_resnet9

__all__ = ["THEIRS", "torch", "torch_airbench94", "torch_images", "torch_resnet9"]


class Block(nn.Module):
    """A block of ResNet-18."""

    def __init__(self, n_in, n_out, stride):
        super().__init__()
        kinds = {"padding": 1, "bias": False}
        self.layers = nn.Sequential(
            *(nn.Conv2d(n_in, n_out, 3, stride, **kinds), nn.BatchNorm2d(n_out), nn.ReLU()),
            *(nn.Conv2d(n_out, n_out, 3, **kinds), nn.BatchNorm2d(n_out)),
        )
        self.shortcut = nn.Identity()
        if n_in != n_out:
            self.shortcut = nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))

    def forward(self, x):
        return torch.relu(self.shortcut(x) + self.layers(x))


def resnet18(width):
    a, b, c, d = (round(channels * width) for channels in (64, 128, 256, 512))
    sizes = [(a, a, 1), (a, a, 1), (a, b, 2), (b, b, 1), (b, c, 2), (c, c, 1), (c, d, 2), (d, d, 1)]
    return nn.Sequential(
        *(nn.Conv2d(3, a, 3, padding=1, bias=False), nn.BatchNorm2d(a), nn.ReLU()),
        *(Block(*each) for each in sizes),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(d, 10)),
    )


class UpdateOfResNet18:
    """SGD with a rate of half a cosine wave."""

    def __init__(self, net, epochs, steps):
        weights, others = ([p for p in net.parameters() if (p.ndim > 1) is many] for many in (True, False))
        groups = [{"params": weights, "weight_decay": 0.0005}, {"params": others}]
        self.net, self.sgd, self.rates, self.done = net, torch.optim.SGD(groups, momentum=0.9), [0.1], 0
        self.total = epochs * steps

    def __call__(self, x, y):
        for group in self.sgd.param_groups:
            group["lr"] = self.rates[0] * (1 + math.cos(math.pi * self.done / self.total)) / 2
        self.sgd.zero_grad()
        loss = nn.functional.cross_entropy(self.net(x), y)
        loss.backward()
        self.sgd.step()
        self.done += 1
        return loss.item()


def update_of_airbench94(net, epochs, steps):
    """Gradients of the mean loss and momentum of means make anynet's constant of Muon this much larger."""
    return torch_airbench94.Update(net, epochs, steps, eps=1e-7 * 2000 / (1 - 0.6))


THEIRS = {
    "airbench94": (torch_airbench94.Net, update_of_airbench94),
    "resnet9": (torch_resnet9.Net, torch_resnet9.Update),
    "resnet18": (resnet18, UpdateOfResNet18),
}
