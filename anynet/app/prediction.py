"""A saved net, and what it says of image files."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from safetensors import SafetensorError, safe_open

from anynet.app import build
from anynet.app import config as configs
from anynet.app.sweep.folder import MEMBERS
from anynet.backends import Backend
from anynet.core.typing import Array, Arrays
from anynet.data.dataset import IMAGE_SHAPE
from anynet.data.normalization import Normalization
from anynet.nn import Sequential
from anynet.training.run import probabilities


@dataclass(frozen=True)
class Predictor:
    """The best net of a run. ``predictor(images)`` gives probabilities, shape (N, C), for uint8 images, (N, 3072)."""

    net: Sequential
    params: Array
    state: Arrays
    normalization: Normalization
    classes: tuple[str, ...]
    dataset: str
    backend: Backend

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.floating]:
        return probabilities(self.net, self.params, self.state, self.normalization, images, self.backend)


@dataclass(frozen=True)
class EnsemblePredictor:
    """The best nets of several runs, whose probabilities are averaged; called as a ``Predictor`` is."""

    members: tuple[Predictor, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        return self.members[0].classes

    @property
    def dataset(self) -> str:
        return self.members[0].dataset

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.floating]:
        return np.asarray(sum(member(images) for member in self.members) / len(self.members))


def load(folder: Path, backend: Backend) -> Predictor | EnsemblePredictor:
    """What predicts of the run in this folder; where nets were trained at once, all of them that did not diverge.

    Raises what ``load_run`` raises.
    """
    if not (folder / MEMBERS).is_file():
        return load_run(folder, backend)
    result = folder / "result.json"
    if not result.is_file():
        raise FileNotFoundError(f"{result} is not there: the runs in {folder} have not come to their end")
    with (folder / MEMBERS).open(newline="", encoding="utf-8") as file:
        sound = [row["member"] for row in csv.DictReader(file) if not row["diverged"]]
    return EnsemblePredictor(tuple(load_run(folder / f"member-{k}", backend) for k in sound))


def load_run(folder: Path, backend: Backend) -> Predictor:
    """The best net of the run in this folder, on a backend's device.

    Raises FileNotFoundError or ValueError, naming the file, where the folder holds no finished run.
    """
    config, path = configs.read(folder / "config.toml"), folder / "model.safetensors"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there: the run in {folder} diverged, or has not come to its end")
    try:
        with safe_open(path, "numpy") as file:
            metadata, tensors = file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from None
    backend.dtype(config.dtype)
    try:
        classes, dataset = tuple(json.loads(metadata["classes"])), metadata["dataset"]
        net = build.net(config, tensors["input.scale"].shape[0], len(classes))
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: expected a model that a run has written, found none of its {error}") from None
    expected = {f"best.{name}": p.shape for name, p in (net.parameters() | net.state()).items()}
    found = {name: t.shape for name, t in tensors.items() if name.startswith("best.")}
    if found != expected or tensors["input.scale"].dtype != config.dtype:
        raise ValueError(f"{path}: its tensors are not those of the net that {folder / 'config.toml'} describes")
    best = {name.removeprefix("best."): backend.asarray(t) for name, t in tensors.items() if name.startswith("best.")}
    params = net.layout.join(best, like=backend.asarray(np.zeros(net.layout.size, config.dtype)))
    state = {name: array for name, array in best.items() if name not in net.layout.slots}
    normalization = Normalization(backend.asarray(tensors["input.scale"]), backend.asarray(tensors["input.shift"]))
    return Predictor(net, params, state, normalization, classes, dataset, backend)


def read_image(path: Path) -> NDArray[np.uint8]:
    """An image file as the nets see it: its middle square, 32 x 32 pixels, as one row of shape (3072,).

    Raises FileNotFoundError, or ValueError for a file that is no image; both name it.
    """
    try:
        with Image.open(path) as image:
            square = ImageOps.fit(ImageOps.exif_transpose(image).convert("RGB"), IMAGE_SHAPE[:0:-1])
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: there is no such file") from None
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError) as error:
        raise ValueError(f"{path}: expected an image file, such as PNG or JPEG ({error})") from None
    return np.asarray(square).transpose(2, 0, 1).reshape(-1)
