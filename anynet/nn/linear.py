"""Fully connected layer."""

from dataclasses import dataclass, replace

from array_api_compat import array_namespace

from anynet.core.checks import store, whole_number
from anynet.core.typing import Array, Arrays
from anynet.nn.initializers import He, Initializer, Zeros, check_initializers
from anynet.nn.layer import INFERRED, Layer, Parameter, known


@dataclass(frozen=True)
class Linear(Layer):
    """Fully connected layer, ``y = x W + b``, with W of shape (n_in, n_out) and b of shape (n_out,).

    Parameters
    ----------
    n_in, n_out : int
        Numbers of input and output features, at least 1. A single number is `n_out`; the number of input features then
        is that of the input, in a `Sequential`.
    init : callable
        Initializer of W. The default, ``He()``, is meant for a ReLU as the next layer.
    bias_init : callable
        Initializer of b.

    Raises
    ------
    TypeError, ValueError
        If `n_in` or `n_out` is no whole number, or less than 1.

    Examples
    --------
    >>> import numpy as np
    >>> params = {"W": np.asarray([[1.0, 2.0], [3.0, 4.0]]), "b": np.asarray([0.5, 0.0])}
    >>> y, cache, _ = Linear(2, 2).forward(params, {}, np.asarray([[1.0, 1.0]]), train=True)
    >>> y
    array([[4.5, 6. ]])
    """

    n_in: int = INFERRED
    n_out: int = INFERRED
    init: Initializer = He()
    bias_init: Initializer = Zeros()

    def __post_init__(self) -> None:
        if self.n_out is INFERRED:  # Linear(100)
            store(self, "n_out", self.n_in)
            store(self, "n_in", INFERRED)
        for name in ("n_in", "n_out") if self.n_in is not INFERRED else ("n_out",):
            store(self, name, whole_number(f"{self}: {name}", getattr(self, name)))
            if getattr(self, name) < 1:
                raise ValueError(f"{self}: expected 1 feature or more on both sides")
        check_initializers(self, "init", "bias_init")

    def with_input(self, n_in: int) -> Layer:
        """Return the layer for `n_in` features; itself if it has its number of input features."""
        return replace(self, n_in=n_in) if self.n_in is INFERRED else self

    def features(self) -> tuple[int | None, int]:
        """Return ``(n_in, n_out)``."""
        return self.n_in, self.n_out

    def parameters(self) -> dict[str, Parameter]:
        """Return the weights "W", which the L2 penalty includes, and the biases "b"."""
        return {
            "W": Parameter((known(self, self.n_in), self.n_out), self.init, is_weight=True),
            "b": Parameter((self.n_out,), self.bias_init),
        }

    def multiply_adds(self) -> int:
        """Return ``n_in n_out``."""
        return known(self, self.n_in) * self.n_out

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Array, Arrays]:
        """Return ``x W + b``; the cache is x."""
        return x @ params["W"] + params["b"][..., None, :], x, state

    def backward(self, params: Arrays, cache: Array, dy: Array) -> tuple[Array, Arrays]:
        """Return ``dx = dy W^T`` and the gradients of ``parameter_gradients``."""
        return dy @ params["W"].mT, self.parameter_gradients(params, cache, dy)

    def parameter_gradients(self, params: Arrays, cache: Array, dy: Array) -> Arrays:
        """Return ``dW = x^T dy`` and ``db``, the sum of dy over the batch."""
        x, xp = cache, array_namespace(dy)
        return {"W": x.mT @ dy, "b": xp.sum(dy, axis=-2)}
