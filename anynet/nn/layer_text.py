"""Layers as text, for tables and messages."""

from dataclasses import MISSING, fields, is_dataclass
from typing import Any


def short(layer: object) -> str:
    """Return a layer's repr without default settings.

    Parameters
    ----------
    layer : Layer
        Any layer. The text of one that is no dataclass is its own repr, or else its class.

    Returns
    -------
    str

    Examples
    --------
    >>> from anynet import BatchNorm, LeakyReLU, Linear
    >>> short(Linear(3072, 50)), short(BatchNorm(50)), short(LeakyReLU(0.2)), short(Linear(50))
    ('Linear(3072, 50)', 'BatchNorm(50)', 'LeakyReLU(slope=0.2)', 'Linear(n_out=50)')
    """
    if type(layer).__repr__ is object.__repr__:
        return f"{type(layer).__name__}()"  # Python's own has the address, another one in each process
    made: Any = getattr(layer, "__dataclass_params__", None)
    if not is_dataclass(layer) or not made.repr:
        return repr(layer)
    settings, by_place = [], True
    for field in (field for field in fields(layer) if field.init and field.repr):
        value = repr(getattr(layer, field.name))
        needed = field.default is MISSING and field.default_factory is MISSING
        left_out = field.default is None  # a size that follows from the input
        by_place = by_place and (needed or left_out) and not field.kw_only
        if needed or value != repr(field.default):
            settings.append(value if by_place else f"{field.name}={value}")
        else:
            by_place = False
    return f"{type(layer).__name__}({', '.join(settings)})"
