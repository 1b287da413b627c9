"""All trials of a search, the best first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, overload

from anynet import plots
from anynet.app.search.importances import importances
from anynet.app.search.trial import Trial
from anynet.app.space import Range, Space
from anynet.app.tables import SHOWN, FittingTable, best_table
from anynet.core.formatting import format_count, format_settings, format_value
from anynet.core.html_table import html_block, html_table
from anynet.core.settings_text import in_lines
from anynet.training.run_html import html_plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Trials(Sequence[Trial]):
    """Trials of a search, ranked by validation accuracy: finished ones, then pruned ones, then those that diverged.

    Parameters
    ----------
    trials : tuple of Trial
        The best first.
    space : mapping from str to Grid or Range
        Values that were searched.
    """

    trials: tuple[Trial, ...]
    space: Space

    def __len__(self) -> int:
        return len(self.trials)

    @overload
    def __getitem__(self, k: int) -> Trial: ...
    @overload
    def __getitem__(self, k: slice) -> "Trials": ...
    def __getitem__(self, k: int | slice) -> "Trial | Trials":
        return replace(self, trials=self.trials[k]) if isinstance(k, slice) else self.trials[k]

    def __iter__(self) -> Iterator[Trial]:
        return iter(self.trials)

    @property
    def best(self) -> Trial:
        """First trial of the ranking."""
        if not self.trials:
            raise ValueError("there are no trials; expected one or more")
        return self.trials[0]

    def importances(self) -> dict[str, float]:
        """Return the importance of each setting for a trial to be in the better half; see the guide.

        Returns
        -------
        dict from str to float
            Shares that sum to 1, the largest first; empty with fewer than ten trials, of which nothing can be said.
        """
        return importances(self.trials, self.space)

    def table(self) -> FittingTable:
        """Return a table of the best trials, for ``rich.print``.

        Stages and states are in it where they differ, and numbers with three digits; the trials have all of them.
        """
        return best_table(self.best.dataset, "trials", self.trials, self._columns, self._cells)

    @property
    def _columns(self) -> list[str]:
        return ["stage", "trial", *self.best.settings, "validation", "epoch", "test", "state"]

    def _cells(self, trial: Trial) -> list[str]:
        return [
            trial.stage if len({each.stage for each in self}) > 1 else "",
            str(trial.number),
            *(format_value(value, digits=3) for value in trial.settings.values()),
            _percent(trial.best_val_accuracy),
            str(trial.best_epoch or ""),
            _percent(trial.test_accuracy),
            "" if trial.state == "finished" else trial.state,
        ]

    def __repr__(self) -> str:
        return in_lines(f"Trials({self._outcome})")

    def _repr_html_(self) -> str:
        if not self.trials:
            return html_block("Trials: none")
        columns = zip(self._columns, *map(self._cells, self.trials[:SHOWN]), strict=True)
        header, *rows = zip(*(column for column in columns if any(column[1:])), strict=True)
        many = f"the best {SHOWN}" if len(self) > SHOWN else ""
        plot = html_plot(self.plot, "Best validation accuracy over the settings")
        return html_block(f"Trials: {self._outcome}", html_table(header, rows, caption=many), plot)

    @property
    def _outcome(self) -> str:
        """Number of trials, their data set and the best result with its settings."""
        texts = [format_count(len(self), "trial"), *([repr(self.best.dataset)] if self.trials else [])]
        if self.trials and self.best.best_val_accuracy is not None:
            best = _percent(self.best.best_val_accuracy), format_settings(self.best.settings)
            texts.append(f"best validation accuracy {best[0]} with {best[1]}")
        return ", ".join(texts)

    def plot(self) -> "Figure":
        """Plot the best validation accuracy over the searched settings, with states of trials and importances."""
        return plots.trials(
            [(trial.settings, trial.best_val_accuracy) for trial in self],
            f"{self.best.dataset}: best validation accuracy of {len(self)} trials",
            format_value,
            states=[trial.state for trial in self],
            log={name: part.log for name, part in self.space.items() if isinstance(part, Range)},
            importances=self.importances() if len(self.space) > 1 else None,
        )


def _percent(accuracy: float | None) -> str:
    return "" if accuracy is None else f"{accuracy:.2%}"
