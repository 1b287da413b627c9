"""Output of one layer within a net."""

from collections.abc import Sequence

from anynet.core.pixels import to_pixels
from anynet.core.typing import Array, Arrays
from anynet.nn.container import Container
from anynet.nn.image_layer import Size
from anynet.nn.layer_names import by_layer
from anynet.nn.sequential import Sequential


def layer_output(net: Sequential, params: Array, state: Arrays, x: Array, name: str) -> tuple[Array, Size | None]:
    """Return the output of a layer in evaluation. No layer behind it is run.

    Parameters
    ----------
    net : Sequential
    params : array, shape (P,)
    state : dict of arrays
    x : array, shape (N, values)
        Input of the net.
    name : str
        Dotted name of a layer or of a container, as in ``net.summary()``.

    Returns
    -------
    y : array, shape (N, n_out), or (N * H * W, n_out) of pixels
    image : (int, int) or None
        Rows and columns H, W if the output is pixels.

    Raises
    ------
    ValueError
        If there is no such layer.

    Examples
    --------
    >>> import anynet as an, numpy as np
    >>> net = an.Sequential(an.Conv2d(4), an.ReLU(), an.GlobalPool(), an.Linear(2), input_shape=(3, 8, 6))
    >>> y, image = layer_output(net, *net.init(seed=0), np.ones((5, 144), np.float32), "1")
    >>> y.shape, image
    ((240, 4), (8, 6))
    """
    names = sorted([*net.named_layers(), *net.named_containers()], key=lambda name: [*map(int, name.split("."))])
    if name not in names:
        raise ValueError(f'layer: expected one of {", ".join(names)}, got "{name}"')
    x = x if net.image_shape is None else to_pixels(x, net.image_shape)
    return _output(net, net.layout.split(params), state, x, net.image, [*map(int, name.split("."))])


def _output(
    container: Container, params: Arrays, state: Arrays, x: Array, image: Size | None, places: Sequence[int]
) -> tuple[Array, Size | None]:
    place, *inner = places
    own, held = (by_layer(named, len(container)) for named in (params, state))
    chain = next(chain for chain in container._chains() if place in chain)
    for i, layer in chain.items():
        if i == place and inner:
            assert isinstance(layer, Container)
            return _output(layer, own[i], held[i], x, image, inner)
        more = {"rng": None} if layer.uses_rng else {}
        x, image = layer.forward(own[i], held[i], x, train=False, **more)[0], layer.image_out(image)
        if i == place:
            break
    return x, image
