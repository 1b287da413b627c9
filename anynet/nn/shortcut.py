"""The way of a residual connection around its layers."""

from dataclasses import dataclass

from anynet.nn.layer_text import short
from anynet.nn.sequential import Sequential


@dataclass(frozen=True, init=False, repr=False, eq=False)  # which are those of Container
class Shortcut(Sequential):
    """Last layer of a `Residual`: layers that its input goes through before it is added. It is shown as the argument.

    Parameters
    ----------
    *layers : Layer
        At least one.
    """

    has_row = True

    def _text(self) -> str:
        inner = self.layers[0] if len(self.layers) == 1 else Sequential(*self.layers)
        return f"shortcut={short(inner)}"
