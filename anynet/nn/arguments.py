"""Validation of the arrays that a net is called with."""

from collections.abc import Mapping

from anynet.core.checks import check_same_device, check_same_dtype
from anynet.core.typing import Array
from anynet.nn.container import Container


def check_vector(net: Container, params: Array, state: Mapping[str, Array], x: Array) -> None:
    """Check the arguments of ``forward``, with the parameters as a vector.

    Parameters
    ----------
    net : Container
        Net that is to run.
    params : array, shape (..., P)
        Parameter vector of each member.
    state : mapping of arrays, each of shape (..., *shape)
        State of each member.
    x : array, shape (N, n_in) or (..., N, n_in)
        Input.

    Raises
    ------
    TypeError
        If libraries or dtypes differ.
    ValueError
        If devices differ or shapes do not match.
    """
    check_same_device(params=params, x=x)
    size = net.layout.size
    if params.shape[-1:] != (size,):
        raise ValueError(f"params: expected shape (..., {size}) for {net}, got {tuple(params.shape)}")
    if x.ndim < 2 or net.n_in not in (None, x.shape[-1]):
        raise ValueError(f"{_first(net)}: expected x of shape (..., N, {net.n_in}), got {tuple(x.shape)}")
    if x.dtype != params.dtype:
        raise TypeError(
            f"{_first(net)}: expected x of its parameters' dtype, {params.dtype}, got {x.dtype}; cast one of them"
        )
    if x.shape[:-2] not in ((), params.shape[:-1]):
        raise ValueError(
            f"{_first(net)}: x of shape {tuple(x.shape)} is neither shared by the members of params, of shape "
            f"{tuple(params.shape)}, nor one for each of them"
        )
    expected = {name: (*params.shape[:-1], *p.shape) for name, p in net.state().items()}
    found = {name: tuple(array.shape) for name, array in state.items()}
    if found != expected:
        raise ValueError(f"state: expected arrays of shapes {expected}, as from init, got {found}")
    check_same_dtype(params=params, **{f"state {name}": array for name, array in state.items()})


def check_named(net: Container, params: Mapping[str, Array], state: Mapping[str, Array], x: Array) -> None:
    """Check the arguments of ``forward``, with the parameters by name, as an outer net gives them.

    Parameters
    ----------
    net : Container
        Net that is to run.
    params, state : mapping of arrays
        Parameters and state of each member by name.
    x : array, shape (..., N, n_in)
        Input.

    Raises
    ------
    ValueError
        If names or the shape of `x` do not match.
    """
    for kind, expected, found in (("params", net.parameters(), params), ("state", net.state(), state)):
        if expected.keys() != found.keys():
            raise ValueError(f"{kind}: expected arrays named {[*expected]} for {net}, got {[*found]}")
    if x.ndim < 2 or net.n_in not in (None, x.shape[-1]):
        raise ValueError(f"{net}: expected x of shape (..., N, {net.n_in}), got {tuple(x.shape)}")


def check_gradient(net: Container, params: Array | Mapping[str, Array], dy: Array) -> None:
    """Check the gradient that ``backward`` is given.

    Parameters
    ----------
    net : Container
        Net that is to run backward.
    params : array or mapping of arrays
        As given to ``forward``.
    dy : array, shape (..., N, n_out)
        Gradient of the cost with respect to the output.

    Raises
    ------
    TypeError
        If the dtype or the library is not that of a vector of parameters.
    ValueError
        If the number of features is not that of the output.
    """
    if not isinstance(params, Mapping):
        check_same_dtype(params=params, dy=dy)
    if net.n_out not in (None, dy.shape[-1]):
        raise ValueError(f"dy: expected shape (..., N, {net.n_out}), like the output, got {tuple(dy.shape)}")


def _first(net: Container) -> str:
    name, layer = next(iter(net.named_layers().items()))
    return f"layer {name}, {layer}"
