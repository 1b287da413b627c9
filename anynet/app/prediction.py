"""Loading a saved net."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from anynet.app import build
from anynet.app.config import read_config
from anynet.app.sweep.sweep_folder import MEMBERS
from anynet.backends import Backend
from anynet.core.csv_files import read_rows
from anynet.core.typing import Array, Arrays
from anynet.data.normalization import Normalization
from anynet.nn import Sequential
from anynet.training.result import probabilities


@dataclass(frozen=True)
class Predictor:
    """The best net of a run; calling it returns class probabilities.

    Parameters
    ----------
    net : Sequential
    params : array
        Parameter vector, on the backend's device.
    state : dict of arrays
        Running statistics, on the device.
    normalization : Normalization
        Input normalization, on the device.
    classes : tuple of str
        Names of the classes.
    dataset : str
        Name of the training data set.
    backend : Backend
    """

    net: Sequential
    params: Array
    state: Arrays
    normalization: Normalization
    classes: tuple[str, ...]
    dataset: str
    backend: Backend

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.floating]:
        """Return probabilities, shape (N, C), of images, shape (N, 3072)."""
        return probabilities(self.net, self.params, self.state, self.normalization, images, self.backend)


@dataclass(frozen=True)
class EnsemblePredictor:
    """The best nets of several runs; calling it returns the mean of their class probabilities.

    Parameters
    ----------
    members : tuple of Predictor
        One or more, trained on the same data set.
    """

    members: tuple[Predictor, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.members[0].classes

    @property
    def dataset(self) -> str:
        """Name of the training data set."""
        return self.members[0].dataset

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.floating]:
        """Return probabilities, shape (N, C), of images, shape (N, 3072)."""
        return np.asarray(sum(member(images) for member in self.members) / len(self.members))


def load_predictor(folder: Path, backend: Backend) -> Predictor | EnsemblePredictor:
    """Load the best net of a run, or those of all members of a sweep that did not diverge.

    Parameters
    ----------
    folder : Path
        Folder of a run or of a sweep.
    backend : Backend
        Backend that the nets are moved to.

    Returns
    -------
    Predictor or EnsemblePredictor

    Raises
    ------
    FileNotFoundError, ValueError
        If the folder holds no finished run; the message names the file.
    """
    if not (folder / MEMBERS).is_file():
        return load_run(folder, backend)
    result = folder / "result.json"
    if not result.is_file():
        raise FileNotFoundError(f"{result}: no such file; the runs in {folder} are not finished")
    finished = [row["member"] for row in read_rows(folder / MEMBERS) if not row["diverged"]]
    return EnsemblePredictor(tuple(load_run(folder / f"member-{k}", backend) for k in finished))


def load_run(folder: Path, backend: Backend) -> Predictor:
    """Load the best net of a run.

    Parameters
    ----------
    folder : Path
        Run folder.
    backend : Backend
        Backend that the net is moved to.

    Returns
    -------
    Predictor

    Raises
    ------
    FileNotFoundError, ValueError
        If the folder holds no finished run; the message names the file.
    """
    config, path = read_config(folder / "config.toml"), folder / "model.safetensors"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; the run in {folder} diverged or is not finished")
    try:
        with safe_open(path, "numpy") as file:
            metadata, tensors = file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path}: expected a complete safetensors file ({error})") from None
    backend.dtype(config.dtype)
    try:
        classes, dataset = tuple(json.loads(metadata["classes"])), metadata["dataset"]
        net = build.net(config, tensors["input.scale"].shape[0], len(classes))
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: expected a net that anynet saved, but {error} is missing") from None
    expected = {f"best.{name}": p.shape for name, p in (net.parameters() | net.state()).items()}
    found = {name: t.shape for name, t in tensors.items() if name.startswith("best.")}
    if found != expected or tensors["input.scale"].dtype != config.dtype:
        raise ValueError(f"{path}: expected the tensors of the net in {folder / 'config.toml'}, got others")
    best = {name.removeprefix("best."): backend.asarray(t) for name, t in tensors.items() if name.startswith("best.")}
    params = net.layout.join(best, like=backend.asarray(np.zeros(net.layout.size, config.dtype)))
    state = {name: array for name, array in best.items() if name not in net.layout.slots}
    normalization = Normalization(backend.asarray(tensors["input.scale"]), backend.asarray(tensors["input.shift"]))
    return Predictor(net, params, state, normalization, classes, dataset, backend)
