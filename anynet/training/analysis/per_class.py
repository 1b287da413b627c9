"""Precision, recall and F1 of each class."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anynet.core.text_table import Cells, Tabular, shortened
from anynet.data.dataset import Label
from anynet.training.analysis.confusion import Confusion

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 20
"""Number of classes that are listed: those with the lowest F1."""


@dataclass(frozen=True, eq=False, repr=False)
class PerClass(Tabular):
    r"""Precision, recall and F1 of each class.

    .. math:: P = \frac{TP}{TP + FP}, \quad R = \frac{TP}{TP + FN}, \quad F_1 = \frac{2 TP}{2 TP + FP + FN}

    NaN where a denominator is 0: the precision of a class that is never predicted, the recall of one without samples.

    Parameters
    ----------
    classes : tuple of str, int or bool
        Labels of the classes.
    precision, recall, f1 : ndarray of float64, shape (C,)
        Of each class, 0 to 1.
    support : ndarray of int, shape (C,)
        Number of samples of each class.
    title : str
        Data set, kind and number of samples, and accuracy.
    """

    classes: tuple[Label, ...]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.int64]
    title: str

    @classmethod
    def of(cls, confusion: Confusion) -> "PerClass":
        """Make it of a confusion matrix."""
        right, support, predicted = (
            confusion.counts.diagonal(),
            confusion.counts.sum(axis=1),
            confusion.counts.sum(axis=0),
        )
        with np.errstate(invalid="ignore"):
            rates = right / predicted, right / support, 2 * right / (predicted + support)
        return cls(confusion.classes, *rates, support, confusion.title)

    def plot(self) -> "Figure":
        """Draw precision and recall of each class, the lowest F1 first.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from anynet import plots  # here, so that analysis without plots does not import Matplotlib

        return plots.class_bars([*map(str, self.classes)], self.precision, self.recall, self.f1, self.title)

    def _cells(self) -> Cells:
        every = range(len(self.classes))
        shown = sorted(sorted(every, key=lambda k: np.nan_to_num(self.f1[k]))[:SHOWN]) if len(every) > SHOWN else every
        rows = [
            [
                shortened(str(self.classes[k]), 24),
                *(f"{100 * each[k]:.1f}" for each in (self.precision, self.recall, self.f1)),
                f"{self.support[k]}",
            ]
            for k in shown
        ]
        below = f"the {SHOWN} of {len(every)} classes with the lowest F1" if len(shown) < len(every) else ""
        return Cells(self.title, ["class", "precision %", "recall %", "F1 %", "samples"], rows, below)
