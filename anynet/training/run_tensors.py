"""The tensors in the file of a trained net."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.backends import Backend
from anynet.core.epoch import Epoch
from anynet.core.errors import FileError
from anynet.core.history import History, measured
from anynet.core.tensor_file import ArrayType
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
    columns = history.columns
    return tensors | {"history": np.asarray([history[name] for name in columns], np.float64).T.copy()}


def check_types(
    path: Path,
    net: Sequential,
    types: Mapping[str, ArrayType],
    dtype: str,
    epochs: int | None,
    columns: Sequence[str] = Epoch._fields,
) -> None:
    """Check that a file has the tensors of a net, before they are read.

    Parameters
    ----------
    path : Path
        The file, for error messages.
    net : Sequential
    types : mapping of ArrayType
        Dtypes and shapes of the file's tensors.
    dtype : str
        Dtype of the net.
    epochs : int or None
        Number of rows of the history; None if there is no history.
    columns : sequence of str
        Columns of the history.

    Raises
    ------
    FileError
        If a tensor is missing, one too many, or of another dtype or shape.
    """
    scale = types["input.scale"].shape if "input.scale" in types else ()
    features = scale if net.n_in is None else (net.n_in,)
    arrays: dict[str, tuple[int, ...]] = {f"input.{name}": features for name in Normalization._fields}
    arrays |= {f"{which}.{name}": shape for which in SNAPSHOTS for name, shape in shapes(net).items()}
    expected = {name: ArrayType(dtype, shape) for name, shape in arrays.items()}
    if epochs is not None:
        expected["history"] = ArrayType("float64", (epochs, len(columns)))
    for name in sorted(expected.keys() | types.keys()):
        place = f'tensor "{name}"'
        if name not in types:
            raise FileError(path, place, "an array", "nothing", ADVICE)
        found = types[name]
        if name not in expected:
            raise FileError(path, place, "no such tensor in this net", f"shape {found.shape}", ADVICE)
        if found.dtype != expected[name].dtype:
            raise FileError(path, place, f"dtype {expected[name].dtype}", found.dtype, ADVICE)
        if found.shape != expected[name].shape:
            raise FileError(path, place, f"shape {expected[name].shape}", f"{found.shape}", ADVICE)


def check_numbers(path: Path, net: Sequential, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Raise FileError if a tensor other than the history is not finite, or is a variance below 0."""
    variances = {f"{name}.var" for name, layer in net.named_layers().items() if isinstance(layer, BatchNorm)}
    for name in sorted(tensors.keys() - {"history"}):
        array, place = tensors[name], f'tensor "{name}"'
        if not np.isfinite(array).all():
            raise FileError(path, place, "finite numbers", "NaN or infinity", ADVICE)
        if name.partition(".")[2] in variances and array.min() < 0:
            raise FileError(path, place, "variances of 0 or more", f"{array.min():g}", ADVICE)


def read_history(path: Path, table: NDArray[Any], columns: Sequence[str]) -> History:
    """Return the history in a file's tensor "history", of these columns. Raises FileError if it is none."""
    if not np.array_equal(table[:, 0], np.arange(1, len(table) + 1)):
        raise FileError(path, 'tensor "history"', "epochs 1, 2, ... in the first column", "others", ADVICE)
    history = History(Epoch.of(measured(dict(zip(columns, row, strict=True)))) for row in table.tolist())
    for name in columns:
        values = (getattr(row, name) for row in history)
        if name.endswith("_accuracy") and not all(value is None or 0 <= value <= 1 for value in values):
            raise FileError(path, 'tensor "history"', f"fractions from 0 to 1 as {name}", "others", ADVICE)
    return history


def to_snapshot(
    which: str, epoch: int, net: Sequential, tensors: Mapping[str, NDArray[Any]], backend: Backend
) -> tuple[int, Array, Arrays]:
    """Return epoch, parameters and state of one of `SNAPSHOTS`, on the device."""
    named = {name: tensors[f"{which}.{name}"] for name in shapes(net)}
    vector = net.layout.join(named, like=np.zeros(net.layout.size, tensors["input.scale"].dtype))
    return epoch, backend.asarray(vector), {name: backend.asarray(named[name]) for name in net.state()}
