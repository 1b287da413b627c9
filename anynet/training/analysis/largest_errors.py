"""Samples whose predicted numbers are farthest off."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anynet.core.formatting import format_count
from anynet.core.text_table import Cells
from anynet.training.analysis.evaluated import Predicted
from anynet.training.analysis.mistakes import SHOWN, rows_of
from anynet.training.analysis.sample_rows import SampleRows
from anynet.training.predictor import Predictor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NUMBERS = 4
"""Number of predicted numbers of a sample that are listed."""


@dataclass(frozen=True, eq=False)
class LargeError:
    """A sample whose predicted numbers are far off.

    Parameters
    ----------
    index : int
        Number of the sample, counted from 0.
    true, predicted : ndarray of float64, shape (m,)
        The numbers that are right, and those of the net.
    error : float
        Euclidean distance between the two.
    x : ndarray, shape (*shape)
        The sample.
    """

    index: int
    true: NDArray[np.float64]
    predicted: NDArray[np.float64]
    error: float
    x: NDArray[Any] = field(repr=False)


@dataclass(frozen=True, eq=False, repr=False)
class LargestErrors(SampleRows[LargeError]):
    """Samples whose predicted numbers are farthest from the true ones, the farthest first.

    It can be indexed and iterated over, as a sequence of `LargeError`; what all of them have is in arrays, too.

    Parameters
    ----------
    index : ndarray of int, shape (n,)
        Numbers of the samples, counted from 0.
    true, predicted : ndarray of float64, shape (n, m)
        The numbers that are right, and those of the net.
    error : ndarray of float64, shape (n,)
        Euclidean distance between the two.
    x : ndarray, shape (n, *shape)
        The samples.
    every : Predicted
        True and predicted numbers of all samples.
    title : str
        Data set, number of samples, and R².
    """

    index: NDArray[np.int64]
    true: NDArray[np.float64]
    predicted: NDArray[np.float64]
    error: NDArray[np.float64]
    x: NDArray[Any]
    every: Predicted
    title: str

    _columns = ("index", "true", "predicted", "error", "x")

    @classmethod
    def of(cls, found: Predicted, n: int, predictor: Predictor) -> "LargestErrors":
        """Choose the largest errors, `n` or as many as there are."""
        distance = np.linalg.norm(found.predicted - found.truth, axis=1)
        index = np.argsort(-distance, kind="stable")[:n]
        samples = format_count(len(distance), f"{found.given.kind} sample")
        title = f"{predictor.dataset}, {samples}: root mean square error {np.sqrt(np.mean(distance**2)):.4g}"
        x = rows_of(found.given.x, index, predictor)
        return cls(index, found.truth[index], found.predicted[index], distance[index], x, found, title)

    def _row(self, k: int) -> LargeError:
        return LargeError(int(self.index[k]), self.true[k], self.predicted[k], float(self.error[k]), self.x[k])

    def plot(self) -> "Figure":
        """Draw predicted over true numbers of all samples, with the largest errors marked.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from anynet import plots  # here, so that analysis without plots does not import Matplotlib

        return plots.predicted_numbers(self.every.truth, self.every.predicted, self.index, self.title)

    def _cells(self) -> Cells:
        rows = [
            [str(i), _text(true), _text(predicted), f"{error:.4g}"]
            for i, true, predicted, error in zip(self.index, self.true, self.predicted, self.error, strict=True)
        ]
        below = f"the first {SHOWN} of {len(rows)}" if len(rows) > SHOWN else ""
        return Cells(self.title, ["sample", "true", "predicted", "error"], rows[:SHOWN], below)


def _text(values: NDArray[np.float64]) -> str:
    return ", ".join(f"{value:.4g}" for value in values[:NUMBERS]) + ", ..." * (len(values) > NUMBERS)
