"""Validation of the arrays that a net is called with."""

from collections.abc import Callable, Mapping
from math import prod

from anynet.core.array_checks import check_same_device, check_same_dtype
from anynet.core.pixels import form_of
from anynet.core.random import check_rng
from anynet.core.typing import Array
from anynet.nn.container import Container
from anynet.nn.layer import Parameter
from anynet.nn.layer_text import short

Members = tuple[int, ...]
"""Sizes of the members' axes."""


def check_vector(net: Container, params: Array, state: Mapping[str, Array], x: Array) -> Members:
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

    Returns
    -------
    tuple of int
        Sizes of the members' axes.

    Raises
    ------
    TypeError
        If libraries or dtypes differ.
    ValueError
        If devices differ or shapes do not match.
    """
    check_same_device(params=params, x=x)
    size, members = net.layout.size, tuple(params.shape[:-1])
    if params.shape[-1:] != (size,):
        raise ValueError(f"params: expected shape (..., {size}) for {net}, got {tuple(params.shape)}")
    ahead = _check_samples(_first, net, x)
    if x.dtype != params.dtype:
        raise TypeError(
            f"{_first(net)}: expected x of its parameters' dtype, {params.dtype}, got {x.dtype}; cast one of them"
        )
    if ahead not in ((), members):
        raise ValueError(
            f"{_first(net)}: x of shape {tuple(x.shape)} is neither shared by the members of params, of shape "
            f"{tuple(params.shape)}, nor one for each of them"
        )
    _check_names(net, "state", net.state(), state)
    check_same_dtype(params=params, **_labeled("state", state))
    _check_shapes("state", net.state(), state, members)
    return members


def check_named(net: Container, params: Mapping[str, Array], state: Mapping[str, Array], x: Array) -> Members | None:
    """Check the arguments of ``forward``, with the parameters by name, as an outer net gives them.

    Parameters
    ----------
    net : Container
        Net that is to run.
    params, state : mapping of arrays, each of shape (..., *shape)
        Parameters and state of each member by name.
    x : array, shape (N, n_in) or (..., N, n_in)
        Input.

    Returns
    -------
    tuple of int or None
        Sizes of the members' axes; None if the net has neither parameters nor state.

    Raises
    ------
    TypeError
        If libraries or dtypes differ.
    ValueError
        If devices differ, or names or shapes do not match.
    """
    _check_names(net, "params", net.parameters(), params)
    _check_names(net, "state", net.state(), state)
    check_same_dtype(**_labeled("params", params), **_labeled("state", state), x=x)
    members = _check_shapes("params", net.parameters(), params)
    members = _check_shapes("state", net.state(), state, members)
    ahead = _check_samples(str, net, x)
    if members is not None and ahead not in ((), members):
        raise ValueError(
            f"{net}: x of shape {tuple(x.shape)} is neither shared by the members of params, of shape {members}, "
            f"nor one for each of them"
        )
    return members


def check_key(net: Container, rng: Array | None, members: Members | None, x: Array, *, train: bool) -> None:
    """Check the rng that a net of layers with random numbers is given.

    Parameters
    ----------
    net : Container
        Net that is to run.
    rng : array of int32, shape (..., 2), or None
        Key of each member.
    members : tuple of int or None
        Sizes of the members' axes, if known.
    x : array, shape (N, n_in) or (..., N, n_in)
        Input.
    train : bool

    Raises
    ------
    TypeError
        If `rng` is not an array of int32 of shape (..., 2) and the library of `x`.
    ValueError
        If it is missing in training, its members are not those of the net, or devices differ.
    """
    if rng is None:
        if train:
            name, layer = next(each for each in net.named_layers().items() if each[1].uses_rng)
            raise ValueError(
                f"layer {name}, {short(layer)}: needs random numbers in training; give forward an rng, "
                "such as anynet.random.at_step(anynet.random.key(seed), step)"
            )
        return
    check_rng(rng)
    check_same_device(x=x, rng=rng)
    if members is None:  # those of x, or any if they share x
        members = tuple(_ahead(net, x) or rng.shape[:-1])
    if rng.shape[:-1] != members:
        raise ValueError(f"rng: expected shape {(*members, 2)}, a key for each member, got {tuple(rng.shape)}")


def check_gradient(net: Container, params: Array | Mapping[str, Array], dy: Array) -> None:
    """Check the arguments of ``backward``.

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
        If libraries or dtypes differ.
    ValueError
        If devices differ, or names or shapes do not match.
    """
    members: Members | None
    if isinstance(params, Mapping):
        _check_names(net, "params", net.parameters(), params)
        check_same_dtype(**_labeled("params", params), dy=dy)
        members = _check_shapes("params", net.parameters(), params)
    else:
        check_same_dtype(params=params, dy=dy)
        members = tuple(params.shape[:-1]) if net.layout.size else None  # without parameters, members may share dy
    if dy.ndim < 2 or net.n_out not in (None, dy.shape[-1]) or members not in (None, dy.shape[:-2]):
        raise ValueError(f"dy: expected shape {_shape(members, net.n_out)}, like the output, got {tuple(dy.shape)}")


def _ahead(net: Container, x: Array) -> Members:
    """Return the sizes of the axes ahead of the samples."""
    return tuple(x.shape[: -1 - net.sample_axes(x)])


def _check_samples(name: Callable[[Container], str], net: Container, x: Array) -> Members:
    """Check the axes of x that are not members', and return the sizes of those that are."""
    if net.image_shape is not None:
        if form_of(x, net.image_shape) is None:
            raise ValueError(
                f"{name(net)}: expected x of shape {_shape(None, net.n_in)}, (..., N, "
                f"{', '.join(map(str, net.image_shape))}) or pixels, got {tuple(x.shape)}"
            )
    elif net.image is not None and (x.ndim < 2 or x.shape[-2] % prod(net.image)):
        raise ValueError(f"{name(net)}: expected pixels of shape (..., N * {prod(net.image)}, n), got {tuple(x.shape)}")
    elif x.ndim < 2 or net.n_in not in (None, prod(x.shape[-net.sample_axes(x) :])):
        raise ValueError(f"{name(net)}: expected x of shape {_shape(None, net.n_in)}, got {tuple(x.shape)}")
    return _ahead(net, x)


def _check_names(net: Container, kind: str, expected: Mapping[str, Parameter], found: Mapping[str, Array]) -> None:
    if not isinstance(found, Mapping):
        raise TypeError(f"{kind}: expected a dict of arrays named {[*expected]} for {net}, got {type(found).__name__}")
    if expected.keys() != found.keys():
        raise ValueError(f"{kind}: expected arrays named {[*expected]} for {net}, got {[*found]}")


def _check_shapes(
    kind: str, expected: Mapping[str, Parameter], found: Mapping[str, Array], members: Members | None = None
) -> Members | None:
    """Check that all arrays have these members, or those of the first; return the members."""
    for name, (shape, *_) in expected.items():
        own = tuple(found[name].shape)
        if members is None:
            members = own[: max(len(own) - len(shape), 0)]
        if own != (*members, *shape):
            raise ValueError(f"{kind} {name}: expected shape {(*members, *shape)}, got {own}")
    return members


def _labeled(kind: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {f"{kind} {name}": array for name, array in arrays.items()}


def _shape(members: Members | None, features: int | None) -> str:
    """Return the text of the shape of an input or output."""
    axes = ["..."] if members is None else map(str, members)
    return f"({', '.join([*axes, 'N', 'n' if features is None else str(features)])})"


def _first(net: Container) -> str:
    name, layer = next(iter(net.named_layers().items()))
    return f"layer {name}, {layer}"
