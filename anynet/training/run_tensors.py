"""The tensors in the file of a trained net."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.backends import Backend
from anynet.core.errors import FileError
from anynet.core.history import Epoch, History
from anynet.core.typing import Array, Arrays
from anynet.data.normalization import Normalization
from anynet.nn import BatchNorm, Sequential

SNAPSHOTS = ("last", "best")
"""Epochs whose parameters and running statistics are kept."""
ADVICE = "choose a file that Run.save wrote"
"""End of the errors about such files."""


def shapes(net: Sequential) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the parameters and the state of a net by name."""
    return {name: each.shape for name, each in (net.parameters() | net.state()).items()}


def to_tensors(
    net: Sequential,
    backend: Backend,
    normalization: Normalization,
    history: History,
    snapshots: Mapping[str, tuple[int, Array, Arrays]],
) -> dict[str, NDArray[Any]]:
    """Return the tensors of a run by name, on the host.

    Parameters
    ----------
    net, backend, normalization, history
        Fields of a run.
    snapshots : mapping of tuple
        Epoch, parameters and state for each of `SNAPSHOTS`.

    Returns
    -------
    dict of ndarray
    """
    tensors = {f"input.{name}": backend.to_host(array) for name, array in normalization._asdict().items()}
    for which, (_, params, state) in snapshots.items():
        named = net.layout.split(params) | state
        tensors |= {f"{which}.{name}": backend.to_host(array) for name, array in named.items()}
    return tensors | {"history": np.asarray([*history], np.float64).reshape(-1, len(Epoch._fields))}


def check_tensors(path: Path, net: Sequential, tensors: Mapping[str, NDArray[Any]], dtype: str) -> None:
    """Check that a file has the tensors of a net, and that their numbers can be those of a net.

    Parameters
    ----------
    path : Path
        The file, for error messages.
    net : Sequential
    tensors : mapping of ndarray
        Tensors of the file.
    dtype : str
        Dtype of the net.

    Raises
    ------
    FileError
        If a tensor is missing or is one too many, has another dtype or shape, is not finite, or is a variance below 0.
    """
    scale = tensors["input.scale"].shape if "input.scale" in tensors else ()
    features = scale if net.n_in is None else (net.n_in,)
    expected: dict[str, tuple[int, ...]] = {f"input.{name}": features for name in Normalization._fields}
    expected |= {f"{which}.{name}": shape for which in SNAPSHOTS for name, shape in shapes(net).items()}
    variances = {f"{name}.var" for name, layer in net.named_layers().items() if isinstance(layer, BatchNorm)}
    for name in sorted({*expected, "history"} | tensors.keys()):
        if name not in tensors:
            raise FileError(path, f'tensor "{name}"', "an array", "nothing", ADVICE)
        if name == "history":
            continue
        array = tensors[name]
        if name not in expected:
            raise FileError(path, f'tensor "{name}"', "no such tensor in this net", f"shape {array.shape}", ADVICE)
        if array.dtype != dtype:
            raise FileError(path, f'tensor "{name}"', f"dtype {dtype}", f"{array.dtype}", ADVICE)
        if array.shape != expected[name]:
            raise FileError(path, f'tensor "{name}"', f"shape {expected[name]}", f"{array.shape}", ADVICE)
        if not np.isfinite(array).all():
            raise FileError(path, f'tensor "{name}"', "finite numbers", "NaN or infinity", ADVICE)
        if name.partition(".")[2] in variances and array.min() < 0:
            raise FileError(path, f'tensor "{name}"', "variances of 0 or more", f"{array.min():g}", ADVICE)


def read_history(path: Path, table: NDArray[Any]) -> History:
    """Return the history in a file's tensor "history". Raises FileError if it is none."""
    columns = len(Epoch._fields)
    if table.ndim != 2 or table.shape[1] != columns or table.dtype != np.float64:
        expected = f"float64 of shape (epochs, {columns})"
        raise FileError(path, 'tensor "history"', expected, f"{table.dtype} of shape {table.shape}", ADVICE)
    if not np.array_equal(table[:, 0], np.arange(1, len(table) + 1)):
        raise FileError(path, 'tensor "history"', "epochs 1, 2, ... in the first column", "others", ADVICE)
    history = History(Epoch(int(row[0]), *row[1:]) for row in table.tolist())
    for name in ("train_accuracy", "val_accuracy"):
        if not all(0 <= value <= 1 for value in history[name]):
            raise FileError(path, 'tensor "history"', f"fractions from 0 to 1 as {name}", "others", ADVICE)
    return history


def to_snapshot(
    which: str, epoch: int, net: Sequential, tensors: Mapping[str, NDArray[Any]], backend: Backend
) -> tuple[int, Array, Arrays]:
    """Return epoch, parameters and state of one of `SNAPSHOTS`, on the device."""
    named = {name: tensors[f"{which}.{name}"] for name in shapes(net)}
    vector = net.layout.join(named, like=np.zeros(net.layout.size, tensors["input.scale"].dtype))
    return epoch, backend.asarray(vector), {name: backend.asarray(named[name]) for name in net.state()}
