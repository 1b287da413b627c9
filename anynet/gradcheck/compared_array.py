"""Result of a gradient check for one array: slopes by its gradient and by differences, and their errors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anynet.core.formatting import format_count
from anynet.core.settings_text import in_lines
from anynet.gradcheck.differences import Line


@dataclass(frozen=True)
class Entry:
    """Result for one array: slopes by its gradient and by differences along n lines.

    Parameters
    ----------
    name : str
        Name of the array.
    size : int
        Number of its elements.
    lines : sequence of Line, length n
        Elements, or directions, that were compared.
    analytical, numerical : ndarray of float64, shape (n,)
        Slopes along the lines, by the gradient and by differences.
    kinks : ndarray of bool, shape (n,)
        True for lines with a kink, which are left out.
    step : float
        Step h of the differences.
    noise : float
        Bound on the rounding error of a slope.
    tolerance : float
        Largest relative error that passes.
    """

    name: str
    size: int
    lines: Sequence[Line]
    analytical: NDArray[np.float64]
    numerical: NDArray[np.float64]
    kinks: NDArray[np.bool_]
    step: float
    noise: float
    tolerance: float

    @property
    def relative(self) -> NDArray[np.float64]:
        """Relative errors, ``|a - n| / max(|a|, |n|, noise / tolerance)``; 0 at kinks.

        With the third term of the maximum, an error that rounding explains passes.
        """
        a, n = self.analytical, self.numerical
        scale = np.maximum(np.maximum(np.abs(a), np.abs(n)), self.noise / self.tolerance)
        return np.divide(self.absolute, scale, out=np.zeros_like(scale), where=scale > 0)

    @property
    def absolute(self) -> NDArray[np.float64]:
        """Absolute errors, ``|a - n|``; 0 at kinks."""
        return np.where(self.kinks, 0.0, np.abs(self.analytical - self.numerical))

    @property
    def worst(self) -> int:
        """Index of the line with the largest relative error."""
        return int(np.argmax(self.relative))

    @property
    def passed(self) -> bool:
        """True if there is a line without a kink, and the slopes agree along all such lines."""
        return not bool(self.kinks.all()) and float(self.relative.max()) <= self.tolerance

    @property
    def unresolved(self) -> bool:
        """True if no slope is larger than its rounding error, so that none can be told from zero."""
        return float(np.max(np.abs(self.analytical))) <= self.noise

    def row(self) -> dict[str, str | int | float | bool]:
        """Return the entry as a row of a table.

        Returns
        -------
        dict
            Values by column name.
        """
        i = self.worst
        return {
            "array": self.name,
            "size": self.size,
            "probes": len(self.lines),
            "kinks": int(self.kinks.sum()),
            "step": self.step,
            "rounding": self.noise,
            "largest absolute error": float(self.absolute.max()),
            "largest relative error": float(self.relative[i]),
            "at": str(self.lines[i]),
            "analytical": float(self.analytical[i]),
            "numerical": float(self.numerical[i]),
            "tolerance": self.tolerance,
            "passed": self.passed,
        }

    def __repr__(self) -> str:
        result = "passed" if self.passed else "failed"
        error = f"largest relative error {self.relative[self.worst]:.1e}"
        return in_lines(f"Entry({self.name!r}, {format_count(len(self.lines), 'probe')}, {error}, {result})")
