"""Files of a run."""

import json
import shutil
from pathlib import Path
from typing import Any, Self

import safetensors.numpy  # noqa: F401 - a broken installation must be found before training, not after
from numpy.typing import NDArray

from anynet.app.config import Config, write_config
from anynet.core.atomic import write_text_whole, write_whole
from anynet.nn import Linear
from anynet.training import Epoch, History, Run
from anynet.training.environment import environment
from anynet.training.load import NET_FILE


class RunFolder:
    """Writer of a run folder.

    ``config.toml`` holds the settings, ``history.csv`` a row for each epoch, written when the epoch ends. At the end,
    ``result.json`` holds results and environment, ``model.safetensors`` the tensors of the last and the best epoch
    ("last.0.W", "best.0.W") and of the input normalization ("input.scale", "input.shift"); ``curves.png`` and
    ``weights.png`` are plots.

    As a context: if the run fails before its first epoch ends, the folder is removed.

    Parameters
    ----------
    path : Path
        New folder.
    config : Config
        Settings of the run.
    dataset : str
        Name of the data set.

    Raises
    ------
    FileExistsError
        If the folder exists.
    """

    def __init__(self, path: Path, config: Config, dataset: str) -> None:
        refuse_existing(path)
        path.mkdir(parents=True)
        self.path = path
        self._dataset, self._val_name = dataset, config.val_name
        self._history = History()
        write_config(config, path / "config.toml")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None and not self._history:
            shutil.rmtree(self.path)

    def add(self, epoch: Epoch) -> None:
        """Append an epoch to the history."""
        self._history = History([*self._history, epoch])
        self._write_history()

    def finish(self, run: Run, *, official: bool, net: bool = True) -> dict[str, Any]:
        """Write results, net and plots, and return the content of ``result.json``.

        Parameters
        ----------
        run : Run
            The trained net.
        official : bool
            True if the images are the official files of CIFAR-10.
        net : bool
            If False, leave out net and plots.

        Returns
        -------
        dict
        """
        result = run_result(run, official=official)
        self._history = run.history
        self._write_history()
        if net:
            self._write_net(run)
        write_result(self.path, result)
        return result

    def fail(self, dataset: str, reason: str) -> None:
        """Write a ``result.json`` with the reason why the run diverged."""
        write_result(self.path, {"dataset": dataset, "diverged": reason})

    def _write_net(self, run: Run) -> None:
        from anynet import plots  # here, because Matplotlib is slow to import

        run.save(self.path / NET_FILE)
        write_whole(self.path / "curves.png", plots.curves(run.history, run.dataset, self._val_name).savefig)
        first = run.net.layers[0]
        if isinstance(first, Linear):
            names = run.classes if len(run.net.layers) == 1 else ()
            title = f"{run.dataset}: weights of the first layer after epoch {run.best.epoch}"
            write_whole(self.path / "weights.png", plots.weights(best_weights(run), title, names).savefig)

    def _write_history(self) -> None:
        self._history.write_csv(self.path / "history.csv", self._dataset)


def write_result(folder: Path, result: dict[str, Any]) -> None:
    """Write ``result.json`` into a folder."""
    write_text_whole(folder / "result.json", json.dumps(result, indent=2) + "\n")


def refuse_existing(path: Path) -> None:
    """Raise FileExistsError if the path exists."""
    if path.exists():
        raise FileExistsError(f"{path}: expected a new folder, but it exists; choose another --run")


def run_result(run: Run, *, official: bool) -> dict[str, Any]:
    """Return results and environment of a run, the content of ``result.json``."""
    return {
        **experiment_environment(run, official=official),
        "seed": run.seed,
        "epochs": len(run.history),
        "interrupted": run.interrupted,
        "train_accuracy": run.history[-1].train_accuracy,
        "val_accuracy": run.history[-1].val_accuracy,
        "test_loss": run.test.loss,
        "test_accuracy": run.test.accuracy,
        "best_epoch": run.best.epoch,
        "best_val_accuracy": run.history.best.val_accuracy,
        "best_test_accuracy": run.best_test.accuracy,
        "seconds": round(run.seconds, 3),
    }


def experiment_environment(run: Run, *, official: bool) -> dict[str, Any]:
    """Return data set, backend, device, how steps ran, versions and machine of a run."""
    return {
        "dataset": run.dataset,
        "official": official,
        "dtype": run.dtype,
        "execution": run.execution,
        **environment(run.backend),
    }


def best_weights(run: Run) -> NDArray[Any]:
    """Return the weights of the first layer after the best epoch, on the host."""
    return run.backend.to_host(run.net.layout.split(run.best.params)["0.W"])
