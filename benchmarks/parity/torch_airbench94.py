"""The recipe of airbench94 in plain PyTorch, after airbench94_muon.py of https://github.com/KellerJordan/cifar10-airbench.

As there, but in float32 on a CPU, with GELU by tanh and a factor of the numbers of channels.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.parity.torch_images import Images, accuracy, cropped, flipped

BATCH = 2000
BIAS_LR, HEAD_LR, MUON_LR = 0.053, 0.67, 0.24
DECAY = 2e-6 * BATCH
WHITENING_EPOCHS = 3
"""Epochs in which the biases of the first layer are trained."""


class Group(nn.Sequential):  # type: ignore[misc]
    """Two convolutions, each with batch normalization and GELU; the first one with max-pooling."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(
            *(_convolution(n_in, n_out), nn.MaxPool2d(2), _norm(n_out), nn.GELU("tanh")),
            *(_convolution(n_out, n_out), _norm(n_out), nn.GELU("tanh")),
        )


class Net(nn.Module):  # type: ignore[misc]
    """The net of airbench94.

    Parameters
    ----------
    width : float
        Factor of the numbers of channels.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        first, second, last = (round(channels * width) for channels in (64, 256, 256))
        self.whiten = nn.Conv2d(3, 24, 2)
        self.whiten.weight.requires_grad = False
        self.layers = nn.Sequential(
            *(nn.GELU("tanh"), Group(24, first), Group(first, second), Group(second, last)),
            nn.MaxPool2d(3),
        )
        self.head = nn.Linear(last, 10, bias=False)
        with torch.no_grad():
            self.head.weight /= self.head.weight.std()

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def whiten_patches_of(self, x: Tensor, eps: float = 5e-4) -> None:
        """Set the kernel of the first layer by the patches of training images."""
        patches = x.unfold(2, 2, 1).unfold(3, 2, 1).transpose(1, 3).reshape(-1, 12)
        variances, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        scaled = vectors.T.reshape(-1, 3, 2, 2) / torch.sqrt(variances.view(-1, 1, 1, 1) + eps)
        self.whiten.weight.copy_(torch.cat((scaled, -scaled)))

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs for images."""
        x = self.layers(self.whiten(x)).flatten(1)
        outputs: Tensor = self.head(x) / x.shape[1]
        return outputs


class Muon(torch.optim.Optimizer):  # type: ignore[misc]
    """Momentum of kernels that is made orthogonal."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, momentum: float, eps: float) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "eps": eps})

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self) -> None:
        """Make a step."""
        for group in self.param_groups:
            for p in group["params"]:
                buffer = self.state[p].setdefault("momentum_buffer", torch.zeros_like(p.grad))
                buffer.mul_(group["momentum"]).add_(p.grad)
                g = p.grad.add(buffer, alpha=group["momentum"])
                p.mul_(len(p) ** 0.5 / p.norm())
                p.add_(orthogonal(g.reshape(len(g), -1), group["eps"]).view(g.shape), alpha=-group["lr"])


def orthogonal(g: Tensor, eps: float) -> Tensor:
    """Return a matrix made orthogonal by three Newton-Schulz iterations."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g / (g.norm() + eps)
    x = x.T if len(g) > g.shape[1] else x
    for _ in range(3):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if len(g) > g.shape[1] else x


class Update:
    """Steps of the optimizers with their learning rates, which fall in lines to 0.

    Parameters
    ----------
    net : Net
    epochs, steps : int
        Number of epochs, and of steps of each.
    eps : float
        Constant that Muon adds to norms of gradients.
    """

    def __init__(self, net: Net, epochs: int, steps: int, eps: float = 1e-7) -> None:
        self.net, self.total, self.whitening = net, epochs * steps, WHITENING_EPOCHS * steps
        named = dict(net.named_parameters())
        shifts = [p for name, p in named.items() if name.startswith("layers") and p.ndim == 1 and p.requires_grad]
        kernels = [p for name, p in named.items() if name.startswith("layers") and p.ndim == 4]
        groups = [
            {"params": [net.whiten.bias], "lr": BIAS_LR, "weight_decay": DECAY / BIAS_LR},
            {"params": shifts, "lr": BIAS_LR, "weight_decay": DECAY / BIAS_LR},
            {"params": [net.head.weight], "lr": HEAD_LR, "weight_decay": DECAY / HEAD_LR},
        ]
        self.optimizers = torch.optim.SGD(groups, momentum=0.85, nesterov=True), Muon(kernels, MUON_LR, 0.6, eps)
        self.groups = [group for optimizer in self.optimizers for group in optimizer.param_groups]
        self.rates, self.done = [group["lr"] for group in self.groups], 0

    def __call__(self, x: Tensor, y: Tensor) -> float:
        """Make a step, and return the mean loss of the batch ahead of it."""
        for i, (group, rate) in enumerate(zip(self.groups, self.rates, strict=True)):
            group["lr"] = rate * max(0, 1 - self.done / (self.total if i else self.whitening))
        loss = functional.cross_entropy(self.net(x), y, label_smoothing=0.2)
        (BATCH * loss).backward()  # the sum over a batch
        if self.done >= self.whitening:
            self.net.whiten.bias.grad = None
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        self.done += 1
        return float(loss.detach())


def train(train: Images, test: Images, width: float, epochs: int) -> float:
    """Train, and return the test accuracy, with the mean of six views of each image."""
    net = Net(width).to(memory_format=torch.channels_last)
    net.whiten_patches_of(train.x[:5000])
    update, x = Update(net, epochs, len(train.y) // BATCH), flipped(train.x)
    for epoch in range(epochs):
        images = cropped(x, 2)
        images = images.flip(3) if epoch % 2 else images
        order = torch.randperm(len(images))
        for index in order[: len(order) // BATCH * BATCH].split(BATCH):
            update(images[index].contiguous(memory_format=torch.channels_last), train.y[index])
    net.eval()
    with torch.inference_mode():
        return accuracy(torch.cat([_mean_of_views(net, x) for x in test.x.split(1000)]), test.y)


def _mean_of_views(net: Net, x: Tensor) -> Tensor:
    padded = functional.pad(x, (1,) * 4, "reflect")
    shares = (0.5, x), (0.25, padded[:, :, :-2, :-2]), (0.25, padded[:, :, 2:, 2:])
    return sum((share / 2 * (net(view) + net(view.flip(3))) for share, view in shares), torch.zeros(()))


def _convolution(n_in: int, n_out: int) -> nn.Conv2d:
    layer = nn.Conv2d(n_in, n_out, 3, padding="same", bias=False)
    nn.init.dirac_(layer.weight.data[:n_in])
    return layer


def _norm(channels: int) -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(channels, eps=1e-12, momentum=0.4)
    layer.weight.requires_grad = False
    return layer
