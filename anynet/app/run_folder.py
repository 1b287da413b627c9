"""Files of a run."""

import json
import platform
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from anynet.app.config import Config, write_config
from anynet.core.atomic import write_whole
from anynet.nn import Linear
from anynet.training import Epoch, History, Run


class RunFolder:
    """Writer of a run folder.

    ``config.toml`` holds the settings, ``history.csv`` a row for each epoch, written when the epoch ends. At the end,
    ``result.json`` holds results and environment, ``model.safetensors`` the tensors of the last and the best epoch
    ("last.0.W", "best.0.W") and of the input normalization ("input.scale", "input.shift"); ``curves.png`` and
    ``weights.png`` are plots.

    As a context: if the run fails before its first epoch ends, the folder is removed.

    Parameters
    ----------
    path : Path, optional
        New folder. Default: see `make_folder`.
    config : Config
        Settings of the run.
    dataset : str
        Name of the data set.

    Raises
    ------
    FileExistsError
        If the folder exists.
    """

    def __init__(self, path: Path | None, config: Config, dataset: str) -> None:
        self.path = make_folder(path)
        self._dataset, self._val_name = dataset, config.val_name
        self._history = History()
        write_config(config, self.path / "config.toml")

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

        tensors = run_tensors(run)
        metadata = {"classes": json.dumps(run.classes), "dataset": run.dataset}
        write_whole(self.path / "model.safetensors", lambda path: path.write_bytes(save(tensors, metadata)))
        write_whole(self.path / "curves.png", plots.curves(run.history, run.dataset, self._val_name).savefig)
        first = run.net.layers[0]
        if isinstance(first, Linear):
            names = run.classes if len(run.net.layers) == 1 else ()
            title = f"{run.dataset}: weights of the first layer after epoch {run.best.epoch}"
            write_whole(self.path / "weights.png", plots.weights(tensors["best.0.W"], title, names).savefig)

    def _write_history(self) -> None:
        self._history.write_csv(self.path / "history.csv", self._dataset)


def write_result(folder: Path, result: dict[str, Any]) -> None:
    """Write ``result.json`` into a folder."""
    text = json.dumps(result, indent=2) + "\n"
    write_whole(folder / "result.json", lambda path: path.write_text(text, encoding="utf-8"))


def refuse_existing(path: Path) -> None:
    """Raise FileExistsError if the path exists."""
    if path.exists():
        raise _exists(path)


def make_folder(path: Path | None = None) -> Path:
    """Make a new folder. Of several processes only one gets a name.

    Parameters
    ----------
    path : Path, optional
        Default: a folder under ``runs``, named after the time, with a number if there is one of that name.

    Returns
    -------
    Path

    Raises
    ------
    FileExistsError
        If `path` exists.
    """
    if path is not None:
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            raise _exists(path) from None
        return path
    time, number = datetime.now().strftime("%Y%m%d-%H%M%S"), 1
    path = Path("runs", time)
    path.parent.mkdir(exist_ok=True)
    while True:
        try:
            path.mkdir()
            return path
        except FileExistsError:
            number += 1
            path = path.with_name(f"{time}-{number}")


def _exists(path: Path) -> FileExistsError:
    return FileExistsError(f"{path}: expected a new folder, but it exists; choose another --run")


def run_result(run: Run, *, official: bool) -> dict[str, Any]:
    """Return results and environment of a run, the content of ``result.json``."""
    return {
        **environment(run, official=official),
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


def environment(run: Run, *, official: bool) -> dict[str, Any]:
    """Return data set, backend, device, how steps ran, versions and machine of a run."""
    return {
        "dataset": run.dataset,
        "official": official,
        "backend": run.backend.name,
        "device": run.backend.device_name,
        "dtype": run.dtype,
        "precision": run.backend.precision,
        "execution": run.execution,
        "versions": {
            "python": platform.python_version(),
            **{name: sys.modules[name].__version__ for name in ("anynet", "numpy", run.backend.name)},
        },
        "machine": platform.platform(),
    }


def run_tensors(run: Run) -> dict[str, NDArray[Any]]:
    """Return the tensors of ``model.safetensors`` by name."""
    tensors = {f"input.{name}": run.backend.to_host(a) for name, a in run.normalization._asdict().items()}
    for which, snapshot in (("last", run.last), ("best", run.best)):
        named = run.net.layout.split(snapshot.params) | snapshot.state
        tensors |= {f"{which}.{name}": np.ascontiguousarray(run.backend.to_host(a)) for name, a in named.items()}
    return tensors
