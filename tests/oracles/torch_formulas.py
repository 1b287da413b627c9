"""Layers, losses and nets as PyTorch has them, differentiated by its autograd, in float64 and one net at a time."""

from collections.abc import Callable

import numpy as np
import pytest
from torch_images import image_layer

from anynet import (
    ELU,
    GELU,
    BatchNorm,
    Dropout,
    Flatten,
    GroupNorm,
    Hardswish,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    ReLU,
    Residual,
    Scale,
    Sequential,
    Sigmoid,
    SiLU,
    Softplus,
    Softsign,
    Tanh,
)
from anynet.core.random import uniform
from anynet.nn.losses import (
    CrossEntropy,
    Huber,
    Loss,
    binary_cross_entropy,
    hinge,
    mean_squared_error,
    softmax_cross_entropy,
)

torch = pytest.importorskip("torch")
functional = torch.nn.functional

Tensors = dict[str, torch.Tensor]


def layer(
    own: Layer, p: Tensors, s: Tensors, t: torch.Tensor, train: bool, key: np.ndarray | None = None
) -> torch.Tensor:
    """A layer's output; the state is updated in place. key: of the random numbers that it takes."""
    match own:
        case Linear():
            return functional.linear(t, p["W"].T, p["b"])
        case ReLU():
            return functional.relu(t)
        case LeakyReLU(slope):
            return functional.leaky_relu(t, slope)
        case Sigmoid():
            return torch.sigmoid(t)
        case Tanh():
            return torch.tanh(t)
        case ELU(alpha):
            return functional.elu(t, alpha)
        case GELU(approximate):
            return functional.gelu(t, approximate=approximate)
        case SiLU():
            return functional.silu(t)
        case Hardswish():
            return functional.hardswish(t)
        case Softplus():
            return functional.softplus(t)
        case Softsign():
            return functional.softsign(t)
        case LayerNorm(n, eps):
            return functional.layer_norm(t, (n,), p["gamma"], p["beta"], eps)
        case GroupNorm(groups, _, eps):
            return functional.group_norm(t, groups, p["gamma"], p["beta"], eps)
        case Scale():
            return t * p["s"]
        case Flatten():
            return torch.flatten(t, 1)
        case Dropout(rate):
            kept = uniform(key, tuple(t.shape), np.dtype(np.float64)) >= rate
            return t * torch.tensor(kept / (1 - rate)) if train else t
        case Residual() if own.takes_images:
            *branch, (ahead,) = own
            named = {name.rsplit(".", 1)[1]: a for name, a in p.items() if name.startswith(f"{len(branch)}.")}
            return image_layer(ahead, named, t) + net(Sequential(*branch), p, s, t, train)
        case Residual():
            return t + net(own, p, s, t, train)
        case BatchNorm(_, momentum, eps):
            return functional.batch_norm(t, s["mean"], s["var"], p["gamma"], p["beta"], train, momentum, eps)
    return image_layer(own, p, t)


def net(own: Residual | Sequential, p: Tensors, s: Tensors, t: torch.Tensor, train: bool) -> torch.Tensor:
    """A net's logits, of parameters and state named after the layers' places; the state is updated in place."""
    for i, one in enumerate(own.layers):
        mine = [
            {name.split(".", 1)[1]: a for name, a in named.items() if name.split(".")[0] == str(i)} for named in (p, s)
        ]
        t = layer(one, *mine, t, train)
    return t


LOSSES: dict[Callable, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    softmax_cross_entropy: functional.cross_entropy,
    # PyTorch divides by the number of classes as well.
    hinge: lambda logits, labels: functional.multi_margin_loss(logits, labels) * logits.shape[1],
    mean_squared_error: functional.mse_loss,
    binary_cross_entropy: functional.binary_cross_entropy_with_logits,
}
"""PyTorch's name for each loss without settings."""


def loss(own: Loss, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    match own:
        case CrossEntropy(smoothing, weights):
            weight = weights and torch.tensor(weights, dtype=torch.float64)
            return functional.cross_entropy(outputs, targets, weight, label_smoothing=smoothing)
        case Huber(delta):
            return functional.huber_loss(outputs, targets, delta=delta)
    return LOSSES[own](outputs, targets)


def leaf(array: np.ndarray) -> torch.Tensor:
    """A tensor with the numbers, whose gradient is kept."""
    return torch.tensor(array, requires_grad=True)


def leaves(arrays: dict[str, np.ndarray]) -> Tensors:
    return {name: leaf(array) for name, array in arrays.items()}


def copies(arrays: dict[str, np.ndarray]) -> Tensors:
    return {name: torch.tensor(array) for name, array in arrays.items()}


def numbers(tensors: Tensors) -> dict[str, np.ndarray]:
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}


def gradients(tensors: Tensors) -> dict[str, np.ndarray]:
    return {f"d{name}": tensor.grad.numpy() for name, tensor in tensors.items()}
