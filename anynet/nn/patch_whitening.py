"""Whitening of the patches of images."""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from anynet.core.checks import store, store_not_negative
from anynet.core.typing import Array, Arrays
from anynet.core.window import Window
from anynet.nn.convolution import convolve, convolve_to_input
from anynet.nn.image_layer import ImageLayer, Size, pair, short_pair
from anynet.nn.initializers import Initializer, Uniform, Zeros, check_initializers
from anynet.nn.layer import INFERRED, Parameter, known
from anynet.nn.layer_text import short
from anynet.nn.padding import window_of

CHUNK = 250
"""Number of images whose patches are summed up at once."""


@dataclass(frozen=True)
class PatchWhitening(ImageLayer):
    r"""Convolution that makes the values of small patches uncorrelated, with a trained bias.

    .. math:: y_{2 \times m} = (z, -z) + b, \quad z = \frac{v_i^T p}{\sqrt{\lambda_i + \epsilon}}, \quad
              \frac{1}{N} \sum p \, p^T = V \Lambda V^T

    for each patch p, of m = rows · columns · C values, without padding. V and Λ are those of the first 5,000 training
    images, normalized, and the largest λ comes first. They are no parameters: training sets the state "kernel" before
    its first step and leaves it as it is.

    Parameters
    ----------
    kernel : int or (int, int)
        Rows and columns of a patch.
    eps : float
        Constant ε, 0 or more.
    n_in : int
        Number of input channels C. Default: that of the input, in a `Sequential` with an `input_shape`.
    bias_init : callable
        Initializer of b.
    image : (int, int)
        Rows and columns of the input, with the same default as `n_in`.

    Raises
    ------
    TypeError, ValueError
        If a setting is of another type or out of range.

    Notes
    -----
    It has to be the first layer of a net. Until it is trained, its kernel has random numbers.

    References
    ----------
    Page (2019), How to train your ResNet 8: bag of tricks.
    https://myrtle.ai/learn/how-to-train-your-resnet-8-bag-of-tricks/
    Jordan (2024), 94 % on CIFAR-10 in 3.29 seconds on a single GPU. https://arxiv.org/abs/2404.00498

    Examples
    --------
    >>> import numpy as np
    >>> layer = PatchWhitening(1, eps=0.0, n_in=2, image=(4, 4))
    >>> x = np.random.default_rng(0).standard_normal((5 * 16, 2))
    >>> x = x @ np.asarray([[2.0, 1.0], [0.0, 1.0]])
    >>> y, _, _ = layer.forward({"b": np.zeros(4)}, layer.state_from(x), x, train=True)
    >>> np.round(y.T @ y / len(x), 6) + 0.0
    array([[ 1.,  0., -1.,  0.],
           [ 0.,  1.,  0., -1.],
           [-1.,  0.,  1.,  0.],
           [ 0., -1.,  0.,  1.]])
    """

    kernel: int | Size = 2
    eps: float = 5e-4
    n_in: int = field(default=INFERRED, repr=False)
    bias_init: Initializer = Zeros()

    def __post_init__(self) -> None:
        store(self, "kernel", short_pair(f"{short(self)}: kernel", self.kernel))
        store_not_negative(self, "eps")
        check_initializers(self, "bias_init")
        super().__post_init__()

    @property
    def window(self) -> Window:
        """Places of a patch on an image."""
        return window_of(short(self), self.size_in(), self.kernel, 1, "valid")

    @property
    def _values(self) -> int:
        """Number of values of a patch."""
        rows, columns = pair("kernel", self.kernel)
        return rows * columns * known(self, self.n_in)

    def with_input(self, n_in: int) -> Self:
        """Return the layer for `n_in` channels; itself if it has its number of channels."""
        return replace(self, n_in=n_in) if self.n_in is INFERRED else self

    def features(self) -> tuple[int | None, int | None]:
        """Return the numbers of channels, ``n_in`` and twice the number of values of a patch."""
        return (None, None) if self.n_in is INFERRED else (self.n_in, 2 * self._values)

    def size_out(self) -> Size:
        """Return the rows and columns of the output."""
        return self.window.out

    def parameters(self) -> dict[str, Parameter]:
        """Return the biases "b"."""
        return {"b": Parameter((2 * self._values,), self.bias_init)}

    def state(self) -> dict[str, Parameter]:
        """Return the "kernel", of shape (rows, columns, n_in, n_out)."""
        return {"kernel": Parameter((*self.window.kernel, known(self, self.n_in), 2 * self._values), Uniform())}

    def multiply_adds(self) -> int:
        """Return the number for each pixel of the output."""
        return self._values * 2 * self._values

    def state_from(self, x: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return the kernel that whitens the patches of images, x as for ``forward``."""
        window, images = self.window, x.reshape(-1, *self.size_in(), x.shape[-1])
        moments = np.zeros((self._values, self._values))
        for start in range(0, len(images), CHUNK):
            views = np.lib.stride_tricks.sliding_window_view(images[start : start + CHUNK], window.kernel, axis=(1, 2))
            patches = np.moveaxis(views, 3, -1).reshape(-1, self._values)
            moments += patches.T @ patches
        variances, vectors = np.linalg.eigh(moments / window.results(x.shape[0]))
        variances, vectors = variances[::-1], vectors[:, ::-1]
        if variances[-1] + self.eps <= len(variances) * np.finfo(np.float64).eps * variances[0]:
            raise ValueError(
                f"{short(self)}: eps: expected more than {self.eps:g}, because the patches of the training images do "
                "not vary in all directions; give 5e-4, the default"
            )
        largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
        scaled = vectors * np.sign(largest) / np.sqrt(np.maximum(variances, 0) + self.eps)  # LAPACKs differ in signs
        return {"kernel": np.concatenate([scaled, -scaled], axis=1).reshape(*window.kernel, x.shape[-1], -1)}

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Array, Arrays]:
        """Return the convolution plus b; the cache is the kernel."""
        y = convolve(x, state["kernel"], self.window, 1)
        return y + params["b"][..., None, :], state["kernel"], state

    def backward(self, params: Arrays, cache: Array, dy: Array) -> tuple[Array, Arrays]:
        """Return the gradient with respect to the input and the sum of dy over all pixels."""
        return convolve_to_input(dy, cache, self.window, 1), self.parameter_gradients(params, cache, dy)

    def parameter_gradients(self, params: Arrays, cache: Array, dy: Array) -> Arrays:
        """Return the gradient of b, the sum of dy over all pixels."""
        return {"b": array_namespace(dy).sum(dy, axis=-2)}
