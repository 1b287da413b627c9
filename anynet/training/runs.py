"""Results of training several nets as members: a sequence of runs, and their ensemble."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, overload

import numpy as np

from anynet.core.checks import store
from anynet.core.epoch import rank
from anynet.core.history import History, MeanHistory, mean_history
from anynet.core.html_table import html_block
from anynet.core.settings_text import in_lines
from anynet.data.samples import Split
from anynet.training.errors import DivergedError
from anynet.training.predictions import Predictions
from anynet.training.predictor import Predictor, mean_of
from anynet.training.run import Run
from anynet.training.run_html import html_plot
from anynet.training.run_text import net_in_short
from anynet.training.runs_html import counts, html_runs, left_out, outcome, outcome_of_ensemble

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Ensemble(Predictions):
    """Mean of several nets.

    Parameters
    ----------
    runs : tuple of Run
        One for each member, in their order.
        The nets; each with its best parameters.
    """

    runs: tuple[Run, ...]

    @property
    def remembered(self) -> Mapping[str, Split]:
        """Samples of the training by name, "val" and "test"; none of loaded nets."""
        return self.runs[0].remembered

    def __repr__(self) -> str:
        return in_lines(f"Ensemble({self._outcome})")

    def _repr_html_(self) -> str:
        return html_block(f"Ensemble: mean of {self._outcome}", html_runs(self.runs))

    @property
    def _outcome(self) -> str:
        known = self.__dict__.get("test_accuracy")  # to be shown, an ensemble predicts nothing
        return outcome_of_ensemble(self.runs, known)

    @cached_property
    def predictor(self) -> Predictor:
        """Predictor with the best parameters of all nets."""
        return mean_of([run.predictor for run in self.runs])

    def each(self) -> Iterator[Run]:
        """Return a copy of each run, all of which share what is compiled for predictions and keep none of them."""
        for run, predictor in zip(self.runs, self.predictor.each(), strict=True):
            copy = replace(run)
            store(copy, "predictor", predictor)
            yield copy

    @cached_property
    def test_accuracy(self) -> float:
        """Fraction of test samples that are classified correctly; compare it with ``best_test.accuracy`` of the runs.

        Raises ValueError without test samples of classes.
        """
        if "test" not in self.remembered or not self.runs[0].classes:
            raise ValueError("test_accuracy: expected test samples of classes, which these nets were trained without")
        found = self._classified("test_accuracy", "test")
        return float(np.mean(found.predicted == found.truth))


@dataclass(frozen=True)
class Runs(Sequence[Run]):
    """Results of members: a sequence of runs, each as if the net had been trained alone.

    ``seconds`` of an epoch or of a run is the time of all members that were in one stack with it.

    Parameters
    ----------
    runs : tuple of Run
        One for each member, in their order.
    interrupted : bool
        True if Control-C or SIGTERM came before the end of the training and its test; epochs of all members, or
        members, may be missing.
    """

    runs: tuple[Run, ...]
    interrupted: bool = False

    def __len__(self) -> int:
        return len(self.runs)

    @overload
    def __getitem__(self, k: int) -> Run: ...
    @overload
    def __getitem__(self, k: slice) -> "Runs": ...
    def __getitem__(self, k: int | slice) -> "Run | Runs":
        return replace(self, runs=self.runs[k]) if isinstance(k, slice) else self.runs[k]

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def __repr__(self) -> str:
        return in_lines(f"Runs({outcome(self)})")

    def _repr_html_(self) -> str:
        drawn = any(run.history and counts(run) for run in self)
        plot = html_plot(self.plot, "Curves over the epochs, means of the nets") if drawn else ""
        return html_block(f"Runs: {outcome(self)}", html_runs(self), plot)

    @property
    def diverged(self) -> dict[int, DivergedError]:
        """Errors of the runs whose cost was no longer finite, by the run's number from 0."""
        return {k: run.diverged for k, run in enumerate(self) if run.diverged is not None}

    @property
    def finished(self) -> "Runs":
        """Runs that neither diverged nor were dropped. Raises ValueError if there is none."""
        if not self.runs:
            raise ValueError("there are no runs; expected one or more")
        runs = tuple(run for run in self if counts(run))
        if not runs:
            reason = self[0].diverged or "it was dropped"
            raise ValueError(f"all {len(self)} runs ended early, the first because {reason}")
        return replace(self, runs=runs)

    @property
    def best(self) -> Run:
        """First of the `finished` runs with the highest validation accuracy in any epoch, or lowest loss of numbers.

        If nothing was validated, that with the lowest training loss after the last epoch.
        """
        return max(self.finished, key=lambda run: rank(run.history.best))

    @property
    def histories(self) -> MeanHistory:
        """Mean and standard deviation over the `finished` runs, in the epochs that all of them have."""
        return mean_history([run.history for run in self.finished])

    @cached_property
    def ensemble(self) -> Ensemble:
        """Predictor that averages the probabilities of the `finished` runs."""
        return Ensemble(self.finished.runs)

    def plot(self, labels: Sequence[str] | None = None) -> "Figure":
        """Plot cost, loss and accuracy by epoch: means over the `finished` runs, plus and minus deviations.

        Parameters
        ----------
        labels : sequence of str, optional
            For each run, the label of the curve that it is averaged into. Default: one curve for all.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ValueError
            If there is not one label for each run, or if no run finished.
        """
        from anynet.plots import curves_of_members  # here, so that training without plots does not import Matplotlib

        names = [""] * len(self) if labels is None else labels
        if len(names) != len(self):
            raise ValueError(f"labels: expected one for each of the {len(self)} runs, got {len(names)}")
        finished, curves = self.finished, dict[str, list[History]]()
        for name, run in zip(names, self, strict=True):
            if counts(run):
                curves.setdefault(name, []).append(run.history)
        nets = list(dict.fromkeys(net_in_short(run.net) for run in finished))
        net = nets[0] if len(nets) == 1 else f"{len(nets)} different nets"
        over = f"mean and deviation over {len(finished)} runs" if len(finished) > 1 else "1 run"
        title = f"{finished[0].dataset}: {net}\n{over}{left_out(self)}"
        return curves_of_members(curves, title)
