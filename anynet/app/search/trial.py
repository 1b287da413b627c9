"""Trials: training at the points of a search, and the results."""

import math
import re
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from anynet.app.experiment import Experiment, fit_stack
from anynet.core.epoch import Epoch, score
from anynet.core.errors import FileError
from anynet.core.formatting import format_settings, printable
from anynet.core.history import History
from anynet.core.settings_text import in_lines
from anynet.training import Callback

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


def train_trials(
    study: optuna.Study,
    trials: Sequence[optuna.Trial],
    experiments: Sequence[Experiment],
    callbacks: Sequence[Callback] = (),
) -> None:
    """Train trials as one stack, and store their results in the study.

    Parameters
    ----------
    study : optuna.Study
        Study of the stage.
    trials : sequence of optuna.Trial
        Claimed trials.
    experiments : sequence of Experiment
        One for each trial.
    callbacks : sequence of Callback
        Callbacks of the training, as for `anynet.fit`.

    Raises
    ------
    KeyboardInterrupt
        If training was interrupted. Unfinished trials will be made again.
    """
    histories = [History() for _ in trials]
    began = time.perf_counter()

    def tell(k: int, state: str, reason: str = "", test: float | None = None) -> None:
        history = histories[k]
        best = history.best if history else None
        result = {
            "point": trials[k].user_attrs["point"],
            "dataset": experiments[k].data.name,
            "state": state,
            "best_val_accuracy": best and best.val_accuracy,
            "best_epoch": best and best.epoch,
            "train_accuracy": history[-1].train_accuracy if history else None,
            "val_accuracy": history[-1].val_accuracy if history else None,
            "test_accuracy": test,
            "seconds": round(time.perf_counter() - began, 3),
            "reason": reason,
        }
        trials[k].set_user_attr("result", result)
        # Only this finishes the trial: if the process is killed before, the whole trial is made again.
        if best is not None and state == "finished":
            study.tell(trials[k], score(best))
        else:
            study.tell(trials[k], state=TrialState.PRUNED)

    def on_epoch(rows: dict[int, Epoch]) -> set[int]:
        dropped = set()
        for k, row in rows.items():
            histories[k] = History([*histories[k], row])
            trials[k].report(score(row), row.epoch)
            if row.epoch < experiments[k].config.epochs and trials[k].should_prune():
                tell(k, "pruned", f"validation accuracy after epoch {row.epoch} below the median of other trials")
                dropped.add(k)
        return dropped

    runs = fit_stack(experiments, on_epoch, progress=False, more={"callbacks": callbacks})
    for k, run in enumerate(runs):
        if run.diverged is not None:
            tell(k, "diverged", str(run.diverged))
        elif not (run.dropped or run.interrupted):
            tell(k, "finished", test=run.best_test and run.best_test.accuracy)
    if runs.interrupted:
        raise KeyboardInterrupt


def check_trial(trial: FrozenTrial, points: int, space: Collection[str], place: str | Path) -> None:
    """Raise FileError if a trial lacks what this module and others have stored, or has something else.

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
    """Return the results that `train_trials` stored."""
    result = {name: value for name, value in trial.user_attrs["result"].items() if name != "point"}
    return Trial(number=trial.user_attrs["point"] + 1, stage=stage, settings=trial.params, **result)
