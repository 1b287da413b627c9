"""Images of CIFAR-10 as tensors, normalized and augmented by PyTorch."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

import anynet as an


class Images(NamedTuple):
    """Normalized images with their classes.

    Attributes
    ----------
    x : Tensor, shape (N, 3, 32, 32)
        Of float32, in memory with the channels last.
    y : Tensor, shape (N,)
        Of int64.
    """

    x: Tensor
    y: Tensor


def read(folder: str | Path, train: int) -> tuple[Images, Images]:
    """Return the first training images and all test images, with mean 0 and deviation 1 of each color in training."""
    data = an.data.cifar10(folder, train=train, val=0)
    parts = [_tensors(part) for part in (data.train, data.test)]
    deviation, mean = torch.std_mean(parts[0].x, (0, 2, 3), correction=0, keepdim=True)
    return Images((parts[0].x - mean) / deviation, parts[0].y), Images((parts[1].x - mean) / deviation, parts[1].y)


def _tensors(part: Any) -> Images:
    x = torch.from_numpy(part.x).view(-1, 3, 32, 32).float().contiguous(memory_format=torch.channels_last)
    return Images(x, torch.from_numpy(part.y))


def flipped(x: Tensor) -> Tensor:
    """Return images, each mirrored with probability 1/2."""
    return torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x)


def cropped(x: Tensor, border: int) -> Tensor:
    """Return windows of the size of the images, at random places of the images with reflected borders."""
    rows, columns = x.shape[2:]
    padded, found = functional.pad(x, (border,) * 4, "reflect"), torch.empty_like(x)
    places = torch.randint(2 * border + 1, (len(x), 2))
    for row in range(2 * border + 1):
        for column in range(2 * border + 1):
            here = (places == torch.tensor([row, column])).all(1)
            found[here] = padded[here, :, row : row + rows, column : column + columns]
    return found


def cut(x: Tensor, side: int) -> Tensor:
    """Return images with a square of zeros at a random place within each."""
    size = x.shape[2]
    first = torch.randint(size - side + 1, (len(x), 2, 1))
    inside = (torch.arange(size) >= first) & (torch.arange(size) < first + side)
    return x.masked_fill((inside[:, 0, :, None] & inside[:, 1, None, :])[:, None], 0.0)


def accuracy(outputs: Tensor, y: Tensor) -> float:
    """Return the fraction of images that are classified correctly."""
    return float((outputs.argmax(1) == y).double().mean())


def he(module: nn.Module) -> None:
    """Draw weights of a layer with variance 2 / n_in; biases are 0."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
