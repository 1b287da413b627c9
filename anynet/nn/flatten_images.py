"""Images as rows of features."""

from dataclasses import dataclass, replace
from typing import Self

from array_api_compat import array_namespace

from anynet.core.checks import store, whole_number
from anynet.core.typing import Array, Arrays
from anynet.nn.image_layer import ImageLayer
from anynet.nn.layer import INFERRED, UNKNOWN
from anynet.nn.layer_text import short


@dataclass(frozen=True, repr=False)
class FlattenImages(ImageLayer):
    """All values of an image as one row: from pixels (..., N * H * W, C) to features (..., N, H * W * C).

    ``Flatten()`` becomes this layer in a net of images, and it is shown as that.

    Parameters
    ----------
    n_in : int
        Number of channels. Default: that of the input, in a `Sequential`.
    image : (int, int)
        Rows and columns of the input.

    Raises
    ------
    TypeError, ValueError
        If a setting is no whole number, or less than 1.

    Examples
    --------
    >>> import numpy as np
    >>> FlattenImages(image=(1, 2)).forward({}, {}, np.asarray([[1.0, 2.0], [3.0, 4.0]]), train=True)[0]
    array([[1., 2., 3., 4.]])
    """

    n_in: int = INFERRED

    def __repr__(self) -> str:
        return "Flatten()"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_in is not INFERRED:
            store(self, "n_in", whole_number(f"{short(self)}: n_in", self.n_in))
            if self.n_in < 1:
                raise ValueError(f"{short(self)}: expected 1 channel or more")

    def with_input(self, n_in: int) -> Self:
        """Return the layer for `n_in` channels; itself if it has its number of channels."""
        return replace(self, n_in=n_in) if self.n_in is INFERRED else self

    def features(self) -> tuple[int | None, int | None]:
        """Return the number of channels, and of all values of an image."""
        rows, columns = self.size_in()
        return self.n_in, UNKNOWN if self.n_in is INFERRED else rows * columns * self.n_in

    def size_out(self) -> None:
        """Return None: the output has features."""
        return

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, None, Arrays]:
        """Return the rows."""
        (*members, n, channels), (rows, columns) = x.shape, self.size_in()
        shape = (*members, n // (rows * columns), rows * columns * channels)
        return array_namespace(x).reshape(x, shape), None, state

    def backward(self, params: Arrays, cache: None, dy: Array) -> tuple[Array, Arrays]:
        """Return dy as pixels."""
        (*members, n, values), (rows, columns) = dy.shape, self.size_in()
        shape = (*members, n * rows * columns, values // (rows * columns))
        return array_namespace(dy).reshape(dy, shape), {}
