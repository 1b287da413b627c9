"""Recipes: nets and settings of their training, the same for all libraries.

Imports no library, because the time of imports is measured.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from itertools import pairwise
from typing import Any

EVALUATIONS = 2
"""Evaluations per epoch."""

LACKING = {"sklearn": ("batch_norm", "dropout", "flip")}
"""Names of fields of `Recipe` that libraries do not have; they are left out for them."""

WORDS = {"batch_norm": "batch normalization", "dropout": "dropout", "flip": "flips"}


@dataclass(frozen=True)
class Recipe:
    """A fully connected net and the settings of its training.

    Linear layers with ReLU; parameters are initialized as is the library's default. The learning rate follows half a
    cosine wave from `lr` to 0. Each epoch leaves out the images of a last, incomplete batch.

    Attributes
    ----------
    hidden : tuple of int
        Widths of the hidden layers.
    optimizer : {"adam", "sgd"}
        SGD has a momentum of 0.9.
    lr : float
    batch_size : int
    epochs : int
    batch_norm : bool
        Batch normalization in each hidden layer, ahead of ReLU.
    dropout : float
        Probability of 0, after ReLU.
    flip : bool
        Mirror each image with probability 1/2.
    """

    hidden: tuple[int, ...]
    optimizer: str
    lr: float
    batch_size: int
    epochs: int
    batch_norm: bool = False
    dropout: float = 0.0
    flip: bool = False

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Recipe":
        """Return the recipe of JSON that ``asdict`` has made."""
        return cls(**values | {"hidden": tuple(values["hidden"])})

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON has them."""
        return asdict(self) | {"hidden": list(self.hidden)}

    def for_peer(self, peer: str) -> "Recipe":
        """Return the recipe without what the library lacks."""
        lacking: dict[str, Any] = {
            field.name: field.default for field in fields(self) if field.name in LACKING.get(peer, ())
        }
        return replace(self, **lacking)

    def steps(self, images: int) -> int:
        """Return the number of steps of an epoch."""
        return images // self.batch_size

    def parts(self, images: int) -> Iterator[tuple[int, int]]:
        """Yield the first and the last but one step of the parts of an epoch, each followed by an evaluation."""
        steps = self.steps(images)
        bounds = [steps * i // EVALUATIONS for i in range(EVALUATIONS + 1)]
        yield from pairwise(bounds)

    def __str__(self) -> str:
        parts = [
            "-".join(map(str, self.hidden)),
            *([WORDS["batch_norm"]] if self.batch_norm else []),
            *([f"{WORDS['dropout']} {self.dropout:g}"] if self.dropout else []),
            *([WORDS["flip"]] if self.flip else []),
            f"{self.optimizer.upper() if self.optimizer == 'sgd' else self.optimizer.capitalize()} {self.lr:g}",
            f"batches of {self.batch_size}",
            f"{self.epochs} epoch{'s' if self.epochs > 1 else ''}",
        ]
        return ", ".join(parts)


RECIPES = (
    Recipe((128,), "adam", 0.002, 128, 1, batch_norm=True),
    Recipe((256,), "adam", 0.001, 128, 2),
    Recipe((256,), "sgd", 0.1, 128, 2, batch_norm=True),
    Recipe((512,), "sgd", 0.1, 128, 3, batch_norm=True),
    Recipe((512, 256), "adam", 0.0005, 128, 5),
    Recipe((512, 256), "sgd", 0.1, 128, 4, batch_norm=True),
    Recipe((512, 256), "sgd", 0.1, 128, 8, batch_norm=True, flip=True),
    Recipe((1024, 512), "sgd", 0.1, 128, 15, batch_norm=True, dropout=0.15, flip=True),
    Recipe((1024, 512), "sgd", 0.1, 128, 24, batch_norm=True, dropout=0.15, flip=True),
)
"""The grid that every library searches. Nets without batch normalization are there for libraries that lack it."""
