"""Valid files of every kind that anynet reads, small ones, to be damaged."""

import gzip
import json
import pickle
import struct
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import optuna
from PIL import Image

import anynet as an
from anynet.app.analyze import ANALYSIS, write_analysis
from anynet.app.build_net import make_net
from anynet.app.config import Config
from anynet.app.config_file import write_config
from anynet.app.resuming import POINTS as POINTS_FILE
from anynet.app.run_result import run_result, write_failure, write_result
from anynet.app.search import search_folder
from anynet.app.search.ranked import Trials
from anynet.app.search.search_settings import search_settings
from anynet.app.search.stage import Stage
from anynet.app.search.stores.folder_store import FolderStore
from anynet.app.search.stores.worker import Worker
from anynet.app.search.trial import read_trial
from anynet.app.search_json import IMPORTANCES, SETTINGS, TABLE
from anynet.app.space import Grid, Point, Range, Space
from anynet.backends.numpy import Numpy
from anynet.data import Dataset, split
from anynet.data.dataset import BATCHES
from anynet.data.mnist import FILES
from anynet.data.synthetic import draw

Files = dict[str, bytes]
"""Contents by name in a folder."""

IMAGES = 3
CLASSES = tuple("abcdefghij")
CONFIG = Config(data="synthetic", train="60", val="20", hidden="2", epochs=2, batch_size=30)
SPACE: Space = {"activation": Grid(("relu", "tanh")), "lr": Range(0.001, 0.1)}
POINTS: list[Point] = [
    {"activation": "relu", "lr": 0.01},
    {"activation": "tanh", "lr": 0.02},
    {"activation": "relu", "lr": 0.1},
]


def pickled(protocol: int) -> Files:
    """Return CIFAR-10 of 18 images as pickles."""
    files = {"batches.meta": pickle.dumps({"num_cases_per_batch": IMAGES, "label_names": [*CLASSES]}, protocol)}
    for number, name in enumerate(BATCHES):
        labels: Any = [1, 2, 3] if number % 2 else [np.int64(4), np.uint8(5), np.int32(6)]
        content = {b"data": np.full((IMAGES, 3072), number, np.uint8), b"labels": labels, b"filenames": [b"x.png"] * 3}
        files[name] = pickle.dumps(content, protocol)
    return files


def binary() -> Files:
    """Return CIFAR-10 of 18 images as binary batches."""
    records = b"".join(bytes([label]) + bytes(3072) for label in range(IMAGES))
    return {"batches.meta.txt": "\n".join(CLASSES).encode()} | {f"{name}.bin": records for name in BATCHES}


def cifar100() -> Files:
    """Return CIFAR-100 of 6 images as pickles."""
    names = {"fine_label_names": [f"class {number}" for number in range(100)]}
    part = {b"data": np.zeros((IMAGES, 3072), np.uint8), b"fine_labels": [0, 50, 99], b"filenames": [b"x.png"] * 3}
    return {"meta": pickle.dumps(names, 2), "train": pickle.dumps(part, 2), "test": pickle.dumps(part, 2)}


def unpacked_idx() -> Files:
    """Return MNIST of 6 images, unpacked."""
    images = b"\0\0\x08\x03" + struct.pack(">III", IMAGES, 5, 4) + Random(0).randbytes(IMAGES * 20)
    labels = b"\0\0\x08\x01" + struct.pack(">I", IMAGES) + bytes(range(IMAGES))
    contents = (images, labels, images, labels)
    return {name.removesuffix(".gz"): content for name, content in zip(FILES, contents, strict=True)}


@cache
def idx() -> list[Files]:
    """Return MNIST of 6 images, gzipped, well and not at all compressed."""
    return [
        {f"{name}.gz": gzip.compress(content, level) for name, content in unpacked_idx().items()} for level in (0, 9)
    ]


@cache
def archive() -> bytes:
    """Return the content that stands for the official archive."""
    return b"\x1f\x8b" + Random(0).randbytes(4_998)


@cache
def images() -> list[Files]:
    """Return an image in every format that is read, some of them with alpha, 16 bits, a palette or several images."""
    colors = np.arange(40 * 40 * 4).reshape(40, 40, 4).astype(np.uint8)
    drawn = {mode: Image.fromarray(colors).convert(mode) for mode in ("RGBA", "RGB", "LA", "P", "L", "1", "CMYK")}
    drawn["I;16"] = Image.fromarray(colors[..., 0].astype(np.uint16) * 257)
    files = [_image(drawn[mode], "PNG") for mode in ("RGBA", "RGB", "LA", "P", "L", "1", "I;16")]
    files += [_image(drawn["RGB"], kind) for kind in ("JPEG", "GIF", "WEBP", "BMP", "TIFF")]
    files += [_image(drawn["CMYK"], "JPEG"), _image(drawn["RGB"], "JPEG", progressive=True)]
    files += [_image(drawn["I;16"], "TIFF"), _image(drawn["RGB"], "TIFF", compression="tiff_lzw")]
    files += [_image(drawn["L"], "GIF", save_all=True, append_images=[drawn["P"]])]
    return files


def _image(image: Image.Image, kind: str, **options: Any) -> Files:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return {"image": stream.getvalue()}


@cache
def run() -> Files:
    """Return the folder of a run, without pictures."""
    settings: dict[str, Any] = {"epochs": 2, "batch_size": 30, "backend": "numpy", "progress": False}
    trained = an.fit(make_net(CONFIG, (3072,), 10), _images(), an.SGD(0.1), **settings)
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_config(CONFIG, folder / "config.toml")
        trained.history.write_csv(folder / "history.csv", trained.dataset)
        trained.save(folder / "model.safetensors")
        write_result(folder, run_result(trained, official=False))
        write_analysis(folder / ANALYSIS, trained)
        return _contents(folder)


@cache
def diverged() -> Files:
    """Return the folder of a run that diverged."""
    settings: dict[str, Any] = {"epochs": 2, "batch_size": 30, "backend": "numpy", "progress": False}
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_config(CONFIG, folder / "config.toml")
        net = make_net(replace(CONFIG, norm="none"), (3072,), 10)
        with np.errstate(all="ignore"):
            try:
                an.fit(net, _images(), an.SGD(1e36), **settings)
            except an.DivergedError as error:
                write_failure(folder, "synthetic", error)
        return _contents(folder)


@cache
def sweep() -> Files:
    """Return the folder of a sweep of two members, without pictures."""
    files, rates = run(), (0.1, 0.2)
    members = {f"member-{k}/{name}": content for k in range(2) for name, content in files.items()}
    table = b"member,lr,epochs,diverged,dataset\n0,0.1,2,,synthetic\n1,0.2,2,,synthetic\n"
    accuracy = {"best_val_accuracy": {"mean": 0.5, "deviation": 0.1}}
    rows = [{"settings": {"lr": lr}, "members": [k], "diverged": [], **accuracy} for k, lr in enumerate(rates)]
    result = json.loads(files["result.json"]) | {"best_member": 1, "ensemble_test_accuracy": 0.5, "over_seeds": rows}
    shared = {name: files[name] for name in ("config.toml", ANALYSIS)}
    own = {"members.csv": table, "result.json": json.dumps(result).encode()}
    return own | shared | {POINTS_FILE: json.dumps([{"lr": lr} for lr in rates]).encode()} | members


def points() -> Files:
    """Return the settings in which the members of a sweep differ."""
    settings = [{"lr": 0.1, "init": "he", "seed": 1}, {"lr": 1, "init": "xavier", "seed": 2}]
    return {POINTS_FILE: json.dumps(settings).encode()}


def resume(folder: Path) -> None:
    """Go on with a training from its checkpoints in a folder, which names the number of its members in a file."""
    members = int((folder / "members").read_text())
    many: dict[str, Any] = {"seeds": range(members)} if members > 1 else {}
    net, adam = make_net(CONFIG, (3072,), 10), an.Adam(0.01)
    settings: dict[str, Any] = {"epochs": 2, "batch_size": 30, "backend": "numpy", "progress": False}
    with patch.object(Numpy, "workers", 1):  # all members in one stack, on any machine
        an.fit(net, _images(), adam, checkpoint=folder, resume=True, **many, **settings)


@cache
def checkpoints() -> list[Files]:
    """Return the checkpoints of a net and of a stack of two."""
    found = []
    for members in (1, 2):
        with TemporaryDirectory() as name:
            Path(name, "members").write_text(str(members))
            resume(Path(name))
            found.append(_contents(Path(name)))
    return found


@cache
def _images() -> Dataset:
    return split("synthetic", draw(0, per_batch=20), 60, 20)


def settings() -> dict[str, Any]:
    """Return the settings of the search."""
    return search_settings((CONFIG, replace(CONFIG, epochs=3)), SPACE, 3, None, True, 42, "qmc")


@cache
def searched() -> Files:
    """Return the folder of a search: a finished trial, one that diverged, and one that a dead process has begun."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        search_folder.write_settings(folder, settings())
        worker = FolderStore(folder).worker()
        stage = stage_of(folder, worker)
        result = {
            **{"dataset": "synthetic", "state": "finished", "best_val_accuracy": 0.5, "best_epoch": 1, "seconds": 1.5},
            **{"train_accuracy": 0.6, "val_accuracy": 0.4, "test_accuracy": 0.3, "reason": ""},
        }
        with worker:
            first, second, _ = (stage.claim(1)[0] for _ in POINTS)
        first.report(0.5, 1)
        first.set_user_attr("result", result | {"point": 0})
        stage.study.tell(first, 0.5)
        lost = dict.fromkeys(("best_val_accuracy", "best_epoch", "train_accuracy", "val_accuracy", "test_accuracy"))
        second.set_user_attr(
            "result", result | lost | {"state": "diverged", "reason": "the cost is no longer finite", "point": 1}
        )
        stage.study.tell(second, state=optuna.trial.TrialState.PRUNED)
        trials = Trials(tuple(read_trial("coarse", trial) for trial in stage.finished()), SPACE)
        search_folder.write_table(folder, trials)
        (folder / IMPORTANCES).write_text('{"lr": 0.75, "activation": 0.25}')
        kept = (SETTINGS, search_folder.JOURNAL, TABLE, IMPORTANCES)
        return {name: (folder / name).read_bytes() for name in kept}


def stage_of(folder: Path, worker: Worker) -> Stage:
    """Open the stage of the search in a folder."""
    return Stage("coarse", FolderStore(folder), worker, SPACE, POINTS, str, optuna.pruners.NopPruner())


def _contents(folder: Path) -> Files:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
