"""What is searched: for each field of ``Config`` a list of values, or a range to draw from."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.app.config import Config, config_of
from anynet.core.checks import nearest
from anynet.core.seeding import Purpose, generator


@dataclass(frozen=True)
class Grid:
    """Values to try, each of them."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Range:
    """Numbers to draw from, evenly over their logarithm or, with log=False, evenly. Both ends are within."""

    low: float
    high: float
    log: bool = True

    def at(self, u: NDArray[np.floating]) -> NDArray:
        """The numbers at fractions u of the way from low to high, shape (n,) as u.

        Where the ends are whole numbers, so are these, and each has the width of one from half below to half above.
        """
        low, high = self._ends()
        x = np.exp(math.log(low) + u * math.log(high / low)) if self.log else low + u * (high - low)
        return np.clip(np.rint(x).astype(int) if isinstance(self.low, int) else x, self.low, self.high)

    def fraction(self, x: float) -> float:
        """How far on the way from low to high a number lies; 0 to 1."""
        low, high = self._ends()
        return math.log(x / low) / math.log(high / low) if self.log else (x - low) / (high - low)

    def _ends(self) -> tuple[float, float]:
        return (self.low - 0.5, self.high + 0.5) if isinstance(self.low, int) else (self.low, self.high)


Space = Mapping[str, Grid | Range]
Point = dict[str, Any]


def checked(space: Space) -> dict[str, Grid | Range]:
    """The space with its values in the types of their fields, by name, so that the order of typing does not matter.

    Raises TypeError or ValueError that names the field for one that is not there or cannot be searched, for values it
    does not take, and for a range that is empty or has no logarithm.
    """
    if not space:
        raise ValueError("space: expected a field to search at least, as in lr=0.001..0.1")
    return {name: _checked(name, space[name]) for name in sorted(space)}


def points(space: Space, trials: int | None, seed: int, stage: int) -> list[Point]:
    """All points of grids; where there is a range, as many random ones as wanted.

    space: as from ``checked``. trials: how many to draw. stage: which draws of the seed, so that each stage has its
        own.

    Raises ValueError where the number is missing, not needed, or below 1.
    """
    grids = {name: part.values for name, part in space.items() if isinstance(part, Grid)}
    if len(grids) == len(space):
        every = [dict(zip(grids, values, strict=True)) for values in itertools.product(*grids.values())]
        if trials is not None:
            raise ValueError(
                f"trials: all fields are grids, of which every point, {len(every)}, is tried; leave it out"
            )
        return every
    if trials is None:
        ranges = ", ".join(sorted(space.keys() - grids))
        raise ValueError(f"trials: expected how many points to draw, since there are ranges ({ranges}); it is missing")
    if trials < 1:
        raise ValueError(f"trials: expected 1 or more, got {trials}")
    # A row a point, so that the first points stay the same where more are wanted.
    u = generator(seed, Purpose.SEARCH, stage).random((trials, len(space)))
    drawn: dict[str, list] = {}
    for column, (name, part) in zip(u.T, space.items(), strict=True):
        if isinstance(part, Grid):
            drawn[name] = [part.values[int(i)] for i in column * len(part.values)]
        else:
            drawn[name] = part.at(column).tolist()
    return [dict(zip(drawn, values, strict=True)) for values in zip(*drawn.values(), strict=True)]


def _checked(name: str, part: Grid | Range) -> Grid | Range:
    names = {field.name for field in fields(Config)}
    if name not in names:
        raise ValueError(f'space: there is no field "{name}"{nearest(name, names)}')
    if name == "data":
        raise ValueError("data: images are read once for all trials; make a search of its own for each data set")
    if isinstance(part, Grid):
        values = tuple(_value(name, value) for value in part.values)
        if not values or len(set(values)) < len(values):
            raise ValueError(f"{name}: expected values that differ, one at least, got {list(values)}")
        return Grid(values)
    if not isinstance(part, Range):
        raise TypeError(f"{name}: expected a Grid of values or a Range, got {part!r}")
    low, high = _value(name, part.low), _value(name, part.high)
    if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in (low, high)):
        raise ValueError(f"{name}: a range is for numbers, and this field takes none; list its values")
    if not low < high < math.inf:
        raise ValueError(f"{name}: expected a range from a lower to a higher number, got {low:g} to {high:g}")
    if part.log and low <= 0:
        raise ValueError(
            f"{name}: a logarithmic range begins above 0, got {low:g}; begin higher, make it linear "
            f"({name}={low:g}..{high:g}..linear), or list values"
        )
    return Range(low, high, part.log)


def _value(name: str, value: Any) -> Any:
    """The value as the field's type; checked as if it had been typed."""
    taken = getattr(config_of({name: value}, name), name)
    if isinstance(taken, int) and not isinstance(taken, bool) and taken != float(value):
        raise ValueError(f"{name}: expected a whole number, got {value}")
    return taken
