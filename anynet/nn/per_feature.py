"""Layers with parameters for each feature, whose number may be that of the input."""

from dataclasses import replace

from anynet.core.checks import store, whole_number
from anynet.nn.layer import INFERRED, Layer, known


class PerFeature(Layer):
    """Base class of frozen dataclasses with a field `n`, the number of input and of output features.

    Parameters
    ----------
    n : int
        Number of features, at least 1. Default: that of the input, in a `Sequential`.

    Raises
    ------
    TypeError, ValueError
        If `n` is no whole number, or less than 1.
    """

    n: int

    def __post_init__(self) -> None:
        if self.n is not INFERRED:
            store(self, "n", whole_number(f"{self}: n", self.n))
            if self.n < 1:
                raise ValueError(f"{self}: expected 1 feature or more")

    def with_input(self, n_in: int) -> Layer:
        """Return the layer for `n_in` features; itself if it has its number of features."""
        return replace(self, n=n_in) if self.n is INFERRED else self  # type: ignore[type-var]

    def features(self) -> tuple[int | None, int | None]:
        """Return ``(n, n)``."""
        return self.n, self.n

    def multiply_adds(self) -> int:
        """Return n: one factor per feature."""
        return known(self, self.n)
