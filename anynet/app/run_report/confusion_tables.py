"""Confusion matrix, precision and recall of an analysis, as rows of tables and as pictures."""

from typing import NamedTuple

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from anynet.app.run_report.analyzed import ClassAnalysis
from anynet.app.run_report.inline_svg import InlinePictures
from anynet.plots.style import figure, styled

MOST_CELLS = 20
"""Number of classes up to which the matrix is a table."""
MOST_PAIRS = 12
"""Number of confusions that are listed."""


class ClassScore(NamedTuple):
    """Precision, recall and F1 of a class; None where there is no sample to divide by."""

    name: str
    samples: int
    predicted: int
    precision: float | None
    recall: float | None
    f1: float | None


class Pair(NamedTuple):
    """Number of samples of a class that are taken for another one, and their share of the class."""

    true: str
    predicted: str
    samples: int
    share: float


def class_scores(analysis: ClassAnalysis) -> list[ClassScore]:
    """Return precision, recall and F1 of each class."""
    matrix = np.asarray(analysis.confusion)
    of_class, of_prediction, right = matrix.sum(axis=1), matrix.sum(axis=0), matrix.diagonal()
    return [
        ClassScore(
            name,
            int(of_class[k]),
            int(of_prediction[k]),
            _ratio(right[k], of_prediction[k]),
            _ratio(right[k], of_class[k]),
            _ratio(2 * right[k], of_class[k] + of_prediction[k]),
        )
        for k, name in enumerate(analysis.classes)
    ]


def accuracy(analysis: ClassAnalysis) -> float | None:
    """Return the fraction of samples that are classified correctly."""
    matrix = np.asarray(analysis.confusion)
    return _ratio(matrix.trace(), matrix.sum())


def most_confused(analysis: ClassAnalysis) -> list[Pair]:
    """Return the most frequent confusions, the first ones first."""
    matrix, names = np.asarray(analysis.confusion), analysis.classes
    wrong = matrix - np.diag(matrix.diagonal())
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_PAIRS]
    pairs = [divmod(int(place), len(names)) for place in order]
    totals = matrix.sum(axis=1)
    return [Pair(names[i], names[j], int(wrong[i, j]), wrong[i, j] / totals[i]) for i, j in pairs if wrong[i, j]]


def shares(analysis: ClassAnalysis) -> list[list[float]]:
    """Return the cells of the matrix as fractions of their rows."""
    matrix = np.asarray(analysis.confusion, float)
    rows: list[list[float]] = (matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)).tolist()
    return rows


def matrix_picture(pictures: InlinePictures, analysis: ClassAnalysis) -> Markup:
    """Draw the matrix of many classes: cells are the darker, the larger their share of the row."""

    @styled()
    def draw() -> Figure:
        found = np.asarray(shares(analysis))
        image = np.zeros((*found.shape, 4))
        image[..., :3] = (0.84, 0.37, 0.0)
        np.fill_diagonal(image[..., 0], 0.0)
        np.fill_diagonal(image[..., 1], 0.45)
        np.fill_diagonal(image[..., 2], 0.7)
        image[..., 3] = np.sqrt(found)  # so that rare confusions are seen
        made = figure(4.6, 4.4)
        axes = made.subplots()
        axes.imshow(image, interpolation="nearest")
        axes.grid(visible=False)
        axes.set(xlabel="number of the predicted class", ylabel="number of the true class")
        return made

    return pictures.add(
        draw(), f"confusion matrix of {len(analysis.classes)} classes; the table lists the largest cells"
    )


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None
