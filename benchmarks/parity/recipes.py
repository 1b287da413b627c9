"""Recipes: presets of anynet that are written in PyTorch, too."""

from typing import Any, NamedTuple

from anynet.app.reports import preset

DEFAULTS = {"airbench94": (0.5, 4), "resnet9": (1.0, 10)}
"""Width and epochs of each recipe, unless other ones are chosen."""


class Recipe(NamedTuple):
    """A preset with another width and number of epochs.

    Attributes
    ----------
    name : str
    width : float
        Factor of the numbers of channels.
    epochs : int
    """

    name: str
    width: float
    epochs: int

    @classmethod
    def of(cls, name: str, width: float | None = None, epochs: int | None = None) -> "Recipe":
        """Return a recipe, with its defaults for what is None."""
        own_width, own_epochs = DEFAULTS[name]
        return cls(name, width or own_width, epochs or own_epochs)

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of the preset, with these epochs."""
        return preset(self.name)[0] | {"epochs": self.epochs}

    def __str__(self) -> str:
        return f"{self.name}, width {self.width:g}, {self.epochs} epoch{'s' if self.epochs > 1 else ''}"
