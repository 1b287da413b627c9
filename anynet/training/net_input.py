"""Samples of a batch as a net takes them, and their usual normalization."""

from anynet.core.pixels import rows_to_pixels
from anynet.core.typing import Array
from anynet.data.normalization import AUTO
from anynet.nn import Flatten, Sequential
from anynet.nn.flatten_images import FlattenImages


def net_input(net: Sequential, x: Array) -> Array:
    """Return the samples of a batch as a net takes them.

    Parameters
    ----------
    net : Sequential
    x : array, shape (..., N, values)
        Normalized samples; of images with the channels last.

    Returns
    -------
    array, shape (..., N, values), or (..., N * H * W, C) of images
    """
    return x if net.image_shape is None else rows_to_pixels(x, net.image_shape)


def resolve_normalization(kind: str, net: Sequential) -> str:
    """Return the kind of normalization that a setting stands for.

    Parameters
    ----------
    kind : str
        Setting of a training.
    net : Sequential

    Returns
    -------
    str
        For "auto" that of channels for nets of images, since objects may be anywhere in them; if `Flatten` comes first,
        as for all other nets, that of values.
    """
    if kind != AUTO:
        return kind
    flat = isinstance(next(iter(net.named_layers().values())), Flatten | FlattenImages)
    return "standardize:channel" if net.takes_images and not flat else "standardize"
