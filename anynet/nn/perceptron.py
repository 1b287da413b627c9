"""The usual net for vectors of features, described by widths and names."""

from collections.abc import Sequence

from anynet.core.checks import nearest
from anynet.nn.activations import ELU, LeakyReLU, ReLU, Sigmoid, Softplus, Softsign, Tanh
from anynet.nn.batch_norm import BatchNorm
from anynet.nn.dropout import Dropout
from anynet.nn.gated_activations import GELU, Hardswish, SiLU
from anynet.nn.initializers import He, Initializer, Zeros
from anynet.nn.layer import Layer
from anynet.nn.linear import Linear
from anynet.nn.sample_norms import LayerNorm
from anynet.nn.sequential import Sequential

ACTIVATIONS: dict[str, Layer] = {
    "relu": ReLU(),
    "leaky-relu": LeakyReLU(),
    "elu": ELU(),
    "gelu": GELU(),
    "silu": SiLU(),
    "hardswish": Hardswish(),
    "softplus": Softplus(),
    "softsign": Softsign(),
    "sigmoid": Sigmoid(),
    "tanh": Tanh(),
}
"""Activations by name."""

NORMS: dict[str, type[BatchNorm] | type[LayerNorm] | None] = {"batch": BatchNorm, "layer": LayerNorm, "none": None}
"""Normalizations of hidden features by name."""


def perceptron(
    n_in: int,
    hidden: Sequence[int],
    n_out: int,
    *,
    activation: str = "relu",
    norm: str = "none",
    dropout: float = 0.0,
    init: Initializer = He(),
    bias_init: Initializer = Zeros(),
) -> Sequential:
    """Return a multi-layer perceptron.

    Every hidden width gives a linear layer, a normalization if wanted, the activation, and dropout if wanted; a linear
    layer follows.

    Parameters
    ----------
    n_in, n_out : int
        Numbers of input and output features.
    hidden : sequence of int
        Widths of the hidden layers.
    activation : str
        One of `ACTIVATIONS`.
    norm : {"none", "batch", "layer"}
        Normalization ahead of each activation.
    dropout : float
        Probability of a zero after each activation, in [0, 1).
    init, bias_init : callable
        Initializers of the linear layers.

    Returns
    -------
    Sequential

    Raises
    ------
    TypeError, ValueError
        If a name is unknown, or a number is of another type or out of range.

    Examples
    --------
    >>> perceptron(64, (100,), 10, norm="batch", dropout=0.1)
    Sequential(Linear(64, 100), BatchNorm(100), ReLU(), Dropout(p=0.1),
        Linear(100, 10))
    """
    for name, value, known in (("activation", activation, ACTIVATIONS), ("norm", norm, NORMS)):
        if value not in known:
            raise ValueError(f'{name}: there is no "{value}"{nearest(value, known)}')
    layers: list[Layer] = []
    for width in hidden:
        layers.append(Linear(n_in, width, init, bias_init))
        if (kind := NORMS[norm]) is not None:
            layers.append(kind(width))
        layers.append(ACTIVATIONS[activation])
        if dropout:
            layers.append(Dropout(dropout))
        n_in = width
    return Sequential(*layers, Linear(n_in, n_out, init, bias_init))
