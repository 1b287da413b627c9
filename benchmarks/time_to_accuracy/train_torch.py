"""Training by PyTorch, eager or compiled, with all images in one tensor."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from benchmarks.time_to_accuracy.recipes import Recipe
from benchmarks.time_to_accuracy.source import DEVIATION, MEAN, Images, Source, per_pixel

EVALUATED = 1000
"""Images per batch of an evaluation."""


def train(recipe: Recipe, source: Source, seed: int, compiled: bool = False) -> Iterator[tuple[float, float]]:
    """Train, and yield the number of epochs and the accuracy after each part of an epoch."""
    torch.manual_seed(seed)
    (x, y), (x_other, y_other) = map(_tensors, source.read())
    scale, shift = (torch.from_numpy(per_pixel(v)) for v in (tuple(1 / d for d in DEVIATION), _shift()))
    net, loss = _net(recipe), nn.CrossEntropyLoss()
    steps = recipe.steps(len(y))
    if recipe.optimizer == "adam":
        optimizer: torch.optim.Optimizer = torch.optim.Adam(net.parameters(), lr=recipe.lr, fused=True)
    else:
        optimizer = torch.optim.SGD(net.parameters(), lr=recipe.lr, momentum=0.9, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs * steps)

    def normalized(images: Tensor) -> Tensor:
        return torch.addcmul(shift, images.float(), scale)

    def cost(images: Tensor, labels: Tensor) -> Tensor:
        value: Tensor = loss(net(normalized(images)), labels)
        return value

    def accuracy() -> float:
        net.eval()
        with torch.inference_mode():
            right = sum(
                int((net(normalized(images)).argmax(1) == labels).sum())
                for images, labels in zip(x_other.split(EVALUATED), y_other.split(EVALUATED), strict=True)
            )
        net.train()
        return right / len(y_other)

    cost = torch.compile(cost) if compiled else cost
    for epoch in range(recipe.epochs):
        batches = torch.randperm(len(y)).split(recipe.batch_size)
        for start, stop in recipe.parts(len(y)):
            for index in batches[start:stop]:
                images = x.index_select(0, index)
                if recipe.flip:
                    images = _flipped(images)
                cost(images, y.index_select(0, index)).backward()
                optimizer.step()
                schedule.step()
                optimizer.zero_grad(set_to_none=True)
            yield epoch + stop / steps, accuracy()


def _tensors(images: Images) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(images.x), torch.from_numpy(images.y)


def _shift() -> tuple[float, ...]:
    return tuple(-m / d for m, d in zip(MEAN, DEVIATION, strict=True))


def _flipped(images: Tensor) -> Tensor:
    """Return the images, each mirrored with probability 1/2."""
    rows = images.view(-1, 96, 32)
    return torch.where(torch.rand(len(images), 1, 1) < 0.5, rows.flip(2), rows).view(len(images), -1)


def _net(recipe: Recipe) -> nn.Sequential:
    modules: list[nn.Module] = []
    for n_in, n_out in zip((3072, *recipe.hidden), recipe.hidden, strict=False):
        modules += [nn.Linear(n_in, n_out), *([nn.BatchNorm1d(n_out)] if recipe.batch_norm else []), nn.ReLU()]
        modules += [nn.Dropout(recipe.dropout)] if recipe.dropout else []
    return nn.Sequential(*modules, nn.Linear(recipe.hidden[-1], 10))
