"""Reading ``result.json`` of a run, each value checked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from anynet.core.errors import FileError
from anynet.core.formatting import printable
from anynet.core.text_files import read_json

ADVICE = "remove the run's folder and make the run again"
MOST = 10_000_000
"""Largest size of the file in bytes."""

TEXTS = ("dataset", "backend", "device", "dtype")
FRACTIONS = ("train_accuracy", "test_accuracy", "best_test_accuracy")
OF_VALIDATION = ("val_accuracy", "best_val_accuracy")
"""Fractions that a run without validation images lacks."""
COUNTS = ("epochs", "best_epoch")

Checks = dict[str, tuple[str, Callable[[Any], bool]]]
"""Expected value of each key, in words and as a function."""


def read_result(path: Path) -> dict[str, Any]:
    """Read the results of a run.

    Parameters
    ----------
    path : Path
        The file ``result.json`` of a run.

    Returns
    -------
    dict
        As `anynet.app.run_result.run_result` returns it; "dataset", "diverged", the reason, and
        "report" for a run that diverged.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileError
        If it is damaged, or a value is missing or not allowed; the message names the key.
    """
    result = read_json(path, MOST, ADVICE)
    _check(path, result, _checks(result))
    return result


def read_known(path: Path) -> dict[str, Any]:
    """Read the results of a run or a sweep that may lack some, such as accuracies of nets that predict numbers.

    Parameters
    ----------
    path : Path
        The file ``result.json``.

    Returns
    -------
    dict

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileError
        If it is damaged, a value is not allowed, or "dataset" is missing; the message names the key.
    """
    result = read_json(path, MOST, ADVICE)
    checks = _checks(result)
    _check(path, result, {key: checks[key] for key in checks if key in result or key == "dataset"})
    return result


def _checks(result: dict[str, Any]) -> Checks:
    """Return what is expected of each key that a result should have."""
    checks: Checks = {"dataset": ("a text", _is_text)}
    if "diverged" in result:
        checks["diverged"] = ("a reason", _is_text)
    else:
        checks |= dict.fromkeys(TEXTS, ("a text", _is_text))
        names = FRACTIONS + (OF_VALIDATION if any(name in result for name in OF_VALIDATION) else ())
        checks |= dict.fromkeys(names, ("a fraction from 0 to 1", lambda value: _is_number(value) and value <= 1))
        checks |= dict.fromkeys(COUNTS, ("a number of 1 or more", lambda value: type(value) is int and value >= 1))
        checks["seconds"] = ("a number of 0 or more", _is_number)
        checks["official"] = ("true or false", lambda value: isinstance(value, bool))
        checks["versions"] = ("texts by name", _is_texts)
        checks |= {name: check for name, check in OPTIONAL.items() if name in result}
    return checks


def _check(path: Path, result: dict[str, Any], checks: Checks) -> None:
    for key, (expected, allowed) in checks.items():
        if key not in result or not allowed(result[key]):
            got = printable(repr(result[key]), 50) if key in result else "nothing"
            raise FileError(path, f"key {key}", expected, got, ADVICE)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < float("inf")


def _is_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, (*value, *value.values())))


def _is_numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value)) and all(map(_is_number, value.values()))


OPTIONAL: Checks = {
    "ensemble_test_accuracy": ("a fraction from 0 to 1", lambda value: _is_number(value) and value <= 1),
    "test_loss": ("a number", lambda value: type(value) in (int, float)),
    "interrupted": ("true or false", lambda value: isinstance(value, bool)),
    "stopped_early": ("true or false", lambda value: isinstance(value, bool)),
    "seconds_of": ("numbers by name", _is_numbers),
    "diverged_members": ("a list", lambda value: isinstance(value, list)),
}
"""Results that not every run has."""
