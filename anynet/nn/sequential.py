"""Nets whose layers run one after another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Self, overload

import numpy as np
from numpy.typing import NDArray

from anynet.core.checks import store
from anynet.core.typing import A, Array
from anynet.nn.chain import Chain
from anynet.nn.draw import draw_vector, place
from anynet.nn.layer import Layer
from anynet.nn.sizes import sample_shape


@dataclass(frozen=True, init=False, repr=False, eq=False)  # which are those of Container
class Sequential(Chain):
    """Net whose layers run one after another, with its parameters in one vector.

    A ``Sequential`` is a value: two are equal if their layers are. It has a length, can be indexed and iterated over, a
    slice is a ``Sequential`` too, and it can be a layer of another. Parameters and state are named after the layer's
    place: "0.W", "1.gamma", "2.0.W".

    Parameters
    ----------
    *layers : Layer
        At least one.
    input_shape : int or tuple of int, optional
        Number of input features, or the shape of a sample that they are the values of, such as (3, 32, 32). Layers then
        need no sizes that follow from their inputs: ``Linear(100)``, ``BatchNorm()``. The net is equal to one that was
        written with all sizes.

    Raises
    ------
    TypeError
        If an argument is not a layer.
    ValueError
        If there is no layer, or the sizes of two neighbors, or `input_shape`, do not match.

    Examples
    --------
    >>> import anynet as an
    >>> net = Sequential(an.Linear(3072, 50), an.BatchNorm(50), an.ReLU(), an.Linear(50, 10))
    >>> net[:3]
    Sequential(Linear(3072, 50), BatchNorm(50), ReLU())
    >>> layers = an.Linear(50), an.BatchNorm(), an.ReLU(), an.Linear(10)
    >>> net == Sequential(*layers, input_shape=(3, 32, 32))
    True
    >>> params, state = net.init(seed=42)
    >>> params.shape, params.dtype, list(state)
    ((154320,), dtype('float32'), ['1.mean', '1.var'])
    >>> net(params, state, np.ones((5, 3072), np.float32)).shape
    (5, 10)
    >>> print(net.summary())
    layer                output     parameters  multiply-adds
    0  Linear(3072, 50)  (N, 50)       153,650        153,600
    1  BatchNorm(50)     (N, 50)           100             50
    2  ReLU()            (N, 50)             0              0
    3  Linear(50, 10)    (N, 10)           510            500
    total                              154,260        154,150
    """

    has_row = False

    def __init__(self, *layers: Layer, input_shape: int | tuple[int, ...] | None = None) -> None:
        super().__init__(*layers)
        if input_shape is not None:
            shape = sample_shape("input_shape", input_shape)
            store(self, "layers", self.with_samples(shape).layers)
            if self.n_in not in (None, prod(shape)):
                raise ValueError(f"input_shape: {input_shape} has {prod(shape)} values, but {self} takes {self.n_in}")

    def with_samples(self, shape: tuple[int, ...]) -> Self:
        """Return the net with the sizes of its layers for samples of a shape.

        Parameters
        ----------
        shape : tuple of int
            Such as (3072,) or, for a net of images, (channels, rows, columns).

        Returns
        -------
        Sequential

        Raises
        ------
        ValueError
            If layers take images and the shape is none of one, or that of another image than they take.
        """
        if not self.takes_images:
            return self.with_input(prod(shape))
        if len(shape) == 3:
            channels, rows, columns = shape
            net = self.with_image(rows, columns).with_input(channels)
            if net.image_shape not in (None, shape):
                raise ValueError(f"{self}: expected images of shape {net.image_shape}, as its layers take, got {shape}")
            return net
        if shape == (self.n_in,):
            return self
        if self.image_shape is not None:
            raise ValueError(
                f"{self}: expected images of shape {self.image_shape}, or their {self.n_in} values, got {shape}"
            )
        way = "if they are the values of images, give the net their shape, such as Sequential(..., input_shape="
        way = "gray images have one channel: Sequential(..., input_shape=" if len(shape) == 2 else way
        like = (1, *shape) if len(shape) == 2 else (3, 32, 32)
        raise ValueError(f"{self}: expected samples of shape (channels, rows, columns), got {shape}; {way}{like})")

    def __call__(self, params: Array | Mapping[str, Array], state: Mapping[str, Array], x: Array) -> Array:
        """Evaluate the net: return the output of ``forward`` with ``train=False``."""
        return self.forward(params, state, x, train=False)[0]

    @overload
    def init(
        self, seed: int | Iterable[int], like: None = None
    ) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]: ...
    @overload
    def init(self, seed: int | Iterable[int], like: A) -> tuple[A, dict[str, A]]: ...
    def init(self, seed: int | Iterable[int], like: Any = None) -> tuple[Any, dict[str, Any]]:
        """Draw initial parameters and state.

        The same seed gives the same numbers, rounded to the dtype, with every array library.

        Parameters
        ----------
        seed : int or iterable of int
            0 to 2^64 - 1. K seeds make K members; an array without axes is one seed.
        like : array of float32 or float64, optional
            Array whose library, dtype and device the result has. Default: NumPy's float32.

        Returns
        -------
        params : array, shape (P,) or (K, P)
            Parameter vector; ``layout`` has the places of the parameters in it.
        state : dict of arrays, each of shape (*shape) or (K, *shape)
            State by name.

        Raises
        ------
        TypeError
            If `like` is not an array of float32 or float64.
        ValueError
            If there is no seed or one is out of range.
        """
        like = np.zeros(1, np.float32) if like is None else like
        vector, state = draw_vector(self.layout, self._parameters, self._state, seed)
        return place(vector, like), {name: place(host, like) for name, host in state.items()}
