"""Learned scales."""

import math
from dataclasses import dataclass

from array_api_compat import array_namespace

from anynet.core.checks import real_number, store
from anynet.core.typing import Array, Arrays
from anynet.nn.initializers import Constant
from anynet.nn.layer import INFERRED, Parameter, known
from anynet.nn.per_feature import PerFeature


@dataclass(frozen=True)
class Scale(PerFeature):
    """Learned factor for each feature, ``y = s x``, as at the end of residual branches.

    Parameters
    ----------
    n : int
        Number of features, at least 1. Default: that of the input, in a `Sequential`.
    value : float
        Initial value of all factors. With a small one, such as 1e-4, or 0, a `Residual` begins as the identity.

    Raises
    ------
    TypeError, ValueError
        If a setting is of another type or out of range.

    References
    ----------
    Touvron, Cord, Sablayrolles, Synnaeve, Jégou (2021), Going deeper with image transformers, section 2 (LayerScale).
    https://arxiv.org/abs/2103.17239

    Examples
    --------
    >>> import numpy as np
    >>> Scale(2).forward({"s": np.asarray([2.0, 3.0])}, {}, np.ones((1, 2)), train=True)[0]
    array([[2., 3.]])
    """

    n: int = INFERRED
    value: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        store(self, "value", real_number(f"{self}: value", self.value))
        if not math.isfinite(self.value):
            raise ValueError(f"{self}: expected a finite initial value")

    def parameters(self) -> dict[str, Parameter]:
        """Return the factors "s", of shape (n,)."""
        return {"s": Parameter((known(self, self.n),), Constant(self.value))}

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Array, Arrays]:
        """Return ``s x``; the cache is x."""
        return params["s"][..., None, :] * x, x, state

    def backward(self, params: Arrays, cache: Array, dy: Array) -> tuple[Array, Arrays]:
        """Return ``dx = s dy`` and ds, the sum of ``x dy`` over the batch."""
        x, xp = cache, array_namespace(dy)
        return params["s"][..., None, :] * dy, {"s": xp.sum(x * dy, axis=-2)}
