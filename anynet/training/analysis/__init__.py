"""Analysis of a net's predictions: confusion, precision and recall, calibration, mistakes."""

from anynet.training.analysis.calibration import Calibration
from anynet.training.analysis.confusion import Confusion
from anynet.training.analysis.evaluated import Classified, LastEvaluated, Predicted
from anynet.training.analysis.largest_errors import LargeError, LargestErrors
from anynet.training.analysis.mistakes import Mistake, Mistakes
from anynet.training.analysis.per_class import PerClass

__all__ = [
    "Calibration",
    "Classified",
    "Confusion",
    "LargeError",
    "LargestErrors",
    "LastEvaluated",
    "Mistake",
    "Mistakes",
    "PerClass",
    "Predicted",
]
