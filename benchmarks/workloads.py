"""The nets that are trained, and how."""

import math
from dataclasses import dataclass, replace
from typing import Literal, Self

PIXELS = 3072
CLASSES = 10


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One net, its optimizer, and how much of an epoch is trained.

    hidden: widths of the hidden layers; behind each stands batch normalisation where wanted, then the activation.
    lr: the learning rate, the same at every step. l2: λ of the penalty λ Σ W² on weights, without biases.
    images: a multiple of the batch size, so that no peer meets a shorter batch.

    Raises ValueError where it is none.
    """

    name: str
    hidden: tuple[int, ...] = ()
    activation: Literal["relu", "sigmoid"] = "relu"
    batch_norm: bool = False
    batch_size: int
    optimizer: Literal["sgd", "adam"] = "sgd"
    lr: float
    momentum: float = 0.0
    l2: float = 0.0
    images: int

    def __post_init__(self) -> None:
        if self.images % self.batch_size:
            raise ValueError(f"{self.name}: {self.images} images are no multiple of the batch size, {self.batch_size}")

    def __str__(self) -> str:
        parts = [
            "-".join(map(str, self.widths)),
            self.hidden and self.activation,
            self.batch_norm and "batch-normalised",
            f"batches of {self.batch_size}",
            {"sgd": "SGD", "adam": "Adam"}[self.optimizer],
            self.momentum and f"momentum {self.momentum:g}",
            self.l2 and "L2",
        ]
        return f"{self.name}: {', '.join(part for part in parts if isinstance(part, str))}"

    @property
    def steps(self) -> int:
        """Of an epoch."""
        return self.images // self.batch_size

    @property
    def widths(self) -> tuple[int, ...]:
        """Features from the input to the logits."""
        return PIXELS, *self.hidden, CLASSES

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        pairs = zip(self.widths, self.widths[1:], strict=False)
        return sum((n_in + 1) * n_out for n_in, n_out in pairs) + self.batch_norm * 2 * sum(self.hidden)

    def shortened(self, images: int) -> Self:
        """With about so many images, if it has more."""
        return replace(self, images=min(self.images, math.ceil(images / self.batch_size) * self.batch_size))


# Rates and penalties are such that leaving any of them out changes the loss of the first steps by more than rounding.
WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(name="W1", batch_size=100, lr=0.01, l2=0.01, images=20_000),
        Workload(name="W2", hidden=(100, 100), activation="sigmoid", batch_size=64, lr=0.02, images=19_968),
        Workload(
            name="W2a", hidden=(100, 100), activation="sigmoid", batch_size=64, optimizer="adam", lr=1e-3, images=19_968
        ),
        Workload(
            name="W3", hidden=(50, 50), batch_norm=True, batch_size=100, lr=0.01, momentum=0.8, l2=0.01, images=20_000
        ),
        Workload(
            name="W4", hidden=(50, 30, 20, 20, 10, 10, 10, 10), batch_norm=True, batch_size=100, lr=0.01,
            momentum=0.8, l2=0.01, images=20_000,
        ),
        Workload(name="W5", hidden=(2048, 2048), batch_size=512, optimizer="adam", lr=1e-4, images=10_240),
    )
}  # fmt: skip
