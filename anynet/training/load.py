"""Loading a trained net."""

from pathlib import Path

from anynet.backends import Backend
from anynet.backends import backend as choose_backend
from anynet.core.errors import file_path
from anynet.nn import Sequential
from anynet.training.run import Run
from anynet.training.run_file import read_run
from anynet.training.snapshot import Snapshot

NET_FILE = "model.safetensors"
"""Name of the trained net's file in a run folder."""
DIVERGENCE = "divergence.json"
"""Name of the report's file in the folder of a run that diverged."""
MEMBER = "member-0"
"""Name of the first member's folder in that of a sweep."""


def load(path: str | Path, *, backend: Backend | str | None = None, net: Sequential | None = None) -> Run:
    """Load a trained net that `Run.save` or ``train.py`` wrote.

    No code is run from the file: layers are made from anynet's own classes.

    Parameters
    ----------
    path : str or Path
        File, or folder of a run.
    backend : Backend or str, optional
        Where the net is to run: as returned by ``anynet.backend``, or its name. Default: the environment variable
        ANYNET_BACKEND, else NumPy. It need not be the one that the net was trained with.
    net : Sequential, optional
        The net as it was trained. Required if layers or initializers are of classes that are not anynet's.

    Returns
    -------
    Run
        With the same numbers as the run that was saved, on the device of `backend`.

    Raises
    ------
    FileError
        If the file is damaged, holds something else or is none; the message names the key or the tensor.
    FileNotFoundError
        If there is no such file; the message says which there are, if the folder is that of a sweep.
    ValueError
        If `net` is not the net in the file.
    BackendError
        If the backend is not available.
    ModuleNotFoundError
        If safetensors is not installed.
    """
    file = file_path("path", path)
    if file.is_dir():
        _check_folder(file)
        file /= NET_FILE
    if not file.exists():
        raise FileNotFoundError(f"{file}: no such file; expected one that Run.save wrote, or the folder of a run")
    where = backend if isinstance(backend, Backend) else choose_backend(backend)
    fields = read_run(file, where, net)
    return Run(**fields | {name: Snapshot(*fields[name]) for name in ("last", "best")}, path=file.absolute())


def _check_folder(folder: Path) -> None:
    """Refuse folders of sweeps, and of runs that have no net."""
    if (folder / NET_FILE).exists():
        return
    if (folder / MEMBER).is_dir():
        raise FileNotFoundError(f"{folder}: expected the folder of a run, got that of a sweep; load {folder / MEMBER}")
    if (folder / DIVERGENCE).is_file():
        reason = f"got that of one that diverged, as {DIVERGENCE} in it tells"
        raise FileNotFoundError(f"{folder}: expected the folder of a finished run, {reason}; load that of another run")
