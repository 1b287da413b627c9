"""Calibration: how often predictions of some probability are right."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anynet.core.formatting import format_count
from anynet.core.text_table import Cells, Tabular
from anynet.training.analysis.evaluated import Classified

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BINS = 15
"""Number of bins, as in the reference."""


@dataclass(frozen=True, eq=False, repr=False)
class Calibration(Tabular):
    r"""Confidence and accuracy of predictions, in bins of the probability of the predicted class.

    A net is calibrated if of the predictions with probability p a fraction p is right. The expected calibration error
    is the mean difference, over all samples:

    .. math:: ECE = \sum_b \frac{n_b}{N} |accuracy_b - confidence_b|

    Parameters
    ----------
    edges : ndarray of float64, shape (B + 1,)
        From 0 to 1; a bin holds its right edge.
    count : ndarray of int, shape (B,)
        Number of samples in each bin.
    confidence, accuracy : ndarray of float64, shape (B,)
        Mean probability of the predicted class, and fraction that is right; NaN in empty bins.
    error : float
        Expected calibration error, 0 to 1.
    samples, dataset : str
        Kind of the samples, and name of the training data set.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), On Calibration of Modern Neural Networks, equation 5.
    """

    edges: NDArray[np.float64]
    count: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    error: float
    samples: str
    dataset: str

    @classmethod
    def of(cls, found: Classified, dataset: str) -> "Calibration":
        """Sort predictions into bins."""
        edges, right = np.linspace(0.0, 1.0, BINS + 1), found.predicted == found.truth
        bins = np.searchsorted(edges[1:-1], found.probability)
        count, *sums = (np.bincount(bins, weights, BINS) for weights in (None, found.probability, right))
        with np.errstate(invalid="ignore"):
            confidence, accuracy = (each / count for each in sums)
        error = float(np.abs(sums[1] - sums[0]).sum() / len(right))
        return cls(edges, count, confidence, accuracy, error, found.given.kind, dataset)

    @property
    def title(self) -> str:
        """Data set, kind and number of samples, and error."""
        many = format_count(int(self.count.sum()), f"{self.samples} sample")
        return f"{self.dataset}, {many}: expected calibration error {self.error:.2%}"

    def plot(self) -> "Figure":
        """Draw a reliability diagram: accuracy over confidence, and the number of samples.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from anynet import plots  # here, so that analysis without plots does not import Matplotlib

        return plots.reliability(self.edges, self.count, self.confidence, self.accuracy, self.title)

    def _cells(self) -> Cells:
        rows = [
            [f"{100 * low:.1f} - {100 * high:.1f}", str(n), f"{100 * confidence:.1f}", f"{100 * accuracy:.1f}"]
            for low, high, n, confidence, accuracy in zip(
                self.edges[:-1], self.edges[1:], self.count, self.confidence, self.accuracy, strict=True
            )
            if n
        ]
        return Cells(self.title, ["probability %", "samples", "mean probability %", "right %"], rows)
