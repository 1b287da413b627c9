"""The best trials, for people to read."""

from collections.abc import Sequence

from rich.table import Table

from anynet.app.search.trial import Trial
from anynet.app.wording import shown

SHOWN = 10


def table(trials: Sequence[Trial]) -> Table:
    """The first ten trials, as ``search`` ranks them."""
    title = f"{trials[0].dataset}: the best {min(SHOWN, len(trials))} of {len(trials)} trials"
    columns = Table("stage", "trial", *trials[0].settings, "validation", "epoch", "test", "", title=title)
    for trial in trials[:SHOWN]:
        columns.add_row(
            trial.stage,
            str(trial.number),
            *map(shown, trial.settings.values()),
            _percent(trial.best_val_accuracy),
            str(trial.best_epoch or ""),
            _percent(trial.test_accuracy),
            "" if trial.state == "finished" else trial.state,
        )
    return columns


def _percent(accuracy: float | None) -> str:
    return "" if accuracy is None else f"{accuracy:.2%}"
