"""Every reader of files, with valid files and the ways to damage them."""

import hashlib
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from unittest.mock import patch

from anynet.app.config_file import make_config, refused_in
from anynet.app.prediction import load_predictor, load_run
from anynet.app.reports import preset
from anynet.app.reports.tasks import read_outcome
from anynet.app.resuming import POINTS, read_started
from anynet.app.search import search_folder
from anynet.app.search.search_settings import merge, read_settings
from anynet.app.search.stores.folder_store import FolderStore
from anynet.app.search.trial import read_trial
from anynet.app.search_json import SETTINGS
from anynet.backends import backend
from anynet.core.history import History
from anynet.data import download, mnist, transfer
from anynet.data.cifar import files, formats
from anynet.data.image_files import image_size, is_gray, read_image
from anynet.data.sets import SETS
from anynet.training.checkpoint_files import DESCRIPTION, read_histories
from benchmarks.faults import mutations, valid_files
from benchmarks.faults.folder_readers import FOLDER_READERS
from benchmarks.faults.reader import Reader
from benchmarks.faults.server import Server
from benchmarks.faults.valid_files import Files

NEWEST = "epoch-000002.safetensors"
OFFICIAL = SETS["cifar10"]
PART = f"{OFFICIAL.files[0].name}.part"


@cache
def _pickled() -> Sequence[Files]:
    return [valid_files.pickled(protocol) for protocol in range(6)]


def _read_binary(folder: Path) -> object:
    before, formats.BINARY_COUNT = formats.BINARY_COUNT, valid_files.IMAGES
    try:
        return files.read(folder)
    finally:
        formats.BINARY_COUNT = before


def _read_cifar100(folder: Path) -> object:
    with patch.dict(formats.CIFAR100_COUNTS, dict.fromkeys(formats.CIFAR100_COUNTS, valid_files.IMAGES)):
        return files.read(folder)


def _read_image(folder: Path) -> object:
    path = folder / "image"
    return is_gray(path), image_size(path), read_image(path)


def _read_preset(folder: Path) -> object:
    settings, name = preset(str(folder / "config.toml"))
    with refused_in(Path(name)):
        return make_config(settings, name)


def _read_search_settings(folder: Path) -> object:
    try:
        return merge(read_settings(folder / SETTINGS), valid_files.settings(), folder)
    except ValueError as error:
        if type(error) is ValueError and "holds another search" in str(error):
            return "another search"
        raise


def _read_journal(folder: Path) -> object:
    return [
        read_trial("coarse", trial) for trial in valid_files.stage_of(folder, FolderStore(folder).worker()).finished()
    ]


def _resume(folder: Path) -> None:
    with warnings.catch_warnings(action="ignore"):
        read_histories(folder)
        valid_files.resume(folder)


@cache
def _server() -> Server:
    """Return a server of the archive that runs until the process ends."""
    os.environ["no_proxy"] = "*"
    return Server(valid_files.archive()).__enter__()


def _download(folder: Path) -> None:
    """Complete a partial download; it must end with the archive."""
    server = _server()
    small = replace(OFFICIAL.files[0], size=len(server.content), md5=hashlib.md5(server.content).hexdigest())
    with patch.object(transfer, "WAITS", (0, 0)):
        found = download.fetch(replace(OFFICIAL, files=(small,), servers=(server.address,)), folder)
        if found.read_bytes() != server.content:
            raise AssertionError("another file than the archive")


def _of(*names: str) -> Callable[[], Sequence[Files]]:
    return lambda: [{name: (valid_files.run() | valid_files.searched())[name] for name in names}]


READERS = {
    "pickled batches": Reader(
        files.read, _pickled, ("batches.meta", "data_batch_1", "data_batch_2"), mutations.pickle_program
    ),
    "binary batches": Reader(_read_binary, lambda: [valid_files.binary()], ("batches.meta.txt", "data_batch_1.bin")),
    "pickled batches of CIFAR-100": Reader(
        _read_cifar100, lambda: [valid_files.cifar100()], ("meta", "train", "test"), mutations.pickle_program
    ),
    "IDX files": Reader(mnist.read, valid_files.idx, mnist.FILES, mutations.change_gzip),
    "unpacked IDX files": Reader(
        mnist.read, lambda: [valid_files.unpacked_idx()], tuple(name.removesuffix(".gz") for name in mnist.FILES)
    ),
    "archive": Reader(
        lambda folder: files.read(folder / "cifar.tgz"),
        lambda: [{"cifar.tgz": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00" + bytes(8)}],
        ("cifar.tgz",),
    ),
    "images": Reader(_read_image, valid_files.images, ("image",), mutations.change_png),
    "model.safetensors": Reader(
        lambda folder: load_run(folder, backend("numpy")),
        _of("config.toml", "model.safetensors"),
        ("model.safetensors",),
    ),
    "config.toml": Reader(
        lambda folder: load_run(folder, backend("numpy")),
        _of("config.toml", "model.safetensors"),
        ("config.toml",),
    ),
    "preset": Reader(_read_preset, _of("config.toml"), ("config.toml",)),
    "history.csv": Reader(
        lambda folder: History.read_csv(folder / "history.csv"),
        _of("history.csv"),
        ("history.csv",),
    ),
    "result.json": Reader(read_outcome, _of("history.csv", "result.json"), ("result.json",)),
    "members.csv": Reader(
        lambda folder: load_predictor(folder, backend("numpy")),
        lambda: [valid_files.sweep()],
        ("members.csv",),
    ),
    "points.json": Reader(read_started, lambda: [valid_files.run() | valid_files.points()], (POINTS,)),
    "checkpoint": Reader(_resume, valid_files.checkpoints, (NEWEST,)),
    "training.json": Reader(_resume, valid_files.checkpoints, (DESCRIPTION,)),
    "partial download": Reader(
        _download,
        lambda: [{PART: valid_files.archive()[:at]} for at in (1, 3_000, len(valid_files.archive()))],
        (PART,),
        lambda content, random: content + random.randbytes(random.randint(0, 9_000)),
    ),
    "search.json": Reader(_read_search_settings, _of(SETTINGS), (SETTINGS,)),
    "search journal": Reader(
        _read_journal, _of(search_folder.JOURNAL), (search_folder.JOURNAL,), mutations.change_json_line
    ),
    **FOLDER_READERS,
}
