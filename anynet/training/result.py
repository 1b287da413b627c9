"""Results of training one net or several."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from anynet.backends import Backend
from anynet.core.formatting import format_count
from anynet.core.history import History, MeanHistory, mean_history
from anynet.core.typing import Array, Arrays
from anynet.data.dataset import Split
from anynet.data.normalization import Normalization
from anynet.nn import Sequential
from anynet.training.errors import DivergedError
from anynet.training.evaluate import BATCH_SIZE, Metrics
from anynet.training.probabilities import probabilities
from anynet.training.run_file import write_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Snapshot(NamedTuple):
    """A net after an epoch.

    Attributes
    ----------
    epoch : int
        Counted from 1; 0 before the first.
    params : array, shape (P,)
        On the device.
    state : dict of arrays
        Running statistics, on the device.
    """

    epoch: int
    params: Array
    state: Arrays


@dataclass(frozen=True, kw_only=True, repr=False)
class Run:
    """A trained net, with everything needed to use it.

    Parameters
    ----------
    net : Sequential
    backend : Backend
    dtype : str
    seed : int
        As trained with.
    dataset : str
        Name of the data set.
    classes : tuple of str
        Names of the classes.
    history : History
        One `Epoch` for each completed epoch.
    last, best : Snapshot
        The net after the last epoch, and after the first epoch with the highest validation accuracy.
    normalization : Normalization
        Applied to images before the net, on the device.
    test, best_test : Metrics
        On the test images, with the last and with the best parameters.
    seconds : float
        Time of training and evaluation, without loading data.
    execution : str
        How training steps ran, such as "recorded steps", "one compiled loop", "CUDA graph" or "plain steps".
    interrupted : bool
        True if Control-C or SIGTERM came before the end of the training and its test; epochs may be missing.
    dropped : bool
        True if ``on_epoch`` dropped the member before its last epoch.
    diverged : DivergedError or None
        Why a member stopped before its last epoch, if its cost was no longer finite.
    environment : dict or None
        Backend, device, versions and machine that a loaded net was trained with; None if it was trained here.
    """

    net: Sequential
    backend: Backend
    dtype: str
    seed: int
    dataset: str
    classes: tuple[str, ...]
    history: History
    last: Snapshot
    best: Snapshot
    normalization: Normalization
    test: Metrics
    best_test: Metrics
    seconds: float
    execution: str
    interrupted: bool = False
    dropped: bool = False
    diverged: DivergedError | None = None
    environment: dict[str, Any] | None = None

    def __repr__(self) -> str:
        last, best = self.test.accuracy, self.best_test.accuracy
        epochs = format_count(self.last.epoch, "epoch")
        return f"Run({self.net}, {self.dataset!r}, {epochs}, test accuracy {last:.2%}, best epoch's {best:.2%})"

    @property
    def params(self) -> Array:
        """Last parameters, shape (P,), on the device."""
        return self.last.params

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.floating]:
        """Return the probabilities of the classes: the softmax of the logits, with the best parameters.

        Parameters
        ----------
        images : ndarray of uint8, shape (N, 3072)
            As loaded, 0 to 255: the net's own normalization is applied to them.

        Returns
        -------
        ndarray, shape (N, C)

        Raises
        ------
        TypeError, ValueError
            If the images are of another dtype or shape.
        """
        return probabilities(self.net, self.best.params, self.best.state, self.normalization, images, self.backend)

    def save(self, path: str | Path) -> None:
        """Write everything that the run has into a file, from which ``anynet.load`` makes it again.

        Parameters
        ----------
        path : str or Path
            Safetensors file to write or replace, whole or not at all.

        Raises
        ------
        FileNotFoundError
            If there is no such folder.
        ModuleNotFoundError
            If safetensors is not installed.
        OSError
            If the file cannot be written.
        """
        file = Path(path)
        if not file.parent.is_dir():
            raise FileNotFoundError(
                f"{file}: expected a path in a folder, but there is no folder {file.parent}; make it"
            )
        write_run(file, **{each.name: getattr(self, each.name) for each in fields(self)})

    def plot(self) -> "Figure":
        """Plot cost, loss and accuracy by epoch.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from anynet.plots import curves  # here, so that training without plots does not import Matplotlib

        return curves(self.history, self.dataset)


@dataclass(frozen=True)
class Ensemble:
    """A predictor that averages the probabilities of several nets.

    Parameters
    ----------
    runs : tuple of Run
        The nets; each with its best parameters.
    """

    runs: tuple[Run, ...]
    _test: Split = field(repr=False)

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.floating]:
        """Return the mean probabilities of the classes.

        Parameters
        ----------
        images : ndarray of uint8, shape (N, 3072)

        Returns
        -------
        ndarray, shape (N, C)

        Raises
        ------
        TypeError, ValueError
            If the images are of another dtype or shape.
        """
        total = sum(run.predict(images) for run in self.runs)
        return np.asarray(total / len(self.runs))

    @cached_property
    def test_accuracy(self) -> float:
        """Fraction of test images that are classified correctly; compare it with ``best_test.accuracy`` of the runs."""
        parts = np.array_split(np.arange(len(self._test)), range(BATCH_SIZE, len(self._test), BATCH_SIZE))
        found = np.concatenate([self.predict(self._test.images[part]).argmax(axis=1) for part in parts])
        return float(np.mean(found == self._test.labels))


@dataclass(frozen=True)
class Runs(Sequence[Run]):
    """Results of members: a sequence of runs, each as if the net had been trained alone.

    ``seconds`` of an epoch or of a run is the time of all members that were in one stack with it.

    Parameters
    ----------
    runs : tuple of Run
    interrupted : bool
        True if Control-C or SIGTERM came before the end of the training and its test; epochs of all members, or
        members, may be missing.
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
        """Errors of the runs whose cost was no longer finite, by the run's number from 0."""
        return {k: run.diverged for k, run in enumerate(self) if run.diverged is not None}

    @property
    def finished(self) -> "Runs":
        """Runs that neither diverged nor were dropped. Raises ValueError if there is none."""
        if not self.runs:
            raise ValueError("there are no runs; expected one or more")
        runs = tuple(run for run in self if run.diverged is None and not run.dropped)
        if not runs:
            reason = self[0].diverged or "it was dropped"
            raise ValueError(f"all {len(self)} runs ended early, the first because {reason}")
        return replace(self, runs=runs)

    @property
    def best(self) -> Run:
        """First of the `finished` runs with the highest validation accuracy in any epoch."""
        return max(self.finished, key=lambda run: run.history.best.val_accuracy)

    @property
    def histories(self) -> MeanHistory:
        """Mean and standard deviation over the `finished` runs, in the epochs that all of them have."""
        return mean_history([run.history for run in self.finished])

    @cached_property
    def ensemble(self) -> Ensemble:
        """Predictor that averages the probabilities of the `finished` runs."""
        return Ensemble(self.finished.runs, self._test)

    def plot(self, labels: Sequence[str] | None = None) -> "Figure":
        """Plot cost, loss and accuracy by epoch: means over the runs that did not diverge, plus and minus deviations.

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
            if run.diverged is None:
                curves.setdefault(name, []).append(run.history)
        return curves_of_members(curves, f"{finished[0].dataset}: {len(finished)} nets, mean and deviation")
