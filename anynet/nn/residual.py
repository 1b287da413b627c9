"""Residual connections."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from anynet.core.typing import Array, Arrays
from anynet.nn.container import Container
from anynet.nn.layer import Layer
from anynet.nn.sequential import Sequential


@dataclass(frozen=True, init=False, repr=False, eq=False)  # which are those of Container
class Residual(Container):
    """Layers that run one after another, added to their input: ``y = x + layers(x)``.

    A ``Residual`` is a layer of a `Sequential`, with parameters and state named after the places of its layers, such as
    "1.0.W". It is a value, has a length, can be indexed and iterated over, as a `Sequential` can.

    Parameters
    ----------
    *layers : Layer
        At least one. The last must give as many features as the first takes.

    Raises
    ------
    TypeError
        If an argument is not a layer.
    ValueError
        If there is no layer, or sizes do not match.

    References
    ----------
    He, Zhang, Ren, Sun (2016), Deep residual learning for image recognition, equation 1.
    https://arxiv.org/abs/1512.03385

    Examples
    --------
    >>> import anynet as an
    >>> block = an.Residual(an.LayerNorm(50), an.Linear(50, 50), an.GELU())
    >>> print(an.Sequential(an.Linear(784, 50), block, an.Linear(50, 10)).summary())
    layer                 output     parameters  multiply-adds
    0    Linear(784, 50)  (N, 50)        39,250         39,200
    1    Residual         (N, 50)             0              0
    1.0  LayerNorm(50)    (N, 50)           100             50
    1.1  Linear(50, 50)   (N, 50)         2,550          2,500
    1.2  GELU()           (N, 50)             0              0
    2    Linear(50, 10)   (N, 10)           510            500
    total                                42,410         42,250
    """

    def __init__(self, *layers: Layer) -> None:
        super().__init__(*layers)
        if self.n_in is not None and self.n_out not in (None, self.n_in):
            raise ValueError(f"{self}: expected layers that give the {self.n_in} features they take, got {self.n_out}")

    @cached_property
    def _branch(self) -> Sequential:
        return Sequential(*self.layers)

    def forward(
        self,
        params: Array | Mapping[str, Array],
        state: Mapping[str, Array],
        x: Array,
        *,
        train: bool,
        rng: Array | None = None,
    ) -> tuple[Array, Any, Arrays]:
        """Return ``x + layers(x)``; arguments and results are those of ``Sequential.forward``."""
        y, cache, state = self._branch.forward(params, state, x, train=train, rng=rng)
        if y.shape[-1] != x.shape[-1]:
            raise ValueError(f"{self}: expected layers that give the {x.shape[-1]} features of x, got {y.shape[-1]}")
        return x + y, cache, state

    def backward(self, params: Any, cache: Any, dy: Array) -> tuple[Array, Any]:
        """Return dy plus the gradient of the layers, and the gradients with respect to the parameters."""
        dx, grads = self._branch.backward(params, cache, dy)
        return dy + dx, grads

    def parameter_gradients(self, params: Any, cache: Any, dy: Array) -> Any:
        """Return the second result of ``backward``, without computing the first."""
        return self._branch.parameter_gradients(params, cache, dy)
