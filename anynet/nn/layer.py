"""Base class of layers: sizes and settings, a function, and its derivative beside it."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, NamedTuple

from anynet.core.typing import Array, Arrays
from anynet.nn.initializers import Initializer


class Parameter(NamedTuple):
    """Shape and start of a parameter or of an array of the state.

    Parameters
    ----------
    shape : tuple of int
        Shape for one member.
    init : callable
        Called as ``init(rng, shape)``; see ``anynet.nn.initializers``.
    is_weight : bool
        Whether the L2 penalty includes it.
    """

    shape: tuple[int, ...]
    init: Initializer
    is_weight: bool = False


class Layer:
    """Base class of all layers, and the whole interface of a new one.

    A layer is a frozen dataclass: nothing is stored on it between calls. Samples are on axis -2 and features on
    axis -1. Leading axes are *members*, nets that are trained side by side: parameters of shape (K, ...) belong to K
    nets, and an input without the K is shared by all of them.

    A layer that needs random numbers declares ``rng=None`` in its ``forward``: ``forward(params, state, x, *, train,
    rng=None)``. In training it is given an int32 array of shape (..., 2), another one for each layer and step, from
    which ``anynet.random.uniform(rng, shape, dtype)`` makes numbers.
    """

    def features(self) -> tuple[int | None, int | None]:
        """Return the number of features that the layer takes and gives.

        Returns
        -------
        n_in : int or None
            None means any number.
        n_out : int or None
            None means as many as the layer is given.
        """
        return None, None

    def parameters(self) -> dict[str, Parameter]:
        """Return the trained arrays by name; none by default."""
        return {}

    def state(self) -> dict[str, Parameter]:
        """Return the arrays that training updates without gradients, such as running means; none by default."""
        return {}

    def multiply_adds(self) -> int:
        """Return the number of multiplications with additions that ``forward`` takes per sample.

        Functions of single values do not count, so the default is 0.
        """
        return 0

    @property
    def uses_rng(self) -> bool:
        """Whether ``forward`` takes ``rng``."""
        return _takes_rng(type(self).forward)

    def forward(self, params: Arrays, state: Arrays, x: Array, *, train: bool) -> tuple[Array, Any, Arrays]:
        """Return the layer's function of `x`.

        Parameters
        ----------
        params, state : dict of arrays, each of shape (..., *shape)
        x : array, shape (..., N, n_in)
        train : bool
            Whether the layer is being trained, for layers that behave differently then.

        Returns
        -------
        y : array, shape (..., N, n_out)
        cache : object
            Whatever ``backward`` needs.
        state : dict of arrays
            The new state.
        """
        raise NotImplementedError

    def backward(self, params: Arrays, cache: Any, dy: Array) -> tuple[Array, Arrays]:
        """Return the gradients by the input and by the parameters.

        Parameters
        ----------
        params : dict of arrays, each of shape (..., *shape)
        cache : object
            As from ``forward``.
        dy : array, shape (..., N, n_out)
            Gradient of the cost by the output.

        Returns
        -------
        dx : array, shape (..., N, n_in)
        grads : dict of arrays
            Named and shaped like `params`.
        """
        raise NotImplementedError

    def parameter_gradients(self, params: Arrays, cache: Any, dy: Array) -> Arrays:
        """Return the gradients by the parameters alone, as the first layer of a net needs no others."""
        return self.backward(params, cache, dy)[1]


def short(layer: Layer) -> str:
    """Return a layer's repr without what is as by default.

    Examples
    --------
    >>> from anynet import BatchNorm, LeakyReLU, Linear
    >>> short(Linear(3072, 50)), short(BatchNorm(50)), short(LeakyReLU(0.2))
    ('Linear(3072, 50)', 'BatchNorm(50)', 'LeakyReLU(slope=0.2)')
    """
    if not is_dataclass(layer) or not layer.__dataclass_params__.repr:
        return repr(layer)
    said = []
    for field in (field for field in fields(layer) if field.init and field.repr):
        value = repr(getattr(layer, field.name))
        needed = field.default is MISSING and field.default_factory is MISSING
        if needed or value != repr(field.default):
            said.append(value if needed and not field.kw_only else f"{field.name}={value}")
    return f"{type(layer).__name__}({', '.join(said)})"


@cache
def _takes_rng(forward: Callable[..., Any]) -> bool:
    return "rng" in inspect.signature(forward).parameters
