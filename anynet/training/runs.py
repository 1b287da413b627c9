"""What training several nets at once gives back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

from anynet.core.history import History, MeanHistory, mean_history
from anynet.data.dataset import Split
from anynet.training.divergence import DivergedError
from anynet.training.measure import BATCH
from anynet.training.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Ensemble:
    """Several nets' probabilities, averaged.

    runs: the nets, each with its best parameters.
    """

    runs: tuple[Run, ...]
    _test: Split = field(repr=False)

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.floating]:
        """Probabilities of the classes: images of shape (N, 3072), uint8, give shape (N, C)."""
        total = sum(run.predict(images) for run in self.runs)
        return np.asarray(total / len(self.runs))

    @cached_property
    def test_accuracy(self) -> float:
        """The share of test images whose class is found, to be held against the nets' ``best_test.accuracy``."""
        parts = np.array_split(np.arange(len(self._test)), range(BATCH, len(self._test), BATCH))
        found = np.concatenate([self.predict(self._test.images[part]).argmax(axis=1) for part in parts])
        return float(np.mean(found == self._test.labels))


@dataclass(frozen=True)
class Runs(Sequence[Run]):
    """Nets that were trained at once: a sequence of runs, each as if it had been trained alone.

    An epoch's ``seconds``, and a run's, are those of all nets that were in one stack with it.

    interrupted: whether training was stopped by hand before the last epoch of all members, some of which may be missing
        then.
    """

    runs: tuple[Run, ...]
    _test: Split = field(repr=False)
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

    @property
    def diverged(self) -> dict[int, DivergedError]:
        """Epoch, step and learning rate at which a cost stopped being finite, by the run's number from 0."""
        return {k: run.diverged for k, run in enumerate(self) if run.diverged is not None}

    @property
    def sound(self) -> "Runs":
        """The runs without those that diverged or were dropped. Raises ValueError where none is left."""
        runs = tuple(run for run in self if run.diverged is None and not run.dropped)
        if not runs:
            reason = self[0].diverged or "it was dropped"
            raise ValueError(f"all {len(self)} runs ended early, the first because {reason}")
        return replace(self, runs=runs)

    @property
    def best(self) -> Run:
        """The first run with the highest validation accuracy in any epoch, of those that are ``sound``."""
        return max(self.sound, key=lambda run: run.history.best.val_accuracy)

    @property
    def histories(self) -> MeanHistory:
        """Mean and standard deviation over the ``sound`` runs, in the epochs that all of them have."""
        return mean_history([run.history for run in self.sound])

    @cached_property
    def ensemble(self) -> Ensemble:
        """The predictor whose probabilities are the mean of those of the ``sound`` runs."""
        return Ensemble(self.sound.runs, self._test)

    def plot(self, labels: Sequence[str] | None = None) -> "Figure":
        """Cost, loss and accuracy over the epochs, as a Matplotlib figure: means over the runs that did not diverge,
        and bands of one standard deviation.

        labels: for each run, the name of the curve that it is part of; by default all are part of one.

        Raises ValueError where there are not as many, or where all runs diverged.
        """
        from anynet.plots import curves_of_members  # here, so that training without pictures never imports Matplotlib

        names = [""] * len(self) if labels is None else labels
        if len(names) != len(self):
            raise ValueError(f"labels: expected one for each of the {len(self)} runs, got {len(names)}")
        sound, groups = self.sound, dict[str, list[History]]()
        for name, run in zip(names, self, strict=True):
            if run.diverged is None:
                groups.setdefault(name, []).append(run.history)
        return curves_of_members(groups, f"{sound[0].dataset}: {len(sound)} nets, mean and deviation")
