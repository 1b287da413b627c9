"""Analysis of a run's predictions, as its page and its card show it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """A sample that is taken for one of another class.

    Parameters
    ----------
    index : int
        Number of the sample in its part of the data set, from 0.
    true, predicted : int
        Class numbers.
    probability, true_probability : float
        Predicted for both classes.
    image : str or None
        Data URL of the picture.
    """

    index: int
    true: int
    predicted: int
    probability: float
    true_probability: float
    image: str | None


@dataclass(frozen=True)
class Calibration:
    """Accuracy by confidence.

    Parameters
    ----------
    edges : list of float, length B + 1
        Limits of the bins of confidence.
    count : list of int, length B
        Samples in each bin.
    confidence, accuracy : list of float or None, length B
        Means over the samples of a bin; None if it is empty.
    error : float
        Expected calibration error.
    """

    edges: list[float]
    count: list[int]
    confidence: list[float | None]
    accuracy: list[float | None]
    error: float


@dataclass(frozen=True)
class ClassAnalysis:
    """Predicted classes of a part of a data set.

    Parameters
    ----------
    split : str
        "test" or "val".
    samples : int
    classes : list of str
    confusion : list of list of int
        Number of samples of each true class (row) that are taken for each class (column).
    calibration : Calibration
    mistakes : list of Mistake
        The worst first.
    """

    split: str
    samples: int
    classes: list[str]
    confusion: list[list[int]]
    calibration: Calibration
    mistakes: list[Mistake]


@dataclass(frozen=True)
class NumberAnalysis:
    """Predicted numbers of a part of a data set.

    Parameters
    ----------
    split : str
        "test" or "val".
    samples, targets : int
    r2 : list of float or None, length targets
        Coefficients of determination.
    errors : dict of list of float, length targets
        Quantiles of absolute errors, by the fraction of the samples as text.
    sample : list of tuple
        Targets and predictions of some samples, a list of numbers each.
    """

    split: str
    samples: int
    targets: int
    r2: list[float | None]
    errors: dict[str, list[float]]
    sample: list[tuple[list[float], list[float]]]
