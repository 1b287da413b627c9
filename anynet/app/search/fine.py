"""From a coarse search to a fine one: the same fields, in ranges around the best of what was tried."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from anynet.app.config import Config
from anynet.app.search.space import Grid, Range, Space


class Fine(NamedTuple):
    """A second stage, around the best trials of the first.

    trials: how many points to draw.
    best: how many trials of the first stage span the new ranges.
    margin: by how much the new ranges reach beyond them on each side, as a fraction of the first stage's range; for a
        logarithmic one, of its logarithm: a tenth of 1e-5..1e-1 is a factor of 10^0.4.
    base: other settings of all that is not searched, more epochs or more images perhaps. By default the same.
    """

    trials: int
    best: int = 3
    margin: float = 0.1
    base: Config | None = None

    def check(self, space: Space) -> None:
        """Raises ValueError for numbers out of range, and for a space with nothing to narrow."""
        if self.trials < 1 or self.best < 1:
            raise ValueError(f"fine: expected 1 trial or more, around 1 or more, got {self.trials} around {self.best}")
        if not 0 < self.margin < math.inf:
            raise ValueError(f"fine: expected a margin above 0, got {self.margin}")
        if not any(isinstance(part, Range) for part in space.values()):
            raise ValueError("fine: expected a range to narrow, as in lr=0.001..0.1; all fields are grids")


def narrow(space: Space, best: Sequence[Mapping[str, Any]], margin: float) -> dict[str, Grid | Range]:
    """Ranges from the smallest to the largest of the best points, widened on both sides, never beyond the old ones;
    grids of the values that the best points have."""
    narrowed: dict[str, Grid | Range] = {}
    for name, part in space.items():
        tried = [point[name] for point in best]
        if isinstance(part, Grid):
            narrowed[name] = Grid(tuple(value for value in part.values if value in tried))
            continue
        ends = [part.fraction(min(tried)) - margin, part.fraction(max(tried)) + margin]
        low, high = part.at(np.clip(ends, 0, 1)).tolist()
        narrowed[name] = Range(low, high, part.log)
    return narrowed
