"""Samples of several axes as rows of features."""

from dataclasses import dataclass
from math import prod

from array_api_compat import array_namespace

from anynet.core.checks import store
from anynet.core.typing import Array, Arrays
from anynet.nn.flatten_images import FlattenImages
from anynet.nn.layer import INFERRED, UNKNOWN, Layer
from anynet.nn.sizes import sample_shape


@dataclass(frozen=True)
class Flatten(Layer):
    """Samples of several axes as rows of features: from (..., N, *shape) to (..., N, features).

    With a shape it is the first layer of a net that is called with samples of that shape. Rows of features, (..., N,
    features), pass unchanged: a training has its samples in this form. The layers behind it need not be given their
    numbers of input features. Without a shape it is a layer of a net of images, ``FlattenImages``: from pixels (...,
    N * H * W, C) to (..., N, H * W * C).

    Parameters
    ----------
    shape : tuple of int
        Shape of a sample, such as (3, 32, 32). Default: that of the input, in a `Sequential` with an `input_shape`.

    Raises
    ------
    TypeError, ValueError
        If a size is no whole number of 1 or more, or all but the last are 1: a sample could not be told from a row.

    Examples
    --------
    >>> import anynet as an, numpy as np
    >>> net = an.Sequential(an.Flatten((3, 32, 32)), an.Linear(100), an.ReLU(), an.Linear(10))
    >>> net(*net.init(seed=0), np.ones((5, 3, 32, 32), np.float32)).shape
    (5, 10)
    """

    shape: tuple[int, ...] = INFERRED

    @property
    def takes_images(self) -> bool:
        """True without a shape."""
        return self.shape is INFERRED

    def with_image(self, rows: int, columns: int) -> Layer:
        """Return ``FlattenImages`` for images of this size."""
        if self.shape is not INFERRED:
            raise ValueError(
                f"{self}: expected no shape in a net of images, got one; write Flatten(), behind its layers"
            )
        return FlattenImages(image=(rows, columns))

    def __post_init__(self) -> None:
        if self.shape is INFERRED:
            return
        store(self, "shape", sample_shape(f"{self}: shape", self.shape))
        if len(self.shape) > 1 and prod(self.shape) == self.shape[-1]:
            raise ValueError(f"{self}: expected a size above 1 ahead of the last, got none; use {self.shape[-1:]}")

    def features(self) -> tuple[int | None, int | None]:
        """Return the number of a sample's values, twice."""
        return (None, UNKNOWN) if self.shape is INFERRED else (prod(self.shape), prod(self.shape))

    def sample_axes(self, x: Array) -> int:
        """Return the number of axes of `shape` if `x` has samples of that shape, else 1."""
        if self.shape is INFERRED:
            raise ValueError(
                "Flatten(): expected a shape, got none; give it, or the net an input_shape of three sizes, such as "
                "Sequential(..., input_shape=(3, 32, 32))"
            )
        axes = len(self.shape)
        return axes if x.ndim > axes and tuple(x.shape[-axes:]) == self.shape else 1

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, bool, Arrays]:
        """Return x as rows; the cache is True if it was not."""
        axes = self.sample_axes(x)
        y = x if axes == 1 else array_namespace(x).reshape(x, (*x.shape[:-axes], prod(self.shape)))
        return y, axes > 1, state

    def backward(self, params: Arrays, cache: bool, dy: Array) -> tuple[Array, Arrays]:
        """Return dy in the shape of x."""
        return (array_namespace(dy).reshape(dy, (*dy.shape[:-1], *self.shape)) if cache else dy), {}
