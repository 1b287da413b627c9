"""The data of a training as users give them, made a data set."""

from dataclasses import replace
from math import prod
from typing import Any

from anynet.core.checks import describe
from anynet.data import Dataset, from_arrays
from anynet.nn import Sequential

Data = Dataset | tuple[Any, Any] | tuple[Any, Any, Any, Any]
"""A data set, ``(x, y)`` or ``(x, y, x_val, y_val)``."""


def dataset_of(data: object, val: float, net: object) -> Dataset:
    """Return a data set, made of arrays if it is none, which are images if they have the shape that the net says."""
    if isinstance(data, Dataset):
        if val:
            raise ValueError(f"val: expected 0 with a Dataset, which has its own validation samples or none, got {val}")
        return data
    if not isinstance(data, tuple) or len(data) not in (2, 4):
        many = f" of {len(data)}" if isinstance(data, tuple) else ""
        raise TypeError(f"data: expected a Dataset, (x, y) or (x, y, x_val, y_val), got {describe(data)}{many}")
    own = net.image_shape if isinstance(net, Sequential) else None
    said = own is not None and own == tuple(getattr(data[0], "shape", ())[1:])
    return from_arrays(*data, val=val, shape=own if own and said else ())


def as_images(data: Dataset, net: Sequential) -> Dataset:
    """Return a data set whose rows are images if the net knows their shape and they have as many values."""
    shape = net.image_shape if isinstance(net, Sequential) else None
    if shape is None:
        return data
    rows = {name: part for name, part in data.parts.items() if part.shape == (prod(shape),)}
    images: dict[str, Any] = {name: replace(part, shape=shape) for name, part in rows.items()}
    return replace(data, **images)
