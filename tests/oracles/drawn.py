"""What hypothesis draws: shapes, seeds and nets; NumPy draws the numbers, by the seed, all such as float32 can hold."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from images_of_layers import layers_of_images, samples_of

from anynet import (
    ELU,
    GELU,
    BatchNorm,
    Dropout,
    Flatten,
    GroupNorm,
    Hardswish,
    LayerNorm,
    LeakyReLU,
    Linear,
    MaxPool2d,
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
from anynet.nn.losses import (
    CrossEntropy,
    Huber,
    binary_cross_entropy,
    hinge,
    mean_squared_error,
    softmax_cross_entropy,
)

SIZES = st.sampled_from([1, 2, 3, 16, 17]) | st.integers(1, 70)
MEMBERS = st.sampled_from([(), (), (1,), (2,), (3,)])
SEEDS = st.integers(0, 2**32 - 1)


FEW = 3
"""Largest number of channels of an image, each of which may be a group."""


class Shape(NamedTuple):
    """x of shape (*members, n, n_in), y of shape (*members, n, n_out)."""

    members: tuple[int, ...]
    n: int
    n_in: int
    n_out: int


SHAPES = st.builds(Shape, MEMBERS, SIZES, SIZES, SIZES)


def for_all(test: Callable[..., None], examples: int, **drawn: st.SearchStrategy[Any]) -> None:
    """Run a test on drawn arguments, on the same ones every time."""
    phases = (Phase.generate, Phase.shrink)  # explaining a failure takes longer than understanding it
    settings(max_examples=examples, deadline=None, derandomize=True, phases=phases)(given(**drawn)(test))()


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape, np.float32).astype(np.float64)


def uniform(rng: np.random.Generator, low: float, high: float, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(low, high, shape).astype(np.float32).astype(np.float64)


LAYERS = {
    "Linear": (lambda shape: Linear(shape.n_in, shape.n_out), True),
    "ReLU": (lambda shape: ReLU(), True),
    "LeakyReLU": (lambda shape: LeakyReLU(0.1), True),
    "Sigmoid": (lambda shape: Sigmoid(), True),
    "Tanh": (lambda shape: Tanh(), True),
    "ELU": (lambda shape: ELU(0.7), True),
    "GELU": (lambda shape: GELU(), True),
    "exact GELU": (lambda shape: GELU("none"), True),
    "SiLU": (lambda shape: SiLU(), True),
    "Hardswish": (lambda shape: Hardswish(), True),
    "Softplus": (lambda shape: Softplus(), True),
    "Softsign": (lambda shape: Softsign(), True),
    "LayerNorm": (lambda shape: LayerNorm(shape.n_in + 1, eps=0.1), True),
    "GroupNorm": (lambda shape: GroupNorm(3, 3 * shape.n_in + 3, eps=0.1), True),
    "Scale": (lambda shape: Scale(shape.n_in), True),
    "Flatten": (lambda shape: Flatten((2, shape.n_in)), True),
    "Dropout training": (lambda shape: Dropout(0.4), True),
    "Dropout evaluation": (lambda shape: Dropout(0.4), False),
    "Residual": (lambda shape: Residual(Linear(shape.n_in, shape.n_out), Linear(shape.n_out, shape.n_in)), True),
    "BatchNorm training": (lambda shape: BatchNorm(shape.n_in, momentum=0.3, eps=1e-3), True),
    "BatchNorm evaluation": (lambda shape: BatchNorm(shape.n_in, momentum=0.3, eps=1e-3), False),
    **{
        name: (lambda shape, name=name: layers_of_images(min(shape.n_in, FEW), shape.n_out)[name], True)
        for name in layers_of_images(1, 1)
    },
}
"""By name, how to make a layer that takes a shape's x, and whether it is trained."""


class LayerPoint(NamedTuple):
    params: dict
    state: dict
    x: np.ndarray
    dy: np.ndarray
    key: np.ndarray


def forward(layer, params: dict, state: dict, x: Any, key: Any, train: bool) -> Any:
    """What the layer's ``forward`` returns, with the key if it takes one."""
    return layer.forward(params, state, x, train=train, **({"rng": key} if layer.uses_rng else {}))


def layer_point(layer, shape: Shape, seed: int) -> LayerPoint:
    """Parameters, state, input, output gradient and key of random numbers.

    No input is nearer to 0, where activations have kinks, than 1/16; no two of max-pooling are nearer than 1/64.
    """
    rng = np.random.default_rng(seed)
    if isinstance(layer, BatchNorm):
        shape = shape._replace(n=max(shape.n, 2))  # one sample alone is refused in training
    taken, given = samples_of(layer)
    shape = shape._replace(n_in=layer.features()[0] or (min(shape.n_in, FEW) if taken > 1 else shape.n_in))
    sample = layer.shape if isinstance(layer, Flatten) else (shape.n_in,)
    x = normal(rng, (*shape.members, taken * shape.n, *sample))
    if isinstance(layer, MaxPool2d):
        x = (rng.permutation(x.size).reshape(x.shape) - x.size // 2) / 64
    return LayerPoint(
        {name: normal(rng, (*shape.members, *p.shape)) for name, p in layer.parameters().items()},
        {name: uniform(rng, 0.5, 2, (*shape.members, *p.shape)) for name, p in layer.state().items()},
        x if isinstance(layer, MaxPool2d) else np.copysign(np.maximum(np.abs(x), 1 / 16), x),
        normal(rng, (*shape.members, given * shape.n, layer.features()[1] or shape.n_in)),
        rng.integers(-(2**31), 2**31, (*shape.members, 2), np.int32),
    )


def scores(shape: Shape, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits and labels for a loss, n_out classes; no two scores are nearer to a margin of 1 than 1/8.

    Multiples of 1/4, the right class's 1/8 above one: hold in float32 exactly.
    """
    rng = np.random.default_rng(seed)
    logits = rng.integers(-12, 13, (*shape.members, shape.n, shape.n_out)) / 4
    labels = rng.integers(0, shape.n_out, logits.shape[:-1])
    np.put_along_axis(logits, labels[..., None], np.take_along_axis(logits, labels[..., None], -1) + 1 / 8, axis=-1)
    return logits, labels


def outputs_and_targets(shape: Shape, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Outputs and targets in [0, 1] for a loss, n_out numbers for each sample."""
    rng = np.random.default_rng(seed)
    drawn = (*shape.members, shape.n, shape.n_out)
    return 2 * normal(rng, drawn), uniform(rng, 0, 1, drawn)


LOSSES = {
    "softmax_cross_entropy": (lambda shape: softmax_cross_entropy, scores),
    "hinge": (lambda shape: hinge, scores),
    "smoothed": (lambda shape: CrossEntropy(0.1), scores),
    "weighted": (lambda shape: CrossEntropy(0.2, 1 + np.arange(shape.n_out) % 3), scores),
    "mean_squared_error": (lambda shape: mean_squared_error, outputs_and_targets),
    "Huber": (lambda shape: Huber(0.5), outputs_and_targets),
    "binary_cross_entropy": (lambda shape: binary_cross_entropy, outputs_and_targets),
}
"""By name, how to make a loss of n_out classes or numbers, and its arguments."""


@st.composite
def nets(draw, shape: Shape, smooth: bool = False) -> Sequential:
    """A net that takes a shape's x and gives its y, with up to two hidden layers, each normalised or not.

    smooth: of activations without a kink only.
    """
    kinds = [Sigmoid(), Tanh(), GELU(), SiLU(), Softplus()]
    kinds += [] if smooth else [ReLU(), LeakyReLU(0.2), ELU(0.7), Hardswish()]
    layers, n_in = [], shape.n_in
    for _ in range(draw(st.integers(0, 2))):
        n_hidden = draw(SIZES)
        layers += [Linear(n_in, n_hidden), *([BatchNorm(n_hidden)] if draw(st.booleans()) and shape.n > 1 else [])]
        layers.append(draw(st.sampled_from(kinds)))
        n_in = n_hidden
    return Sequential(*layers, Linear(n_in, shape.n_out))


class NetPoint(NamedTuple):
    params: np.ndarray
    state: dict
    x: np.ndarray
    labels: np.ndarray
    l2: np.ndarray


def net_point(net: Sequential, shape: Shape, seed: int) -> NetPoint:
    """A net's vector, drawn like the numbers it starts with but without zeros among them, state, batch and penalty."""
    rng = np.random.default_rng(seed)
    parts = {
        name: normal(rng, (*shape.members, *p.shape)) / 2 ** (np.log2(p.shape[0]) // 2 if p.is_weight else 0)
        for name, p in net.parameters().items()
    }
    return NetPoint(
        net.layout.join(parts, like=np.zeros((*shape.members, net.layout.size))),
        {name: uniform(rng, 0.5, 2, (*shape.members, *p.shape)) for name, p in net.state().items()},
        normal(rng, (*shape.members, shape.n, shape.n_in)),
        rng.integers(0, shape.n_out, (*shape.members, shape.n)),
        uniform(rng, 0, 0.1, shape.members),
    )


SHAPED_NETS = SHAPES.flatmap(lambda shape: st.tuples(st.just(shape), nets(shape)))
SMOOTH_NETS = SHAPES.flatmap(lambda shape: st.tuples(st.just(shape), nets(shape, smooth=True)))
