"""Reading ``analysis.json`` of a run, each value checked."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anynet.app.analyze import ANALYSIS
from anynet.app.run_report.analyzed import Calibration, ClassAnalysis, Mistake, NumberAnalysis
from anynet.core.errors import FileError
from anynet.core.formatting import printable
from anynet.core.text_files import read_json
from anynet.core.text_table import shortened

ADVICE = "remove the file; python -m anynet report RUN --analyze makes it again"
MOST = 100_000_000
"""Largest size of the file in bytes."""
MOST_COUNT = 10**12
"""Largest number of samples."""
NAME = 40
"""Largest number of characters of a class's name on a page."""
ROUNDING = 1e-6
"""Rounding error by which means of fractions may exceed 1."""
FRACTION = re.compile(r"0(\.\d{1,4})?|1", re.ASCII)
PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/]+={0,2}")


def read_analysis(folder: Path) -> ClassAnalysis | NumberAnalysis | None:
    """Read the analysis of a run or a sweep.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    ClassAnalysis, NumberAnalysis or None
        None if the folder has none.

    Raises
    ------
    FileError
        If it is damaged, or a value is missing or not allowed; the message names the key.
    """
    path = folder / ANALYSIS
    if not path.exists():
        return None
    file = _File(path, read_json(path, MOST, ADVICE))
    return file.numbers() if "targets" in file.content else file.classes()


class _File:
    """The content of the file, whose values are taken with a check each."""

    def __init__(self, path: Path, content: dict[str, Any]) -> None:
        self._path, self.content = path, content

    def classes(self) -> ClassAnalysis:
        labels = self._take("classes", "a list of classes", lambda v: bool(v) and _all(lambda k: type(k) in TEXTS)(v))
        names = [shortened(printable(str(each), NAME + 1), NAME) for each in labels]
        n, numbers = len(names), _all(_is_count)
        confusion = self._take(
            "confusion",
            f"{n} rows of {n} counts",
            lambda rows: _all(lambda row: numbers(row) and len(row) == n)(rows) and len(rows) == n,
        )
        split, samples = self._of_samples()
        if samples != (total := sum(map(sum, confusion))):
            raise self._error("samples", f"{total}, the sum of the confusion matrix", f"{samples}")
        mistakes = self._take("mistakes", "a list of mistakes", _all(lambda each: _is_mistake(each, n)))
        return ClassAnalysis(
            split,
            samples,
            names,
            confusion,
            self._calibration(),
            [Mistake(**{name: each[name] for name in Mistake.__dataclass_fields__}) for each in mistakes],
        )

    def numbers(self) -> NumberAnalysis:
        targets = self._take("targets", "a number of 1 or more", lambda v: _is_count(v) and v >= 1)
        r2 = self._take("r2", f"{targets} numbers", lambda v: _all(_is_optional)(v) and len(v) == targets)
        errors = self._take("errors", f"{targets} numbers for each quantile", lambda v: _are_quantiles(v, targets))
        pairs = self._take("sample", "pairs of numbers", _all(lambda pair: isinstance(pair, list) and len(pair) == 2))
        sample = [(_as_list(true), _as_list(predicted)) for true, predicted in pairs]
        if not all(_all(_is_number)(side) and len(side) == targets for pair in sample for side in pair):
            raise self._error("sample", f"pairs of {targets} numbers", "others")
        return NumberAnalysis(*self._of_samples(), targets, r2, errors, sample)

    def _calibration(self) -> Calibration:
        found = self._take("calibration", "an object", lambda value: isinstance(value, dict))
        bins = len(found["count"]) if isinstance(found.get("count"), list) else -1
        right = (
            found.keys() >= Calibration.__dataclass_fields__.keys()
            and _all(_is_fraction)(found["edges"])
            and found["edges"] == sorted(found["edges"])
            and len(found["edges"]) == bins + 1
            and _all(_is_count)(found["count"])
            and all(_all(_is_share)(found[key]) and len(found[key]) == bins for key in ("confidence", "accuracy"))
            and _is_fraction(found["error"])
        )
        if not right:
            raise self._error("calibration", "edges, count, confidence, accuracy and error", "others")
        return Calibration(**{name: found[name] for name in Calibration.__dataclass_fields__})

    def _of_samples(self) -> tuple[str, int]:
        split = self._take("split", "a text", lambda value: isinstance(value, str))
        return split, self._take("samples", "a number of 0 or more", _is_count)

    def _take(self, key: str, expected: str, allowed: Callable[[Any], bool]) -> Any:
        if key not in self.content or not allowed(self.content[key]):
            got = printable(repr(self.content[key]), 50) if key in self.content else "nothing"
            raise self._error(key, expected, got)
        return self.content[key]

    def _error(self, key: str, expected: str, got: str) -> FileError:
        return FileError(self._path, f"key {key}", expected, got, ADVICE)


TEXTS = (str, int, bool)
"""Types of class names."""


def _all(allowed: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(allowed, value))


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MOST_COUNT


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < float("inf")


def _is_optional(value: Any) -> bool:
    return value is None or _is_number(value)


def _is_fraction(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1 + ROUNDING


def _is_share(value: Any) -> bool:
    return value is None or _is_fraction(value)


def _is_mistake(value: Any, classes: int) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() >= Mistake.__dataclass_fields__.keys()
        and all(_is_count(value[key]) for key in ("index", "true", "predicted"))
        and max(value["true"], value["predicted"]) < classes
        and all(_is_fraction(value[key]) for key in ("probability", "true_probability"))
        and (value["image"] is None or (isinstance(value["image"], str) and bool(PICTURE.fullmatch(value["image"]))))
    )


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _are_quantiles(value: Any, targets: int) -> bool:
    return isinstance(value, dict) and all(
        FRACTION.fullmatch(name) and _all(_is_number)(each) and len(each) == targets for name, each in value.items()
    )
