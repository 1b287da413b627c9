"""Training at the points of a search, and recording the results."""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import optuna
from optuna.trial import TrialState

from anynet.app.experiment import Experiment, fit_stack
from anynet.core.epoch import Epoch, score
from anynet.core.history import History
from anynet.training import Callback


class Outcome(NamedTuple):
    """Result of a trial, as it is recorded.

    Attributes
    ----------
    result : dict
        Values of fields of `anynet.app.search.trial.Trial`.
    score : float or None
        Of the best epoch; None unless the trial is finished.
    scores : dict of float
        By epoch.
    """

    result: dict[str, Any]
    score: float | None
    scores: dict[int, float]


def train_stack(
    experiments: Sequence[Experiment],
    prune: Callable[[int, int, float], bool],
    tell: Callable[[int, Outcome], None],
    callbacks: Sequence[Callback] = (),
) -> None:
    """Train experiments as one stack.

    Parameters
    ----------
    experiments : sequence of Experiment
        With equal `anynet.app.grouping.stack_key`.
    prune : callable
        Called with the number of a trial, an epoch and its score; returns True to stop the trial, unless it has ended.
    tell : callable
        Called with the number of a trial and its outcome.
    callbacks : sequence of Callback
        Callbacks of the training, as for `anynet.fit`.

    Raises
    ------
    KeyboardInterrupt
        If training was interrupted; of unfinished trials nothing is told.
    """
    histories = [History() for _ in experiments]
    began = time.perf_counter()

    def end(k: int, state: str, reason: str = "", test: float | None = None) -> None:
        history = histories[k]
        best = history.best if history else None
        result = {
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
        value = score(best) if best is not None and state == "finished" else None
        tell(k, Outcome(result, value, {row.epoch: score(row) for row in history}))

    def on_epoch(rows: dict[int, Epoch]) -> set[int]:
        dropped = set()
        for k, row in rows.items():
            histories[k] = History([*histories[k], row])
            if prune(k, row.epoch, score(row)) and row.epoch < experiments[k].config.epochs:
                end(k, "pruned", f"validation accuracy after epoch {row.epoch} below the median of other trials")
                dropped.add(k)
        return dropped

    runs = fit_stack(experiments, on_epoch, progress=False, more={"callbacks": callbacks})
    for k, run in enumerate(runs):
        if run.diverged is not None:
            end(k, "diverged", str(run.diverged))
        elif not (run.dropped or run.interrupted):
            end(k, "finished", test=run.best_test and run.best_test.accuracy)
    if runs.interrupted:
        raise KeyboardInterrupt


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

    def prune(k: int, epoch: int, value: float) -> bool:
        trials[k].report(value, epoch)
        return trials[k].should_prune()

    train_stack(experiments, prune, lambda k, outcome: record(study, trials[k], outcome), callbacks)


def record(study: optuna.Study, trial: optuna.Trial, outcome: Outcome) -> None:
    """Store the result of a trial."""
    trial.set_user_attr("result", outcome.result | {"point": trial.user_attrs["point"]})
    # Only this finishes the trial: if the process is killed before, the whole trial is made again.
    if outcome.score is not None:
        study.tell(trial, outcome.score)
    else:
        study.tell(trial, state=TrialState.PRUNED)
