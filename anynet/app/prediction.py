"""Loading a saved net."""

import math
from pathlib import Path

from anynet.app.build_net import make_net
from anynet.app.config import Config
from anynet.app.config_file import ADVICE, read_config, refused_in
from anynet.app.sweep.sweep_folder import MEMBERS
from anynet.backends import DTYPES, Backend
from anynet.core.csv_files import read_rows
from anynet.core.errors import FileError, check_is_file
from anynet.core.formatting import printable
from anynet.core.tensor_file import TensorFile
from anynet.data.dataset import IMAGE_SHAPE
from anynet.data.normalization import Normalization
from anynet.nn import Sequential
from anynet.training.load import NET_FILE, load
from anynet.training.predictor import Predictor, mean_of
from anynet.training.run_facts import Facts
from anynet.training.run_file import OlderFileError
from anynet.training.run_tensors import check_numbers, check_types, to_snapshot
from anynet.training.trained_net import TrainedNet

WANTED = "the folder of a run or a sweep, or a file that Run.save wrote"
"""Files and folders that nets can be loaded from."""


def load_predictor(folder: Path, backend: Backend) -> Predictor:
    """Load the best net of a run, or those of all members of a sweep that did not diverge.

    Parameters
    ----------
    folder : Path
        Folder of a run or of a sweep, or a file that `Run.save` wrote.
    backend : Backend
        Backend that the nets are moved to.

    Returns
    -------
    Predictor

    Raises
    ------
    FileNotFoundError
        If the folder holds no finished run.
    FileError
        If a file is damaged, or does not fit the others; the message names file and setting, tensor or line.
    """
    if folder.is_file():
        return _load_file(folder, backend)
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such file or folder; expected {WANTED}")
    if not folder.is_dir():
        raise FileError(folder, "", WANTED, "a device or a pipe", "choose another")
    if not (folder / MEMBERS).exists():
        return load_run(folder, backend)
    result, path = folder / "result.json", folder / MEMBERS
    if not result.is_file():
        raise FileNotFoundError(f"{result}: no such file; the runs in {folder} are not finished")
    finished = []
    for number, row in enumerate(read_rows(path, ("member", "diverged"), ADVICE)):
        if row.values["member"] != str(number):
            got = f'"{printable(row.values["member"], 50)}"'
            raise FileError(path, f"line {row.line}, column member", str(number), got, ADVICE)
        if not row.values["diverged"]:
            finished.append(load_run(folder / f"member-{number}", backend))
    if not finished:
        raise FileError(path, "", "a member that did not diverge", "none", "choose another run")
    first = finished[0]
    for member in finished:
        if (member.classes, member.dataset) != (first.classes, first.dataset):
            raise FileError(path, "", f"members trained on {first.dataset}", f"one on {member.dataset}", ADVICE)
    return mean_of(finished)


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
    FileNotFoundError
        If the folder holds no finished run.
    FileError
        If a file is damaged, or does not fit the others; the message names file and setting, tensor or line.
    """
    settings, path = folder / "config.toml", folder / NET_FILE
    config = read_config(settings)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; the run in {folder} diverged or is not finished")
    check_is_file(path, "choose another run")
    advice = ADVICE if config.net is None else f"restore the module, or give {path}, which describes layers of anynet"
    try:
        with refused_in(settings, advice):
            run = load(path, backend=backend, net=None if config.net is None else _described_net(config, path))
    except OlderFileError:
        return _load_older(config, path, backend)
    with refused_in(settings):
        net = make_net(config, run.shape, len(run.classes))
    if (net, config.dtype) != (run.net, run.dtype):
        raise FileError(settings, "", f"the settings of the net in {path}", "those of another net", ADVICE)
    return run.predictor


def _described_net(config: Config, path: Path) -> Sequential:
    """Return the net that ``--net`` makes for the images and classes of a file."""
    file = TensorFile(path, (*DTYPES, "int32"), "choose another run")
    if "input.scale" not in file.types:
        raise FileError(path, "tensor input.scale", "one", "none", ADVICE)
    facts = Facts(path, file.metadata)
    return make_net(config, facts.shape(math.prod(file.types["input.scale"].shape)), len(facts.classes(None)))


def _load_file(path: Path, backend: Backend) -> Predictor:
    try:
        return load(path, backend=backend).predictor
    except FileError as error:
        if error.place:
            raise
        got = f"a file that is not {error.expected}"
        raise FileError(path, "", WANTED, got, "choose another") from error


def _load_older(config: Config, path: Path, backend: Backend) -> Predictor:
    """Load a net from the file of an earlier version, which does not describe it: the settings do."""
    advice = "choose another run"
    file = TensorFile(path, DTYPES, advice)
    classes = Facts(path, file.metadata).classes(None)
    shape = file.types["input.scale"].shape if "input.scale" in file.types else ()
    shape = IMAGE_SHAPE if shape in ((), (math.prod(IMAGE_SHAPE),)) else shape
    with refused_in(path.with_name("config.toml")):
        net = make_net(config, shape, len(classes))
    check_types(path, net, file.types, config.dtype, None)
    tensors = file.read()
    check_numbers(path, net, tensors)
    backend.dtype(config.dtype)
    _, params, state = to_snapshot("best", 0, net, tensors, backend)
    normalization = Normalization(*(backend.asarray(tensors[f"input.{name}"]) for name in Normalization._fields))
    trained = TrainedNet(net, params, state, normalization)
    return Predictor((trained,), shape, "uint8", classes, file.metadata["dataset"], config.dtype, backend)
