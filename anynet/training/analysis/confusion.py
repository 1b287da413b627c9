"""Confusion matrix: how often each class is taken for each other."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anynet.core.formatting import format_count
from anynet.core.text_table import WIDTH, Cells, Tabular, shortened
from anynet.data.dataset import Label
from anynet.training.analysis.evaluated import Classified

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME, LEAST, MOST = 14, 3, 14
"""Largest number of characters of a class beside a row; smallest and largest above a column."""
PAIRS = 10
"""Number of pairs of classes that are listed where a matrix does not fit."""


@dataclass(frozen=True, eq=False, repr=False)
class Confusion(Tabular):
    """Confusion matrix.

    Parameters
    ----------
    counts : ndarray of int, shape (C, C)
        Number of samples by true class (rows) and predicted class (columns).
    classes : tuple of str, int or bool
        Labels of the classes.
    samples : str
        Kind of the samples: "test", "validation" or "given".
    dataset : str
        Name of the training data set.
    """

    counts: NDArray[np.int64]
    classes: tuple[Label, ...]
    samples: str
    dataset: str

    @classmethod
    def of(cls, found: Classified, dataset: str) -> "Confusion":
        """Count predictions."""
        n = len(found.classes)
        counts = np.bincount(found.truth * n + found.predicted, minlength=n * n).reshape(n, n)
        return cls(counts, found.classes, found.given.kind, dataset)

    @property
    def accuracy(self) -> float:
        """Fraction of the samples whose class is predicted."""
        return float(self.counts.trace() / self.counts.sum())

    @property
    def pairs(self) -> list[tuple[Label, Label, int]]:
        """True class, predicted class and number of samples of each kind of mistake that was made, the most first."""
        wrong = self.counts.copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind="stable")[: np.count_nonzero(wrong)]
        rows, columns = np.unravel_index(order, wrong.shape)
        return [
            (self.classes[i], self.classes[j], int(wrong[i, j]))
            for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
        ]

    @property
    def title(self) -> str:
        """Data set, kind and number of samples, and accuracy."""
        many = format_count(int(self.counts.sum()), f"{self.samples} sample")
        return f"{self.dataset}, {many}: accuracy {self.accuracy:.2%}"

    def plot(self) -> "Figure":
        """Draw the matrix: shares of the samples of each class, with counts where there is room.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from anynet import plots  # here, so that analysis without plots does not import Matplotlib

        return plots.confusion_matrix(self.counts, [*map(str, self.classes)], self.title)

    def _cells(self) -> Cells:
        names = [*map(str, self.classes)]
        beside = max(len("true"), *(min(NAME, len(name)) for name in names))
        digits = max(LEAST, len(str(self.counts.max())))
        width = min(MOST, (WIDTH - beside) // len(names) - 2)
        if width >= digits:
            rows = [
                [shortened(name, NAME), *map(str, row)] for name, row in zip(names, self.counts.tolist(), strict=True)
            ]
            below = "columns: predicted class"
            return Cells(self.title, ["true", *(name[:width] for name in names)], rows, below)
        most = self.pairs[:PAIRS]
        of_class = dict(zip(self.classes, self.counts.sum(axis=1).tolist(), strict=True))
        rows = [[shortened(str(a), 24), shortened(str(b), 24), str(n), f"{n / of_class[a]:.1%}"] for a, b, n in most]
        below = f"{len(most)} of {format_count(len(self.pairs), 'pair')} of classes that are confused"
        return Cells(self.title, ["true class", "predicted", "samples", "of the class"], rows, below)
