"""Convolutional layer."""

from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Self

from array_api_compat import array_namespace

from anynet.core.checks import store, true_or_false, whole_number
from anynet.core.typing import Array, Arrays
from anynet.core.window import Window
from anynet.nn.convolution import convolve, convolve_to_input, convolve_to_kernel
from anynet.nn.image_layer import ImageLayer, Size, by_place, short_pair
from anynet.nn.initializers import He, Initializer, Zeros, check_initializers
from anynet.nn.layer import INFERRED, Parameter, known
from anynet.nn.layer_text import short
from anynet.nn.padding import Padding, padding, window_of


@by_place(2, "channels of the input follow from the image: Conv2d({1}, {2})")
@dataclass(frozen=True)
class Conv2d(ImageLayer):
    r"""Convolution of images, ``y[i] = sum over (a, b) of x[s i + (a, b) - p] W[a, b] + b`` for every pixel i.

    Pixels are samples: x has shape (..., N * H * W, n_in), y has shape (..., N * H' * W', n_out), and W has shape
    (rows, columns, n_in / groups, n_out). With stride s and padding p, H' is ``(H + p + p - rows) // s + 1``. A kernel
    of one pixel is a `Linear` layer.

    Parameters
    ----------
    n_out : int
        Number of output channels, at least 1.
    kernel : int or (int, int)
        Rows and columns of the kernel.
    image : (int, int)
        Rows and columns H, W of the input. Default: those of the input, in a `Sequential` with an `input_shape`.
    stride : int or (int, int)
        Distance between neighboring places of the kernel.
    padding : {"same", "valid"}, int, (int, int) or (int, int, int, int)
        Zeros around the image. "same": so many that H' is H / s, rounded up; "valid": none; or numbers of pixels on
        every side, above and below and at the sides, or above, below, to the left and to the right.
    groups : int
        Input and output channels are in so many groups of neighbors, and each output channel sees the input channels
        of its group.
    bias : bool
        False leaves out b, as one does ahead of `BatchNorm`.
    n_in : int
        Number of input channels, with the same default as `image`.
    init, bias_init : callable
        Initializers of W and b.

    Raises
    ------
    TypeError, ValueError
        If a setting is of another type or out of range.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner (1998), Gradient-based learning applied to document recognition, section II.
    https://doi.org/10.1109/5.726791

    Examples
    --------
    >>> import anynet as an
    >>> layers = an.Conv2d(8, 3), an.ReLU(), an.GlobalPool(), an.Linear(10)
    >>> net = an.Sequential(*layers, input_shape=(3, 32, 32))
    >>> {name: slot.shape for name, slot in net.layout.slots.items()}
    {'0.W': (3, 3, 3, 8), '3.W': (8, 10), '0.b': (8,), '3.b': (10,)}
    """

    n_out: int
    kernel: int | Size = 3
    _: KW_ONLY
    stride: int | Size = 1
    padding: Padding = "same"
    groups: int = 1
    bias: bool = True
    n_in: int = field(default=INFERRED, repr=False)
    init: Initializer = He()
    bias_init: Initializer = Zeros()

    def __post_init__(self) -> None:
        name = short(self)
        for setting in ("kernel", "stride"):
            store(self, setting, short_pair(f"{name}: {setting}", getattr(self, setting)))
        store(self, "padding", padding(f"{name}: padding", self.padding))
        store(self, "bias", true_or_false(f"{name}: bias", self.bias))
        for setting in ("n_out", "groups", *(() if self.n_in is INFERRED else ("n_in",))):
            store(self, setting, whole_number(f"{name}: {setting}", getattr(self, setting)))
            if getattr(self, setting) < 1:
                raise ValueError(f"{name}: expected {setting} of 1 or more")
        for channels in (self.n_out, self.groups if self.n_in is INFERRED else self.n_in):
            if channels % self.groups:
                raise ValueError(
                    f"{name}: expected multiples of {self.groups} channels, the number of groups, got {channels}"
                )
        check_initializers(self, "init", "bias_init")
        super().__post_init__()

    @property
    def window(self) -> Window:
        """Places of the kernel on an image."""
        return window_of(short(self), self.size_in(), self.kernel, self.stride, self.padding)

    def with_input(self, n_in: int) -> Self:
        """Return the layer for `n_in` channels; itself if it has its number of channels."""
        return replace(self, n_in=n_in) if self.n_in is INFERRED else self

    def features(self) -> tuple[int | None, int]:
        """Return ``(n_in, n_out)``, the numbers of channels."""
        return self.n_in, self.n_out

    def size_out(self) -> Size:
        """Return the rows and columns of the output."""
        return self.window.out

    def parameters(self) -> dict[str, Parameter]:
        """Return the kernel "W", which the L2 penalty includes, and the biases "b"."""
        shape = (*self.window.kernel, known(self, self.n_in) // self.groups, self.n_out)
        weights = {"W": Parameter(shape, self.init, is_weight=True)}
        return weights | ({"b": Parameter((self.n_out,), self.bias_init)} if self.bias else {})

    def multiply_adds(self) -> int:
        """Return the number for each pixel of the output: that of the weights of all output channels."""
        rows, columns = self.window.kernel
        return rows * columns * known(self, self.n_in) // self.groups * self.n_out

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Array, Arrays]:
        """Return the convolution plus b; the cache is x."""
        y = convolve(x, params["W"], self.window, self.groups)
        return y + params["b"][..., None, :] if self.bias else y, x, state

    def backward(self, params: Arrays, cache: Array, dy: Array) -> tuple[Array, Arrays]:
        """Return ``dx[s i + (a, b) - p] = sum of dy[i] W[a, b]^T`` and the gradients of ``parameter_gradients``."""
        dx = convolve_to_input(dy, params["W"], self.window, self.groups)
        return dx, self.parameter_gradients(params, cache, dy)

    def parameter_gradients(self, params: Arrays, cache: Array, dy: Array) -> Arrays:
        """Return ``dW[a, b] = sum over i of x[s i + (a, b) - p]^T dy[i]`` and ``db``, the sum of dy over all pixels."""
        grads = {"W": convolve_to_kernel(cache, dy, self.window, self.groups)}
        return grads | ({"b": array_namespace(dy).sum(dy, axis=-2)} if self.bias else {})
