"""The way of a residual connection around its layers."""

from dataclasses import dataclass

from anynet.nn.sequential import Sequential


@dataclass(frozen=True, init=False, repr=False, eq=False)  # which are those of Container
class Shortcut(Sequential):
    """Last layer of a `Residual`: layers that its input goes through before it is added.

    Parameters
    ----------
    *layers : Layer
        At least one.
    """

    has_row = True
