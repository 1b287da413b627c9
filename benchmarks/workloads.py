"""The nets that are trained, and their settings."""

import math
from dataclasses import dataclass, replace
from typing import Literal, Self

from benchmarks import image_nets
from benchmarks.image_nets import Part, Sized, sized

PIXELS = 3072
CLASSES = 10


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One net, its optimizer, and the size of an epoch.

    Parameters
    ----------
    name : str
    layers : tuple of Part
        Layers of a convolutional net; empty for a net of hidden layers, which the next settings describe.
    hidden : tuple of int
        Widths of the hidden layers. Each is followed by normalization, if any, the activation and dropout, if any.
    activation : {"relu", "sigmoid", "gelu"}
        "gelu" is the form with tanh.
    batch_norm, layer_norm : bool
    dropout : float
        Probability of 0.
    residual : bool
        Add the input of a hidden layer to the output of its activation, where the widths are equal.
    batch_size : int
    optimizer : {"sgd", "adam"}
    lr : float
        Constant learning rate.
    momentum : float
    nesterov : bool
        Nesterov momentum.
    l2 : float
        λ of the penalty λ Σ W² on weights, not biases.
    images : int
        Images per epoch, a multiple of the batch size.

    Raises
    ------
    ValueError
        If `images` is not a multiple of `batch_size`.
    """

    name: str
    layers: tuple[Part, ...] = ()
    hidden: tuple[int, ...] = ()
    activation: Literal["relu", "sigmoid", "gelu"] = "relu"
    batch_norm: bool = False
    layer_norm: bool = False
    dropout: float = 0.0
    residual: bool = False
    batch_size: int
    optimizer: Literal["sgd", "adam"] = "sgd"
    lr: float
    momentum: float = 0.0
    nesterov: bool = False
    l2: float = 0.0
    images: int

    def __post_init__(self) -> None:
        if self.images % self.batch_size:
            raise ValueError(
                f"{self.name}: images: expected a multiple of the batch size, {self.batch_size}, got {self.images}"
            )

    def __str__(self) -> str:
        parts = [
            self._net,
            self.hidden and {"gelu": "GELU"}.get(self.activation, self.activation),
            self.batch_norm and "batch-normalized",
            self.layer_norm and "layer-normalized",
            self.residual and "residual",
            self.dropout and f"dropout {self.dropout:g}",
            f"batches of {self.batch_size}",
            {"sgd": "SGD", "adam": "Adam"}[self.optimizer],
            self.momentum and f"{'Nesterov ' * self.nesterov}momentum {self.momentum:g}",
            self.l2 and "L2",
        ]
        return f"{self.name}: {', '.join(part for part in parts if isinstance(part, str))}"

    @property
    def _net(self) -> str:
        if not self.layers:
            return "-".join(map(str, self.widths))
        kernels = [f"{s.channels_out}" for s in self.sized if "W" in s.shapes]
        return f"{'-'.join(('3', *kernels))}, convolutional"

    @property
    def sized(self) -> list[Sized]:
        """Layers of a convolutional net, with the shapes of their inputs."""
        return list(sized(self.layers))

    @property
    def steps(self) -> int:
        """Steps per epoch."""
        return self.images // self.batch_size

    @property
    def widths(self) -> tuple[int, ...]:
        """Features of the input, the hidden layers and the output."""
        return PIXELS, *self.hidden, CLASSES

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        if self.layers:
            return sum(math.prod(shape) for each in self.sized for shape in each.shapes.values())
        pairs = zip(self.widths, self.widths[1:], strict=False)
        return sum((n_in + 1) * n_out for n_in, n_out in pairs) + self.normalized * 2 * sum(self.hidden)

    @property
    def normalized(self) -> bool:
        """True if hidden layers are normalized, with a scale and a shift for each feature."""
        return self.batch_norm or self.layer_norm

    def is_residual(self, i: int) -> bool:
        """Return True if the input of hidden layer i, counted from 0, is added to its output."""
        return self.residual and self.widths[i] == self.widths[i + 1]

    @property
    def deterministic(self) -> Self:
        """The workload without dropout, whose losses can be compared."""
        return replace(self, dropout=0.0)

    def shortened(self, images: int) -> Self:
        """Return the workload with at most about `images` images."""
        return replace(self, images=min(self.images, math.ceil(images / self.batch_size) * self.batch_size))


# Learning rates and penalties are large enough that omitting one changes the loss of the first steps measurably.
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
        Workload(
            name="W7", hidden=(512, 256), activation="gelu", dropout=0.2, batch_size=100, optimizer="adam", lr=1e-4,
            images=20_000,
        ),
        Workload(
            name="W8", hidden=(256, 256, 256), activation="gelu", layer_norm=True, residual=True, batch_size=128,
            optimizer="adam", lr=1e-4, images=19_968,
        ),
        Workload(
            name="W6", layers=image_nets.small(), batch_size=128, lr=0.01, momentum=0.9, nesterov=True, l2=2.5e-4,
            images=2560,
        ),
        Workload(
            name="W9", layers=image_nets.airbench94(), batch_size=500, lr=0.01, momentum=0.85, nesterov=True, l2=2.5e-4,
            images=1500,
        ),
        Workload(
            name="W10", layers=image_nets.resnet9(), batch_size=256, lr=0.01, momentum=0.9, nesterov=True, l2=2.5e-4,
            images=512,
        ),
    )
}  # fmt: skip
