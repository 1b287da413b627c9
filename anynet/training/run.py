"""Result of training one net: its last and its best parameters, history and test metrics."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from anynet.backends import Backend
from anynet.compiler import PLAIN
from anynet.core.errors import file_to_write
from anynet.core.formatting import format_count
from anynet.core.history import History
from anynet.core.history_html import html_epochs
from anynet.core.html_table import html_block
from anynet.core.settings_text import in_lines
from anynet.core.typing import Array
from anynet.data.dataset import Label
from anynet.data.normalization import Normalization
from anynet.data.samples import Split
from anynet.nn import Sequential
from anynet.training.errors import DivergedError
from anynet.training.evaluate import Metrics
from anynet.training.one_net import OneNet
from anynet.training.predictor import Predictor
from anynet.training.run_file import write_run
from anynet.training.run_html import FINISHED, best_text, html_plot, net_text, test_text
from anynet.training.run_text import net_in_short, results_in_short
from anynet.training.snapshot import Snapshot
from anynet.training.trained_net import TrainedNet

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True, repr=False)
class Run(OneNet):
    """A trained net, with everything needed to use it.

    Parameters
    ----------
    net : Sequential
        Layers and sizes; the parameters are in `last` and `best`.
    backend : Backend
        Library and device that the net was trained on, and which predictions use.
    dtype : {"float32", "float64"}
        Precision of the parameters.
    seed : int
        Seed of the initial parameters and of the training.
    dataset : str
        Name of the data set.
    classes : tuple of str, int or bool
        Labels of the classes, such as their names; empty if targets are numbers.
    shape : tuple of int
        Shape of a sample, such as (channels, rows, columns) or (values,).
    history : History
        One `Epoch` for each completed epoch.
    last, best : Snapshot
        The net after the last epoch, and after the best one; see `History.best`.
    normalization : Normalization
        Applied to samples before the net, on the device.
    test, best_test : Metrics or None
        On the test samples, with the last and with the best parameters; None if there are none.
    seconds : float
        Time of training and evaluation, without loading data.
    seconds_of : dict of float
        Of them, those of "training" steps, "evaluation" after epochs, "checkpoints" and "test", and "earlier", before a
        training went on; "training and evaluation" together on GPUs.
    execution : str
        How training steps ran, such as "recorded steps", "one compiled loop", "CUDA graph" or "plain steps".
    input_dtype : {"uint8", "float"}
        Kind of the samples that the net was trained on: uint8, or other numbers.
    logistic : bool
        True if the net was trained with binary cross-entropy, so that the sigmoid of its outputs is predicted.
    tta : {"none", "mirror", "shift"}
        Test-time augmentation, of `test`, `best_test` and predictions.
    interrupted : bool
        True if Control-C or SIGTERM came before the end of the training and its test; epochs may be missing.
    dropped : bool
        True if a callback dropped the member before its last epoch.
    stopped_early : bool
        True if the training ended before its last epoch because validation no longer improved, by `patience`, or by a
        callback.
    diverged : DivergedError or None
        Why a member stopped before its last epoch, if its cost was no longer finite.
    environment : dict or None
        Backend, device, versions and machine that a loaded net was trained with; None if it was trained here.
    settings : dict of str to bool, int, float or str
        Optimizer, learning rate and settings of the training by name, without those that are None; empty if the net was
        loaded from a file of an earlier version.
    path : Path or None
        File that a loaded run is from; None if it was trained here.
    """

    net: Sequential
    backend: Backend
    dtype: str
    seed: int
    dataset: str
    classes: tuple[Label, ...]
    shape: tuple[int, ...]
    history: History
    last: Snapshot
    best: Snapshot
    normalization: Normalization
    test: Metrics | None
    best_test: Metrics | None
    seconds: float
    execution: str
    input_dtype: str = "uint8"
    logistic: bool = False
    tta: str = "none"
    interrupted: bool = False
    dropped: bool = False
    stopped_early: bool = False
    diverged: DivergedError | None = None
    environment: dict[str, Any] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    seconds_of: dict[str, float] = field(default_factory=dict)
    path: Path | None = field(default=None, compare=False)
    _samples: Mapping[str, Split] = field(default_factory=dict, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_samples": {}}  # they may be many, and are those of the data set

    def __repr__(self) -> str:
        return in_lines(f"Run({net_text(self.net)}, {self.dataset!r}, {self._outcome})")

    def _repr_html_(self) -> str:
        history, parameters = self.history, format_count(self.net.n_parameters, "parameter")
        where = f"{self.seconds:,.1f} s on {self.backend}, {self.execution}"
        return html_block(
            f"Run on {self.dataset}: {self._outcome}",
            f"{net_text(self.net)}, {parameters}; {where}",
            html_epochs(history, history.columns, history.best) if history else "",
            html_plot(self.plot, "Curves over the epochs") if history else "",
        )

    @property
    def status(self) -> str:
        """One of "finished", "diverged", "dropped", "interrupted" and "stopped early"."""
        ends = {
            "diverged": self.diverged is not None,
            "dropped": self.dropped,
            "interrupted": self.interrupted,
            "stopped early": self.stopped_early,
        }
        return next((text for text, happened in ends.items() if happened), FINISHED)

    @property
    def _outcome(self) -> str:
        """Number of epochs, results on the test samples, and why the training ended early."""
        ends = [] if self.status == FINISHED else [self.status]
        results = test_text(self.test, self.best_test) or best_text(self.history)
        return ", ".join([format_count(self.last.epoch, "epoch"), *results, *ends])

    @property
    def params(self) -> Array:
        """Last parameters, shape (P,), on the device."""
        return self.last.params

    @property
    def remembered(self) -> Mapping[str, Split]:
        """Samples of the training by name, "val" and "test"; none of a loaded net."""
        return self._samples

    def without_samples(self) -> Self:
        """Return the run without the samples that it remembers, whose memory can then be freed."""
        return replace(self, _samples={})

    @property
    def title(self) -> str:
        """Data set and net in one line, and best epoch, test results and why training ended early in another."""
        validated = bool(self.history) and self.history[0].val_loss is not None
        results = results_in_short(
            self.last.epoch,
            self.best.epoch if validated else None,
            [test and (test.accuracy, test.loss) for test in (self.best_test, self.test)],
            "" if self.status == FINISHED else self.status,
        )
        return f"{self.dataset}: {net_in_short(self.net)}\n{results}"

    @cached_property
    def predictor(self) -> Predictor:
        """Predictor with the best parameters, compiled if the training was."""
        net = TrainedNet(self.net, self.best.params, self.best.state, self.normalization)
        return Predictor(
            (net,),
            self.shape,
            self.input_dtype,
            self.classes,
            self.dataset,
            self.dtype,
            self.backend,
            self.logistic,
            self.tta,
            "off" if self.execution == PLAIN else "auto",
        )

    def save(self, path: str | Path) -> None:
        """Write everything that the run has into a file, from which ``anynet.load`` makes it again.

        Parameters
        ----------
        path : str or Path
            Safetensors file to write or replace, whole or not at all.

        Raises
        ------
        ValueError
            If `path` is a folder, or empty.
        FileNotFoundError
            If there is no such folder.
        ModuleNotFoundError
            If safetensors is not installed.
        OSError
            If the file cannot be written.
        """
        names = [each.name for each in fields(self) if each.name not in ("path", "_samples")]
        write_run(file_to_write(path, "net.safetensors"), **{name: getattr(self, name) for name in names})

    def plot(self) -> "Figure":
        """Plot cost, loss and accuracy by epoch.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from anynet.plots import curves  # here, so that training without plots does not import Matplotlib

        rates = list(dict.fromkeys(f"{row.lr:.3g}" for row in (*self.history[:1], *self.history[-1:])))
        note = f"learning rate {' to '.join(rates)}, seed {self.seed}, {self.dtype}, backend {self.backend.name}"
        return curves(self.history, self.title, note=note)
