"""Layers as text, for tables and messages."""

from collections.abc import Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

from anynet.core.settings_text import ShownSettings, text_of

SHOWN = 8
"""Number of layers of a list that are shown; of a longer one, the first and last ``SHOWN // 2``."""


def short(layer: ShownSettings) -> str:
    """Return a layer in one line, without default settings.

    Parameters
    ----------
    layer : Layer
        Any layer. The text of one that has a repr of its own is that.

    Returns
    -------
    str

    Examples
    --------
    >>> from anynet import BatchNorm, LeakyReLU, Linear
    >>> short(Linear(3072, 50)), short(BatchNorm(50)), short(LeakyReLU(0.2)), short(Linear(50))
    ('Linear(3072, 50)', 'BatchNorm(50)', 'LeakyReLU(slope=0.2)', 'Linear(n_out=50)')
    """
    if type(layer).__repr__ is not ShownSettings.__repr__ or type(layer)._text is not ShownSettings._text:
        return str(layer)
    settings, by_place = list[str](), True
    given: list[Field[Any]] = (
        [field for field in fields(layer) if field.init and field.repr] if is_dataclass(layer) else []
    )
    for field in given:
        value = text_of(getattr(layer, field.name))
        needed = field.default is MISSING and field.default_factory is MISSING
        left_out = field.default is None  # a size that follows from the input
        by_place = by_place and (needed or left_out) and not field.kw_only
        if needed or value != repr(field.default):
            settings.append(value if by_place else f"{field.name}={value}")
        else:
            by_place = False
    return f"{type(layer).__name__}({', '.join(settings)})"


def shortened_list(layers: Sequence[ShownSettings]) -> str:
    """Return layers in one line, of many the first and the last ones.

    Parameters
    ----------
    layers : sequence of Layer

    Returns
    -------
    str

    Examples
    --------
    >>> from anynet import ReLU
    >>> shortened_list([ReLU()] * 10)
    'ReLU(), ReLU(), ReLU(), ReLU(), ... 2 more ..., ReLU(), ReLU(), ReLU(), ReLU()'
    """
    texts, half = [short(layer) for layer in layers], SHOWN // 2
    if len(texts) > SHOWN:
        texts[half:-half] = [f"... {len(texts) - SHOWN} more ..."]
    return ", ".join(texts)
