"""Search spaces: for each setting a list of values or a range."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.app.config import Config
from anynet.app.config_file import make_config
from anynet.core.checks import nearest


@dataclass(frozen=True)
class Grid:
    """Values that are all tried.

    Parameters
    ----------
    values : tuple
        One value or more, all different.
    """

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Range:
    """Interval to draw numbers from.

    Parameters
    ----------
    low, high : float or int
        Both ends belong to the range. If `low` is an int, whole numbers are drawn.
    log : bool
        If True, the logarithm is uniform; otherwise the number.
    """

    low: float
    high: float
    log: bool = True

    def interpolate(self, u: NDArray[np.floating]) -> NDArray[Any]:
        """Return the numbers at fractions `u` of the way from `low` to `high`.

        Parameters
        ----------
        u : ndarray of float, shape (n,)
            Fractions, 0 to 1.

        Returns
        -------
        ndarray of float or int, shape (n,)
            Whole numbers are rounded from a range that is half a unit wider at both ends, so that each is equally
            wide.
        """
        low, high = self._ends()
        x = np.exp(math.log(low) + u * math.log(high / low)) if self.log else low + u * (high - low)
        return np.asarray(np.clip(np.rint(x).astype(int) if isinstance(self.low, int) else x, self.low, self.high))

    def fraction(self, x: float) -> float:
        """Return how far on the way from `low` to `high` a number lies, 0 to 1; the inverse of `interpolate`."""
        low, high = self._ends()
        return math.log(x / low) / math.log(high / low) if self.log else (x - low) / (high - low)

    def _ends(self) -> tuple[float, float]:
        return (self.low - 0.5, self.high + 0.5) if isinstance(self.low, int) else (self.low, self.high)


Space = Mapping[str, Grid | Range]
Point = dict[str, Any]


def convert_space(space: Space) -> dict[str, Grid | Range]:
    """Validate a space and convert its values to the types of their settings.

    Parameters
    ----------
    space : mapping from str to Grid or Range
        Fields of `Config`, other than ``data``.

    Returns
    -------
    dict from str to Grid or Range
        Sorted by name, so that the order of typing does not matter.

    Raises
    ------
    TypeError, ValueError
        If the space is empty, a setting does not exist or cannot be searched, a value is not allowed, or a range is
        empty or has no logarithm. The message names the setting.
    """
    if not space:
        raise ValueError("space: expected one setting or more, as in lr=0.001..0.1, got none")
    return {name: _convert(name, space[name]) for name in sorted(space)}


def combinations(values: Mapping[str, Sequence[Any]]) -> list[Point]:
    """Return all combinations of values, the last setting varying fastest.

    Parameters
    ----------
    values : mapping from str to sequence
        Values by setting.

    Returns
    -------
    list of dict

    Examples
    --------
    >>> combinations({"lr": (0.1, 0.2), "seed": (1,)})
    [{'lr': 0.1, 'seed': 1}, {'lr': 0.2, 'seed': 1}]
    """
    return [dict(zip(values, each, strict=True)) for each in itertools.product(*values.values())]


def _convert(name: str, part: Grid | Range) -> Grid | Range:
    if name not in (names := {field.name for field in fields(Config)}):
        raise ValueError(f'space: there is no setting "{name}"{nearest(name, names)}')
    if name == "data":
        raise ValueError("data: expected another setting, since all trials use the same images; search each data set")
    if isinstance(part, Grid):
        values = tuple(_convert_value(name, value) for value in part.values)
        if not values or len(set(values)) < len(values):
            raise ValueError(f"{name}: expected one or more different values, got {list(values)}")
        return Grid(values)
    if not isinstance(part, Range):
        raise TypeError(f"{name}: expected a Grid or a Range, got {part!r}")
    low, high = _convert_value(name, part.low), _convert_value(name, part.high)
    if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in (low, high)):
        raise ValueError(f"{name}: expected values, got a range; ranges are for numbers only")
    if not low < high < math.inf:
        raise ValueError(f"{name}: expected a range from a lower to a higher number, got {low:g} to {high:g}")
    if part.log and low <= 0:
        raise ValueError(
            f"{name}: expected a logarithmic range above 0, got {low:g} to {high:g}; raise its lower end, make it "
            f"linear ({name}={low:g}..{high:g}..linear), or list values"
        )
    return Range(low, high, part.log)


def _convert_value(name: str, value: Any) -> Any:
    if value == "" and not isinstance(getattr(Config, name), str):
        raise ValueError(f"{name}: expected a value, got none; list values as in lr=0.001,0.01")
    try:
        converted = getattr(make_config({name: value}, name), name)
    except ValueError as error:  # names the setting twice more
        message = str(error).replace(f"Invalid value for [{name}]: ", "").replace(f" for [{name}]", "")
        raise ValueError(message) from None
    if isinstance(converted, int) and not isinstance(converted, bool) and converted != float(value):
        raise ValueError(f"{name}: expected a whole number, got {value}")
    return converted
