"""Files of a run."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import safetensors.numpy  # noqa: F401 - a broken installation must be found before training, not after
from numpy.typing import NDArray

from anynet.app.analyze import ANALYSIS, write_analysis
from anynet.app.config import Config
from anynet.app.config_file import write_config
from anynet.app.config_text import main_settings
from anynet.app.keeping import Page, Picture, Tolerant, write_or_rescue
from anynet.app.new_folder import begin_anywhere, begin_folder
from anynet.app.resuming import CHECKPOINTS, tell_what_is_kept, with_other_epochs
from anynet.app.run_result import run_result, write_failure, write_result
from anynet.training import DivergedError, Epoch, History, Run
from anynet.training.checkpoint_files import read_histories
from anynet.training.load import DIVERGENCE, NET_FILE
from anynet.training.net_pictures import pictured_layer

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class RunFolder:
    """Writer of a run folder.

    ``config.toml`` holds the settings, ``history.csv`` a row for each epoch, written when the epoch ends. At the end,
    ``model.safetensors`` holds the net as `Run.save` writes it, ``result.json`` results and environment. Then
    ``analysis.json`` is written, what `anynet.app.analyze.analysis` returns, and ``curves.png`` and ``weights.png`` are
    drawn. If the cost stops being finite, ``divergence.json``
    holds `DivergedError.report`, and ``result.json`` the reason and the report.

    As a context: if the run fails before its first epoch ends, the folder is removed, unless it holds such a report.

    Parameters
    ----------
    path : Path, optional
        New folder. Default: see `anynet.app.new_folder.make_folder`.
    config : Config
        Settings of the run.
    dataset : str
        Name of the data set.
    resume : bool
        If True, `path` is the folder of a run that goes on from its checkpoints.
    anywhere : bool
        If True, a new folder is made elsewhere if the disk is full; `path` then is that one.

    Raises
    ------
    FileExistsError
        If the folder exists, unless `resume`.
    """

    def __init__(
        self, path: Path | None, config: Config, dataset: str, *, resume: bool = False, anywhere: bool = False
    ) -> None:
        def write(path: Path) -> None:
            write_config(config, path / "config.toml")

        known = path if resume else None
        self._history, self._new = History(), known is None
        self._planned = {} if known is None else with_other_epochs(known, config.epochs)
        if known is None:
            self.path = (begin_anywhere if anywhere else begin_folder)(path, write)
        else:
            self.path = known
            self._history = next(iter(read_histories(known / CHECKPOINTS)), self._history)
        self._config, self._dataset, self._tolerant = config, dataset, Tolerant(self.path / "history.csv")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, DivergedError):
            with suppress(OSError):
                error.file = write_failure(self.path, self._dataset, error)
        if kind is not None and self._new and not self._history and not (self.path / DIVERGENCE).exists():
            shutil.rmtree(self.path, ignore_errors=True)
        tell_what_is_kept(error, self.path)

    def add(self, epoch: Epoch) -> None:
        """Append an epoch to the history. If it cannot be written, a line on stderr says so once."""
        self._history = History([*self._history, epoch])
        with self._tolerant:
            self._history.write_csv(self.path / "history.csv", self._dataset)

    def finish(self, run: Run, *, official: bool) -> dict[str, Any]:
        """Write net and results: here or, if that fails, in a new folder, which `path` then is.

        Parameters
        ----------
        run : Run
            The trained net.
        official : bool
            True if the images are the official files of CIFAR-10.

        Returns
        -------
        dict
            Content of ``result.json``.

        Raises
        ------
        OSError
            If they cannot be written elsewhere either.
        """

        def write(path: Path) -> None:
            if path != self.path or not self._new:  # it may have more epochs now
                write_config(self._config, path / "config.toml")
            write_run(path, run, result)

        result = run_result(run, official=official) | self._planned
        self.path = write_or_rescue(self.path, write)
        return result

    def pages(self, run: Run) -> list[Page]:
        """Return the files about a run's predictions, to be written while it remembers its samples."""
        return run_pages(self.path, run)

    def pictures(self, run: Run) -> list[Picture]:
        """Return the pictures of a run, to be drawn."""
        return run_pictures(self.path, run, self._config.val_name, main_settings(self._config))


def write_run(path: Path, run: Run, result: dict[str, Any], *, net: bool = True) -> None:
    """Write net, history and results of a run into its folder.

    Parameters
    ----------
    path : Path
    run : Run
    result : dict
        As returned by `run_result`.
    net : bool
        If False, leave out the net.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    if net:
        run.save(path / NET_FILE)
    run.history.write_csv(path / "history.csv", run.dataset)
    write_result(path, result)


def run_pages(path: Path, run: Run) -> list[Page]:
    """Return the files about a run's predictions, to be written while it remembers its samples.

    Parameters
    ----------
    path : Path
        Run folder.
    run : Run

    Returns
    -------
    list of Page
        None if the test was interrupted.
    """
    if run.best_test is None:
        return []
    return [Page(path / ANALYSIS, lambda partial: write_analysis(partial, run))]


def run_pictures(path: Path, run: Run, val_name: str, settings: str = "") -> list[Picture]:
    """Return the pictures of a run, to be drawn.

    Parameters
    ----------
    path : Path
        Run folder.
    run : Run
    val_name : str
        Name of the validation images.
    settings : str
        Main settings, for the note below the curves.

    Returns
    -------
    list of Picture
    """

    def curves() -> "Figure":
        from anynet import plots  # here, because Matplotlib is slow to import

        return plots.curves(run.history, run.title, val_name, settings)

    pictures = [Picture(path / "curves.png", curves)]
    if pictured_layer(run.net, run.shape) is not None:
        pictures.append(Picture(path / "weights.png", run.plot_weights))
    return pictures


def best_weights(run: Run) -> NDArray[Any]:
    """Return the weights of the first layer after the best epoch, on the host."""
    return run.backend.to_host(run.net.layout.split(run.best.params)["0.W"])
