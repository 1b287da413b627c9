"""Dropout."""

from dataclasses import dataclass

from array_api_compat import array_namespace

from anynet.core.checks import real_number, store
from anynet.core.random import uniform
from anynet.core.typing import Array, Arrays
from anynet.nn.layer import Layer


@dataclass(frozen=True)
class Dropout(Layer):
    r"""Inverted dropout: in training each element is 0 with probability p, and otherwise :math:`x / (1 - p)`.

    The expected output is x; in evaluation the output is x. Each step, layer and member has another mask.

    Parameters
    ----------
    p : float
        Probability of 0, in [0, 1). The paper calls 1 - p so.

    Raises
    ------
    TypeError, ValueError
        If `p` is of another type or out of range.

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov (2014), Dropout: a simple way to prevent neural networks
    from overfitting, sections 4 and 10. https://jmlr.org/papers/v15/srivastava14a.html

    Examples
    --------
    >>> import numpy as np
    >>> from anynet import random
    >>> Dropout(0.5).forward({}, {}, np.ones((1, 5)), train=True, rng=random.key(1))[0]
    array([[0., 2., 0., 0., 0.]])
    """

    p: float = 0.5

    def __post_init__(self) -> None:
        store(self, "p", real_number(f"{self}: p", self.p))
        if not 0 <= self.p < 1:
            raise ValueError(f"{self}: expected p, the probability of 0, in [0, 1)")

    def forward(
        self, params: Arrays, state: Arrays, x: Array, *, train: bool, rng: Array | None = None
    ) -> tuple[Array, Array | None, Arrays]:
        """Return ``x / (1 - p)`` where elements are kept, else 0; the cache is the mask, True where they are kept."""
        if not train or self.p == 0:
            return x, None, state
        kept = self._drawn(rng, x) >= self.p  # type: ignore[arg-type]  # which refuses None
        return self._masked(x, kept), kept, state

    def backward(self, params: Arrays, cache: Array | None, dy: Array) -> tuple[Array, Arrays]:
        """Return ``dx = dy / (1 - p)`` where elements are kept, else 0."""
        return (dy if cache is None else self._masked(dy, cache)), {}

    def _drawn(self, rng: Array, x: Array) -> Array:
        """Return a random number in [0, 1) for each element of the input of one member."""
        return uniform(rng, x.shape[-2:], x.dtype)

    def _masked(self, x: Array, kept: Array) -> Array:
        return array_namespace(x).where(kept, (1 / (1 - self.p)) * x, 0.0)
