"""Writing ``analysis.json``: what reports show of a net's predictions, without data and backend."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.core.html_table import png_address
from anynet.core.picture_bytes import pictures, png
from anynet.training.analysis import LargestErrors, Mistakes
from anynet.training.predictions import Predictions

ANALYSIS = "analysis.json"
"""Name of the file."""
MISTAKES = 20
"""Number of the worst mistakes that are kept."""
POINTS = 500
"""Number of samples of which true and predicted numbers are kept."""
MOST_CLASSES = 1000
"""Number of classes up to which there is a file, since a matrix of more has millions of numbers."""
QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
"""Quantiles of absolute errors."""


def analysis(predictions: Predictions, split: str = "test") -> dict[str, Any]:
    """Return the analysis of a net, or of an ensemble, with its best parameters.

    Parameters
    ----------
    predictions : Predictions
        A run or an ensemble that remembers its samples.
    split : {"test", "val"}

    Returns
    -------
    dict
        For nets of classes: "split", "samples", "classes", "confusion" (a row for each true class), "calibration"
        ("edges", "count", "confidence", "accuracy", which are None in empty bins, "error"), "mistakes" (each with
        "index", "true", "predicted", "probability", "true_probability", and "image", the address of a picture or None).
        For nets that predict numbers: "split", "samples", "targets", "r2", "errors" (quantiles of the absolute errors
        by name, a list over the targets each), "sample" (lists of true and of predicted numbers of some samples).

    Raises
    ------
    ValueError
        If there are no such samples, or more than 1,000 classes.
    """
    classes = predictions.predictor.classes
    if len(classes) > MOST_CLASSES:
        raise ValueError(f"expected at most {MOST_CLASSES:,} classes, got {len(classes):,}")
    worst = predictions.mistakes(MISTAKES, split)
    if isinstance(worst, LargestErrors):
        return _of_numbers(split, worst)
    confusion, calibration = predictions.confusion(split), predictions.calibration(split)
    return {
        "split": split,
        "samples": int(confusion.counts.sum()),
        "classes": [*map(str, classes)],
        "confusion": confusion.counts.tolist(),
        "calibration": {
            "edges": calibration.edges.tolist(),
            "count": calibration.count.tolist(),
            "confidence": _or_none(calibration.confidence),
            "accuracy": _or_none(calibration.accuracy),
            "error": calibration.error,
        },
        "mistakes": _mistakes(worst),
    }


def write_analysis(file: Path, predictions: Predictions) -> None:
    """Write what `analysis` returns into a file."""
    file.write_text(json.dumps(analysis(predictions), allow_nan=False) + "\n", encoding="utf-8")


def _mistakes(worst: Mistakes) -> list[dict[str, Any]]:
    columns = worst.index, worst.true, worst.predicted, worst.probability, worst.true_probability
    names = "index", "true", "predicted", "probability", "true_probability"
    rows = [dict(zip(names, row, strict=True)) for row in zip(*(each.tolist() for each in columns), strict=True)]
    return [row | {"image": image} for row, image in zip(rows, _images(worst.x), strict=True)]


def _images(x: NDArray[Any]) -> list[str | None]:
    """Return samples as addresses of PNG files that hold them, None if they are no images."""
    if x.ndim != 4 or not len(x):
        return [None] * len(x)
    return [png_address(png(pixels)) for pixels in pictures(x)]


def _of_numbers(split: str, worst: LargestErrors) -> dict[str, Any]:
    truth, found = worst.every.truth, worst.every.predicted
    total = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    left = ((truth - found) ** 2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(total > 0, 1 - left / total, np.nan)
    errors = np.quantile(np.abs(found - truth), QUANTILES, axis=0)
    some = np.linspace(0, len(truth) - 1, min(POINTS, len(truth))).astype(np.int64)
    return {
        "split": split,
        "samples": len(truth),
        "targets": truth.shape[1],
        "r2": _or_none(r2),
        "errors": {f"{q:g}": row for q, row in zip(QUANTILES, errors.tolist(), strict=True)},
        "sample": [[t, p] for t, p in zip(truth[some].tolist(), found[some].tolist(), strict=True)],
    }


def _or_none(values: NDArray[np.float64]) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]
