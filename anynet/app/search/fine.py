"""The second stage of a search: the same settings, in ranges around the best points of the first stage."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from anynet.app.config import Config
from anynet.app.space import Grid, Range, Space


class Fine(NamedTuple):
    """Second stage of a search.

    Attributes
    ----------
    trials : int
        Number of random points.
    best : int
        Number of best trials of the first stage that the new ranges span.
    margin : float
        Extension of the new ranges on both sides, as a fraction of the first stage's range, or of its logarithm: 0.1
        of 1e-5..1e-1 is a factor of 10^0.4.
    base : Config, optional
        Settings that are not searched, for instance with more epochs or images. Default: those of the first stage.
    """

    trials: int
    best: int = 3
    margin: float = 0.1
    base: Config | None = None

    def check(self, space: Space) -> None:
        """Raise ValueError if a number is out of range or the space has no range to narrow."""
        if self.trials < 1 or self.best < 1:
            raise ValueError(f"fine: expected trials and best of 1 or more, got {self.trials} and {self.best}")
        if not 0 < self.margin < math.inf:
            raise ValueError(f"fine: expected a margin above 0, got {self.margin}")
        if not any(isinstance(part, Range) for part in space.values()):
            raise ValueError("fine: expected a range to narrow, as in lr=0.001..0.1, got grids alone")


def narrow(space: Space, best: Sequence[Mapping[str, Any]], margin: float) -> dict[str, Grid | Range]:
    """Return the space around the best points.

    Parameters
    ----------
    space : mapping from str to Grid or Range
        Space of the first stage.
    best : sequence of mapping
        Best points of the first stage.
    margin : float
        Extension of the ranges on both sides; see `Fine`.

    Returns
    -------
    dict from str to Grid or Range
        Ranges from the smallest to the largest of the best points, extended, but within the first stage's ranges.
        Grids of the values that the best points have.
    """
    narrowed: dict[str, Grid | Range] = {}
    for name, part in space.items():
        tried = [point[name] for point in best]
        if isinstance(part, Grid):
            narrowed[name] = Grid(tuple(value for value in part.values if value in tried))
            continue
        ends = [part.fraction(min(tried)) - margin, part.fraction(max(tried)) + margin]
        low, high = part.interpolate(np.clip(ends, 0, 1)).tolist()
        narrowed[name] = Range(low, high, part.log)
    return narrowed
