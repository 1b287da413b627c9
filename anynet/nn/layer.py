"""What a layer is: sizes and settings, a function, and its derivative beside it."""

from typing import Any, NamedTuple

from anynet.core.typing import Array, Arrays
from anynet.nn.initializers import Initializer


class Parameter(NamedTuple):
    """A parameter to be: how large, how it starts, and whether the L2 penalty counts it as a weight."""

    shape: tuple[int, ...]
    init: Initializer
    is_weight: bool = False


class Layer:
    """The base of all layers, and the whole of what a new one has to provide.

    A layer is a frozen dataclass: nothing is stored on it between calls. Samples stand on axis -2 and features on
    axis -1; whatever stands ahead are *members*, nets trained side by side: parameters of shape (K, ...) belong to
    K nets, and an input without the K is shared by all of them.
    """

    def features(self) -> tuple[int | None, int | None]:
        """(n_in, n_out): features taken and given. None stands for any number taken, and as many given as taken."""
        return None, None

    def parameters(self) -> dict[str, Parameter]:
        """The trained arrays by name, for one member. None by default."""
        return {}

    def state(self) -> dict[str, Parameter]:
        """The arrays that a training step carries along without a gradient, such as running means. None by default."""
        return {}

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Any, Arrays]:
        """The layer's function.

        params, state: arrays by name, each of shape (..., *shape).
        x: shape (..., N, n_in).

        Returns the output of shape (..., N, n_out); a cache, which is whatever ``backward`` needs; the new state.
        """
        raise NotImplementedError

    def backward(self, params: Arrays, cache: Any, dy: Array) -> tuple[Array, Arrays]:
        """The derivative of ``forward``.

        dy: the cost's gradient by the output, shape (..., N, n_out).

        Returns the gradient by the input, shape (..., N, n_in), and the gradients by the parameters, named and
        shaped like them.
        """
        raise NotImplementedError

    def parameter_gradients(self, params: Arrays, cache: Any, dy: Array) -> Arrays:
        """The second half of what ``backward`` returns: a net's first layer needs no gradient by its input."""
        return self.backward(params, cache, dy)[1]
