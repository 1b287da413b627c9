"""Trials: training with the settings of points, and what came out."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import optuna
from optuna.trial import FrozenTrial, TrialState

from anynet.app.experiment import Experiment, fit_together
from anynet.core.history import Epoch, History


class Trial(NamedTuple):
    """A finished trial.

    number: its point's, from 1 in each stage. stage: "coarse" or "fine". dataset: its name.
    state: "finished", "pruned" or "diverged", the last two with a reason.
    settings: the fields that are searched.
    best_val_accuracy, best_epoch: the highest accuracy in validation and the first epoch that had it, None where there
        was none. test_accuracy: of that epoch; only of a finished trial.
    train_accuracy, val_accuracy: after the last epoch there was.
    seconds: from its start to its end, for all trials that were trained at once with it.
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


def train(study: optuna.Study, trials: Sequence[optuna.Trial], experiments: Sequence[Experiment]) -> None:
    """Train all at once, and note in the study what came out of each.

    Raises KeyboardInterrupt where training was stopped by hand; trials that are not done are then left to be made
    again.
    """
    histories = [History() for _ in trials]
    began = time.perf_counter()

    def tell(k: int, state: str, reason: str = "", test: float | None = None) -> None:
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
        trials[k].set_user_attr("result", result)
        # Only now is the trial done: who is killed before has it made again, result and all.
        if best is not None and state == "finished":
            study.tell(trials[k], best.val_accuracy)
        else:
            study.tell(trials[k], state=TrialState.PRUNED)

    def on_epoch(rows: dict[int, Epoch]) -> set[int]:
        hopeless = set()
        for k, row in rows.items():
            histories[k] = History([*histories[k], row])
            trials[k].report(row.val_accuracy, row.epoch)
            if row.epoch < experiments[k].config.epochs and trials[k].should_prune():
                tell(k, "pruned", f"validation accuracy after epoch {row.epoch} below the median of other trials")
                hopeless.add(k)
        return hopeless

    runs = fit_together(experiments, on_epoch, progress=False)
    if runs.interrupted:
        raise KeyboardInterrupt
    for k, run in enumerate(runs):
        if run.diverged is not None:
            tell(k, "diverged", str(run.diverged))
        elif not run.dropped:
            tell(k, "finished", test=run.best_test.accuracy)


def read(stage: str, trial: FrozenTrial) -> Trial:
    """What ``train`` noted."""
    return Trial(number=trial.user_attrs["point"] + 1, stage=stage, settings=trial.params, **trial.user_attrs["result"])
