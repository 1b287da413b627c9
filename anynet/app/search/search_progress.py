"""Progress of a search: the best trial behind a bar or, where stderr is no terminal, a line for each trial."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from anynet.app.search.trial import Trial
from anynet.core.formatting import format_count, format_settings, format_value
from anynet.core.meter import Meter


class SearchProgress:
    """Progress of a search, as a context.

    Parameters
    ----------
    total : int
        Number of trials of all stages.
    """

    def __init__(self, total: int) -> None:
        self._meter, self._total = Meter(total=total, unit="trial"), total
        self._known: set[tuple[str, int]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._meter.__exit__(kind, error, traceback)

    def update(self, trials: Sequence[Trial], done: int) -> None:
        """Show what has been finished since the last call.

        Parameters
        ----------
        trials : sequence of Trial
            All finished trials, the best first.
        done : int
            Number of trials that are finished.
        """
        finished = {(trial.stage, trial.number): trial for trial in trials}
        new = [finished[key] for key in sorted(finished.keys() - (self._known or set()))]
        if self._known is None:
            ended = min(len(trials), self._total)  # of later stages, too
            there = f", {ended} of them finished" if ended else ""
            self._meter.say(f"{format_count(self._total, 'trial')}{there}")
        elif new:
            first = max(1, done - len(new) + 1)  # others may have been added by another process
            self._meter.say("\n".join(f"{i}/{self._total}: {_line(trial)}" for i, trial in enumerate(new, start=first)))
        self._known = set(finished)
        self._meter.bar.update(done - self._meter.bar.n)
        if trials and (accuracy := trials[0].best_val_accuracy) is not None:
            self._meter.show(*best_texts(accuracy, trials[0]))


def best_texts(accuracy: float, trial: Trial) -> list[str]:
    """Return texts about the best trial, each with a setting less than the one before.

    Parameters
    ----------
    accuracy : float
        Its best validation accuracy.
    trial : Trial

    Returns
    -------
    list of str
    """
    best = f"best {accuracy:.1%}"
    parts = [f"{name} {format_value(value, digits=3)}" for name, value in trial.settings.items()]
    texts = [", ".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return [*(f"{best}: {text}{', ...' * (i > 0)}" for i, text in enumerate(texts)), best]


def _line(trial: Trial) -> str:
    accuracy = "" if trial.best_val_accuracy is None else f", validation {trial.best_val_accuracy:.2%}"
    state = "" if trial.state == "finished" else f" {trial.state}"
    return f"{trial.stage} {trial.number}{state}{accuracy}: {format_settings(trial.settings)}"
