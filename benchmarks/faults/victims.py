"""Commands to be killed: how they are started, how they go on, and everything that they leave but times."""

import csv
import hashlib
import io
import json
import pickle
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from safetensors import safe_open

from anynet.core.atomic import PARTIAL
from anynet.data.dataset import BATCHES
from anynet.data.sets import SETS
from anynet.data.synthetic import draw
from benchmarks.faults import anynet as child

ARCHIVE = SETS["cifar10"].files[0].name

TIMES = ("seconds", "seconds_of", "finished_at")
"""Names of values that differ from run to run."""


@dataclass(frozen=True)
class Victim:
    """A command.

    Parameters
    ----------
    options : list of str
        Command and options, without the folder.
    folder : str
        Option for the folder of the results; "" if it is the cache.
    resumes : bool
        True if the command goes on by ``train --resume``, False if it is given again.
    environment : dict of str
        More environment variables.
    """

    options: list[str]
    folder: str
    resumes: bool = False
    environment: dict[str, str] = field(default_factory=dict)

    def next_call(self, folder: Path) -> list[str]:
        """Return the arguments with which the command begins, or goes on with what is in a folder."""
        if self.resumes and (folder / "config.toml").exists():
            return ["train", "--resume", str(folder)]
        if self.resumes and folder.exists():  # killed before anything was there
            shutil.rmtree(folder)
        return [*self.options, self.folder, str(folder)] if self.folder else self.options


def small_training(data: Path, **settings: str) -> list[str]:
    """Return a training on few images as arguments."""
    common = {"data": str(data), "train": "600", "val": "300", "hidden": "60", "batch-size": "20", "seed": "3"}
    return ["train", *(f"--{name}={value}" for name, value in (common | settings).items())]


def victims(data: Path, backend: str) -> dict[str, Victim]:
    """Return the commands by name.

    Parameters
    ----------
    data : Path
        Folder of images.
    backend : str
        Backend that they train on.
    """
    one = small_training(data, backend=backend, epochs="8", optimizer="adam", **{"flip": "true"})
    members = small_training(data, backend=backend, epochs="4", schedule="cosine")
    searched = ["search", *small_training(data, backend=backend, epochs="3")[1:], "--no-prune", "--stack-size=2"]
    here = [f"--data={data}", f"--backend={backend}"]
    return {
        "train": Victim(one, "--out", resumes=True),
        "seeds": Victim([*members, "--seeds=2"], "--out", resumes=True),
        "sweep": Victim([*members, "--sweep=lr=0.01,0.03"], "--out", resumes=True),
        "search": Victim([*searched, "--over=lr=0.001..0.1", "--trials=3", "--fine=1"], "--out"),
        "reproduce": Victim(
            # Runs one by one: those that are made again would be stacked with fewer others, and rounded otherwise.
            ["reproduce", "herrera-sarrias", "--quick", "--jobs=1", "--stack-size=1", *here],
            "--out",
        ),
    }


def download_victim(address: str, archive: bytes, cache: Path) -> Victim:
    """Return the download of an archive from a server into a cache."""
    md5 = hashlib.md5(archive).hexdigest()
    mirror = {"ANYNET_MIRROR": address, "ANYNET_CACHE": str(cache), "no_proxy": "*"}
    return Victim(["data", "cifar10"], "", environment=mirror | {child.ARCHIVE: f"{len(archive)} {md5}"})


def write_images(folder: Path, per_batch: int) -> None:
    """Write drawn images as pickled batches of CIFAR-10."""
    folder.mkdir(parents=True)
    batches = draw(0, per_batch=per_batch)
    names = {"num_cases_per_batch": per_batch, "label_names": [*batches.classes]}
    (folder / "batches.meta").write_bytes(pickle.dumps(names))
    for name, part in zip(BATCHES, batches.splits.values(), strict=True):
        (folder / name).write_bytes(pickle.dumps({b"data": part.x, b"labels": part.y.tolist()}))


def archive_of(folder: Path) -> bytes:
    """Return a folder of batches as an archive."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as tar:
        tar.add(folder, "cifar-10-batches-py")
    return stream.getvalue()


def contents(folder: Path) -> dict[str, Any]:
    """Return everything in the files of a folder by name, but times, locks, checkpoints, pages and the pixels of plots.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    dict
        Contents by name.

    Raises
    ------
    Exception
        If a file is not whole.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        read = READ.get(path.suffix)
        if path.is_file() and read is not None and not path.name.startswith(PARTIAL):
            try:
                content = read(path)
            except Exception as error:
                raise ValueError(f"{name} is not whole: {error!r}") from error
            if not name.startswith("checkpoints/"):
                found[name] = content
    return found


def _without_times(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: _without_times(value) for name, value in tree.items() if name not in TIMES}
    return [_without_times(each) for each in tree] if isinstance(tree, list) else tree


def _json(path: Path) -> Any:
    return _without_times(json.loads(path.read_text(encoding="utf-8")))


def _csv(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    return [_without_times(row) for row in csv.DictReader(io.StringIO(text))]


def _tensors(path: Path) -> Any:
    with safe_open(path, framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no dict
        metadata = dict(file.metadata())
    if "history" in tensors:
        tensors["history"] = tensors["history"][:, :-1]
    run = _without_times(json.loads(metadata.pop("run", "{}")))
    for key in ("state", "sha256"):  # which depend on times
        metadata.pop(key, None)
    arrays = {name: (str(array.dtype), array.shape, array.tobytes()) for name, array in tensors.items()}
    return {"run": run, "metadata": metadata, "tensors": arrays}


def _picture(path: Path) -> Any:
    with Image.open(path) as image:
        image.load()
        return image.size


READ: dict[str, Callable[[Path], Any]] = {
    ".json": _json,
    ".csv": _csv,
    ".toml": lambda path: path.read_text(encoding="utf-8"),
    ".safetensors": _tensors,
    ".png": _picture,
    ".html": lambda path: path.read_text(encoding="utf-8").rstrip().endswith("</html>"),
    ".gz": lambda path: hashlib.md5(path.read_bytes()).hexdigest() if path.name == ARCHIVE else None,
}
"""Readers by suffix of the file."""
