"""Base class of layers."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anynet.core.checks import takes_keyword
from anynet.core.settings_text import ShownSettings
from anynet.core.typing import Array, Arrays
from anynet.nn.initializers import Initializer
from anynet.nn.layer_text import short

INFERRED: Any = None
"""Default of a size that ``with_input`` sets."""


UNKNOWN = 0
"""Number of output features of a layer that needs the size of its input to tell; see `Layer.features`."""


class Parameter(NamedTuple):
    """Shape and initializer of a parameter or of an array of the state.

    Parameters
    ----------
    shape : tuple of int
        Shape for one member.
    init : callable
        Called as ``init(rng, shape)``; see ``anynet.nn.initializers``.
    is_weight : bool
        True if the L2 penalty includes it.
    """

    shape: tuple[int, ...]
    init: Initializer
    is_weight: bool = False


class Layer(ShownSettings):
    """Base class of all layers.

    A layer is a frozen dataclass: nothing is stored on it between calls. Samples are on axis -2 and features on
    axis -1. Leading axes are *members*, nets that are trained as one stack: parameters of shape (K, ...) are those of
    K nets, and an input without the K is shared by all of them. The pixels of an image are samples, and its channels
    are features; `ImageLayer` is the base class of layers for which the places of pixels matter.

    A new layer overrides ``forward`` and ``backward``, and the methods about sizes where their defaults do not apply.

    A layer that needs random numbers declares a keyword ``rng=None`` in ``forward``: ``forward(params, state, x, *,
    train, rng=None)``. In training it is given an array of int32 of shape (..., 2), different for each layer and step,
    for ``anynet.random.uniform(rng, shape, dtype)``. A ``forward`` with ``**kwargs`` is given it too.

    Examples
    --------
    >>> import anynet as an
    >>> class Square(an.Layer):
    ...     def forward(self, params, state, x, *, train):
    ...         return x * x, x, state
    ...
    ...     def backward(self, params, cache, dy):
    ...         return 2 * cache * dy, {}
    >>> an.Sequential(an.Linear(3, 2), Square()).n_out
    2
    """

    def with_input(self, n_in: int) -> "Layer":
        """Return the layer for an input of `n_in` features.

        A `Sequential` calls it as soon as it knows that number. A layer with a size that may be left out returns a copy
        that has it; others return themselves, the default.

        Parameters
        ----------
        n_in : int
            Number of input features.

        Returns
        -------
        Layer
        """
        return self

    @property
    def takes_images(self) -> bool:
        """True if samples are the pixels of images, whose rows and columns matter: see `ImageLayer`."""
        return False

    def with_image(self, rows: int, columns: int) -> "Layer":
        """Return the layer for images of `rows` x `columns` pixels; most layers return themselves, the default."""
        return self

    def image_out(self, image: tuple[int, int] | None) -> tuple[int, int] | None:
        """Return the rows and columns of the output for those of the input, the same by default; None of features."""
        return image

    def features(self) -> tuple[int | None, int | None]:
        """Return the numbers of input and output features.

        Returns
        -------
        n_in : int or None
            None means any number, the default.
        n_out : int or None
            None means the number of input features, the default; ``UNKNOWN``, that it is not known yet.
        """
        return None, None

    def parameters(self) -> dict[str, Parameter]:
        """Return the trained arrays.

        Returns
        -------
        dict of Parameter
            By name; empty by default.
        """
        return {}

    def state(self) -> dict[str, Parameter]:
        """Return the arrays that ``forward`` updates in training, such as running means.

        Returns
        -------
        dict of Parameter
            By name; empty by default.
        """
        return {}

    def state_from(self, x: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return state that is made of training samples before the first step; only of the first layer of a net.

        Parameters
        ----------
        x : ndarray of float64, shape (N, n_in)
            The first samples, normalized, as ``forward`` is given them.

        Returns
        -------
        dict of ndarray
            By name; empty by default.
        """
        return {}

    def multiply_adds(self) -> int:
        """Return the number of multiply-adds of ``forward`` per sample.

        Returns
        -------
        int
            Elementwise functions do not count, so the default is 0.
        """
        return 0

    def sample_axes(self, x: Array) -> int:
        """Return the number of axes of a sample in `x`: 1, features, but for `Flatten`."""
        return 1

    @property
    def uses_rng(self) -> bool:
        """True if ``forward`` has a parameter ``rng`` or ``**kwargs``."""
        return takes_keyword(type(self).forward, "rng")

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Any, Arrays]:
        """Return the output for an input.

        Parameters
        ----------
        params, state : dict of arrays, each of shape (..., *shape)
            Parameters and state of each member, by name.
        x : array, shape (N, n_in) or (..., N, n_in)
            Input.
        train : bool
            True in training, False in evaluation.

        Returns
        -------
        y : array, shape (..., N, n_out)
            Output.
        cache : object
            Argument of ``backward``: arrays that it needs, in tuples, lists or dicts.
        state : dict of arrays
            New state.
        """
        raise NotImplementedError(f"{type(self).__name__}: expected a method forward, got none")

    def backward(self, params: Arrays, cache: Any, dy: Array) -> tuple[Array, Arrays]:
        """Return the gradients with respect to the input and the parameters.

        Parameters
        ----------
        params : dict of arrays, each of shape (..., *shape)
            Parameters that were passed to ``forward``.
        cache : object
            Cache returned by ``forward``.
        dy : array, shape (..., N, n_out)
            Gradient of the cost with respect to the output.

        Returns
        -------
        dx : array, shape (..., N, n_in)
            Gradient with respect to the input.
        grads : dict of arrays
            Gradients with respect to the parameters, with their names and shapes.
        """
        raise NotImplementedError(f"{type(self).__name__}: expected a method backward, got none")

    def parameter_gradients(self, params: Arrays, cache: Any, dy: Array) -> Arrays:
        """Return the second result of ``backward``, the only one that the first layer of a net needs.

        Parameters
        ----------
        params, cache, dy : dict of arrays, object and array
            As for ``backward``.

        Returns
        -------
        dict of arrays
            Gradients with respect to the parameters.
        """
        return self.backward(params, cache, dy)[1]


def known(layer: Layer, size: int) -> int:
    """Return a size of a layer.

    Parameters
    ----------
    layer : Layer
    size : int
        Number of its input features, or `INFERRED`.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it is `INFERRED`: the layer is used by itself, or in a net that does not know the size of its input.
    """
    if size is INFERRED:
        raise ValueError(
            f"{short(layer)}: expected a number of input features, got none; give it, or that of the net as in "
            "Sequential(..., input_shape=3072)"
        )
    return size
