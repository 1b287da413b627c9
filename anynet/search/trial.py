"""One trial: training with the settings of a point, and what came out."""

import time
from typing import Any, NamedTuple

import optuna
from optuna.trial import FrozenTrial, TrialState

from anynet.experiment import Experiment
from anynet.training import DivergedError, Epoch


class Trial(NamedTuple):
    """A finished trial.

    number: its point's, from 1 in each stage. stage: "coarse" or "fine". dataset: its name.
    state: "finished", "pruned" or "diverged", the last two with a reason.
    settings: the fields that are searched.
    best_val_accuracy, best_epoch: the highest accuracy in validation and the first epoch that had it, None where there
        was none. test_accuracy: of that epoch; only of a finished trial.
    train_accuracy, val_accuracy: after the last epoch there was.
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


def ranked(trials: list[Trial]) -> list[Trial]:
    """The best first: finished trials by their best validation accuracy, then pruned ones, then those that diverged."""
    order = ("finished", "pruned", "diverged")
    return sorted(trials, key=lambda t: (order.index(t.state), -(t.best_val_accuracy or 0), t.stage, t.number))


def train(study: optuna.Study, trial: optuna.Trial, experiment: Experiment) -> None:
    """Train, and note in the study what came out.

    Raises KeyboardInterrupt where training was stopped by hand; the trial is then left to be made again.
    """
    history: list[Epoch] = []

    def on_epoch(row: Epoch) -> None:
        history.append(row)
        trial.report(row.val_accuracy, row.epoch)
        if row.epoch < experiment.config.epochs and trial.should_prune():
            raise optuna.TrialPruned(f"validation accuracy after epoch {row.epoch} below the median of other trials")

    state, reason, test = "finished", "", None
    began = time.perf_counter()
    try:
        run = experiment.fit(on_epoch, progress=False)
        if run.interrupted:
            raise KeyboardInterrupt
        test = run.best_test.accuracy
    except optuna.TrialPruned as error:
        state, reason = "pruned", str(error)
    except DivergedError as error:
        state, reason = "diverged", str(error)
    best = max(history, key=lambda row: row.val_accuracy, default=None)
    result = {
        "dataset": experiment.data.name,
        "state": state,
        "best_val_accuracy": best and best.val_accuracy,
        "best_epoch": best and best.epoch,
        "train_accuracy": history[-1].train_accuracy if history else None,
        "val_accuracy": history[-1].val_accuracy if history else None,
        "test_accuracy": test,
        "seconds": round(time.perf_counter() - began, 3),
        "reason": reason,
    }
    trial.set_user_attr("result", result)
    # Only now is the trial done: who is killed before has it made again, result and all.
    if best is not None and state == "finished":
        study.tell(trial, best.val_accuracy)
    else:
        study.tell(trial, state=TrialState.PRUNED)


def read(stage: str, trial: FrozenTrial) -> Trial:
    """What ``train`` noted."""
    return Trial(number=trial.user_attrs["point"] + 1, stage=stage, settings=trial.params, **trial.user_attrs["result"])
