"""Trials: their results, and checks of those that are stored."""

import math
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from anynet.core.errors import FileError
from anynet.core.formatting import format_settings, printable
from anynet.core.settings_text import in_lines

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
STATES = ("finished", "pruned", "diverged")
"""States of finished trials, in the order of their rank."""
ADVICE = "start the search again in another folder"


class Trial(NamedTuple):
    """A finished trial.

    Attributes
    ----------
    number : int
        Number of its point, from 1 in each stage.
    stage : str
        "coarse" or "fine".
    dataset : str
        Name of the data set.
    state : str
        "finished", "pruned" or "diverged".
    settings : dict
        Values of the searched settings.
    best_val_accuracy : float or None
        Highest validation accuracy; None if no epoch was finished, as for the other accuracies.
    best_epoch : int or None
        First epoch with that accuracy.
    train_accuracy, val_accuracy : float or None
        After the last finished epoch.
    test_accuracy : float or None
        After the best epoch; None unless the trial is finished.
    seconds : float
        Time of the stack that the trial was trained in.
    reason : str
        Why the trial was pruned or diverged; otherwise empty.
    """

    number: int
    stage: str
    dataset: str
    state: str
    settings: dict[str, Any]
    best_val_accuracy: float | None
    best_epoch: int | None
    train_accuracy: float | None
    val_accuracy: float | None
    test_accuracy: float | None
    seconds: float
    reason: str

    def __repr__(self) -> str:
        accuracy = "" if self.best_val_accuracy is None else f", validation accuracy {self.best_val_accuracy:.2%}"
        settings = format_settings(self.settings)
        return in_lines(f"Trial({self.stage} {self.number}, {self.state}{accuracy}, {settings})")


def rank(trials: list[Trial]) -> list[Trial]:
    """Sort trials: finished ones by best validation accuracy, then pruned ones, then those that diverged."""
    return sorted(trials, key=lambda t: (STATES.index(t.state), -(t.best_val_accuracy or 0), t.stage, t.number))


def check_trial(trial: FrozenTrial, points: int, space: Collection[str], place: str | Path) -> None:
    """Raise FileError if a trial lacks what others have stored, or has something else.

    Parameters
    ----------
    trial : optuna.trial.FrozenTrial
        The trial.
    points : int
        Number of points of its stage.
    space : collection of str
        Names of the searched settings.
    place : str or Path
        Where it comes from.
    """

    def require(part: str, value: Any, expected: str, allowed: bool) -> None:
        if not allowed:
            got = "nothing" if value is None else printable(repr(value), 50)
            raise FileError(place, f"trial {trial.number}, {part}", expected, got, ADVICE)

    attributes = trial.user_attrs
    point, worker = attributes.get("point"), attributes.get("worker")
    require("point", point, f"a number below {points}", type(point) is int and 0 <= point < points)
    named = worker is None or (isinstance(worker, str) and re.fullmatch(r"[\w.-]+", worker) is not None)
    require("worker", worker, "the name of a worker", named)
    if trial.state not in FINISHED:
        return
    require("parameters", trial.params, ", ".join(space), set(trial.params) == set(space))
    result: Any = attributes.get("result")
    names = [name for name in Trial._fields if name not in ("number", "stage", "settings")]
    whole = isinstance(result, dict) and set(result) == {"point", *names}
    require("result", result, ", ".join(("point", *names)), whole)
    # Optuna numbers trials by their place in the journal: without a line of it, results can be those of another trial.
    require("result point", result["point"], f"point {point}, which the trial has", result["point"] == point)
    kinds = get_type_hints(Trial)
    for name in names:
        kind = kinds[name]
        expected = kind.__name__ if isinstance(kind, type) else str(kind)
        require(f"result {name}", result[name], expected, isinstance(result[name], kind))
        if name.endswith("accuracy") and result[name] is not None:
            require(f"result {name}", result[name], "a fraction from 0 to 1", 0 <= result[name] <= 1)
    require(
        "result best_epoch",
        result["best_epoch"],
        "1 or more",
        result["best_epoch"] is None or result["best_epoch"] >= 1,
    )
    require("result seconds", result["seconds"], "a finite number of 0 or more", 0 <= result["seconds"] < math.inf)
    if trial.state == TrialState.COMPLETE:
        best = result["best_val_accuracy"]
        require("value", trial.value, f"{best}, its best validation accuracy", trial.value == best)
    require("result state", result["state"], " or ".join(STATES), result["state"] in STATES)


def check_point(
    name: str, point: Any, distributions: Mapping[str, BaseDistribution], place: str | Path
) -> dict[str, Any]:
    """Return a point that a stage has stored; raise FileError if its names or values are not those of the space.

    Parameters
    ----------
    name : str
        Attribute that it comes from.
    point : dict
        Values by setting.
    distributions : mapping from str to optuna.distributions.BaseDistribution
        The space.
    place : str or Path
        Where it comes from.
    """
    try:
        create_trial(state=TrialState.RUNNING, params=point, distributions=dict(distributions))
        returned = {
            key: kind.to_external_repr(kind.to_internal_repr(point[key])) for key, kind in distributions.items()
        }
        whole = bool(returned == point)  # not so for numbers as text
    except Exception:  # Optuna can raise nearly anything
        whole = False
    if not whole:
        expected = f"values of {', '.join(distributions)} within the space"
        raise FileError(place, name, expected, printable(repr(point), 50), ADVICE)
    checked: dict[str, Any] = point
    return checked


def read_trial(stage: str, trial: FrozenTrial) -> Trial:
    """Return the results that `anynet.app.search.train_trials.record` stored."""
    result = {name: value for name, value in trial.user_attrs["result"].items() if name != "point"}
    return Trial(number=trial.user_attrs["point"] + 1, stage=stage, settings=trial.params, **result)
