"""Mistakes of a net, those first that it is surest of."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anynet.backends import to_numpy
from anynet.core.formatting import format_count
from anynet.core.text_table import Cells, shortened
from anynet.data.dataset import Label
from anynet.training.analysis.evaluated import Classified
from anynet.training.analysis.sample_rows import SampleRows
from anynet.training.given import as_samples
from anynet.training.predictor import Predictor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 20
"""Number of mistakes that are listed."""


@dataclass(frozen=True, eq=False)
class Mistake:
    """A sample that is classified wrongly.

    Parameters
    ----------
    index : int
        Number of the sample, counted from 0.
    true, predicted : str, int or bool
        Labels: the right one, and the predicted one.
    probability, true_probability : float
        Of the predicted class, and of the right one.
    x : ndarray, shape (*shape)
        The sample.
    """

    index: int
    true: Label
    predicted: Label
    probability: float
    true_probability: float
    x: NDArray[Any] = field(repr=False)


@dataclass(frozen=True, eq=False, repr=False)
class Mistakes(SampleRows[Mistake]):
    """Samples that are classified wrongly, those with the highest probability of the wrong class first.

    It can be indexed and iterated over, as a sequence of `Mistake`; what all of them have is in arrays, too.

    Parameters
    ----------
    index : ndarray of int, shape (n,)
        Numbers of the samples, counted from 0.
    true, predicted : ndarray of int, shape (n,)
        Class numbers: the right one, and the predicted one.
    probability, true_probability : ndarray of float64, shape (n,)
        Of the predicted class, and of the right one.
    x : ndarray, shape (n, *shape)
        The samples.
    classes : tuple of str, int or bool
        Labels of the classes.
    title : str
        Data set, numbers of mistakes and of samples.
    """

    index: NDArray[np.int64]
    true: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probability: NDArray[np.float64]
    true_probability: NDArray[np.float64]
    x: NDArray[Any]
    classes: tuple[Label, ...]
    title: str

    _columns = ("index", "true", "predicted", "probability", "true_probability", "x")

    @classmethod
    def of(cls, found: Classified, n: int, predictor: Predictor) -> "Mistakes":
        """Choose the worst mistakes, `n` or as many as there are."""
        wrong = np.flatnonzero(found.predicted != found.truth)
        index = wrong[np.argsort(-found.probability[wrong], kind="stable")][:n]
        samples = format_count(len(found.truth), f"{found.given.kind} sample")
        title = f"{predictor.dataset}, {samples}: {format_count(len(wrong), 'mistake')}"
        classes = found.truth[index], found.predicted[index]
        chances = found.probability[index], found.true_probability[index]
        return cls(index, *classes, *chances, rows_of(found.given.x, index, predictor), found.classes, title)

    def _row(self, k: int) -> Mistake:
        labels = self.classes[self.true[k]], self.classes[self.predicted[k]]
        return Mistake(
            int(self.index[k]), *labels, float(self.probability[k]), float(self.true_probability[k]), self.x[k]
        )

    def plot(self) -> "Figure":
        """Draw the samples with what was predicted and what is right.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ValueError
            If there is no mistake, or the samples are no images.
        """
        from anynet import plots  # here, so that analysis without plots does not import Matplotlib

        if not len(self):
            raise ValueError("plot: expected a mistake or more, got none; all samples are classified correctly")
        if self.x.ndim != 4:
            shape = self.x.shape[1:]
            raise ValueError(f"plot: expected samples of shape (channels, rows, columns), got {shape}; print them")
        said, right = ([str(self.classes[k]) for k in numbers] for numbers in (self.predicted, self.true))
        chances = self.probability, self.true_probability
        return plots.mistake_tiles(self.x, self.index, said, right, *chances, self.title)

    def _cells(self) -> Cells:
        names = [shortened(str(label), 20) for label in self.classes]
        rows = [
            [str(i), names[k], f"{100 * q:.1f}", names[j], f"{100 * p:.1f}"]
            for i, k, q, j, p in zip(
                self.index, self.true, self.true_probability, self.predicted, self.probability, strict=True
            )
        ]
        below = f"the first {SHOWN} of {len(rows)}" if len(rows) > SHOWN else ""
        header = ["sample", "true class", "% for it", "predicted", "% for it"] if rows else []
        return Cells(self.title, header, rows[:SHOWN], below)


def rows_of(x: Any, index: NDArray[np.int64], predictor: Predictor) -> NDArray[Any]:
    """Return the samples of these numbers on the host, of the shape that the nets were trained on.

    Parameters
    ----------
    x : array_like
        As for `Predictor.predict`.
    index : ndarray of int, shape (n,)
    predictor : Predictor

    Returns
    -------
    ndarray, shape (n, *shape)
    """
    samples = as_samples(x, predictor.shape, predictor.input_dtype)
    if not len(index):
        return to_numpy(samples[:0, ...]).reshape(0, *predictor.shape)
    rows = [to_numpy(samples[i : i + 1, ...]) for i in index.tolist()]  # a device copies no more than these
    return np.concatenate(rows).reshape(-1, *predictor.shape)
