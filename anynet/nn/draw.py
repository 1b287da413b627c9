"""Initial parameters and state: numbers drawn on the host, then moved to the device."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from anynet.core.seeding import Purpose, generator
from anynet.core.typing import A, Array
from anynet.nn.layer import Parameter
from anynet.nn.layout import Layout

Host = NDArray[np.float64]
"""Array on the host, as initializers return it."""


def draw_vector(
    layout: Layout, parameters: Mapping[str, Parameter], state: Mapping[str, Parameter], seed: Any
) -> tuple[Host, dict[str, Host]]:
    """Draw the initial parameter vector and state of a net.

    Parameters
    ----------
    layout : Layout
        Places of the parameters in the vector.
    parameters, state : mapping of str to Parameter
    seed : int or iterable of int
        One seed, or K, which make K members.

    Returns
    -------
    vector : ndarray of float64, shape (P,) or (K, P)
    state : dict of ndarrays of float64, each of shape (*shape) or (K, *shape)

    Raises
    ------
    ValueError
        If there is no seed or one is out of range.
    """
    several = isinstance(seed, Iterable) and getattr(seed, "ndim", None) != 0  # an array without axes is a number
    seeds = list(seed) if several else [seed]
    if not seeds:
        raise ValueError("seed: expected a number, or one for each member, got none")
    hosts = draw({**parameters, **state}, seeds)
    vector: Host = layout.join(hosts, like=np.zeros((len(seeds), layout.size)))
    drawn = {name: hosts[name] for name in state}
    return (vector, drawn) if several else (vector[0], {name: host[0] for name, host in drawn.items()})


def draw(parameters: Mapping[str, Parameter], seeds: Sequence[int]) -> dict[str, Host]:
    """Draw initial numbers, each parameter from a separate stream of its seed.

    A parameter that is appended changes none of the others.

    Parameters
    ----------
    parameters : mapping of str to Parameter
        Parameters, or arrays of the state, by name.
    seeds : sequence of int
        Seeds of the K members, 0 to 2^64 - 1.

    Returns
    -------
    dict of ndarrays of float64, each of shape (K, *shape)

    Raises
    ------
    ValueError
        If a seed is out of range.
    """
    return {
        name: np.stack([p.init(generator(seed, Purpose.INIT, i), p.shape) for seed in seeds])
        for i, (name, p) in enumerate(parameters.items())
    }


def place(host: Host, like: A) -> A:
    """Return numbers as an array of the library, dtype and device of another.

    Parameters
    ----------
    host : ndarray of float64
        Numbers.
    like : array of float32 or float64
        Array of the library.

    Returns
    -------
    array, shape of `host`

    Raises
    ------
    TypeError
        If the dtype of `like` is not float32 or float64.
    """
    # NumPy casts, because some devices do not support float64.
    return array_namespace(like).asarray(host.astype(dtype_name(like)), device=device(like))


def dtype_name(like: Array) -> str:
    """Return the name of an array's dtype, as in NumPy.

    Parameters
    ----------
    like : array of float32 or float64
        Array of any library.

    Returns
    -------
    str
        "float32" or "float64".

    Raises
    ------
    TypeError
        If the dtype is another.
    """
    name = str(like.dtype).split(".")[-1]
    if name not in ("float32", "float64"):
        raise TypeError(f"like: expected an array of float32 or float64, the dtype of the parameters, got {name}")
    return name
