"""The file of a trained net: ``model.safetensors`` of a run folder, and what `Run.save` writes.

Tensors are "last.0.W", "best.0.W", "last.1.mean" and so on, for parameters and running statistics after the last and
the best epoch, "input.scale" and "input.shift", and "history", with a row of `Epoch` for each epoch. The metadata are
"format"; "classes", in JSON; "dataset"; and "run", everything else in JSON.
"""

import json
import math
from pathlib import Path
from typing import Any

from anynet.backends import DTYPES, Backend
from anynet.core.checks import describe
from anynet.core.errors import FileError
from anynet.core.history import History
from anynet.core.tensor_file import TensorFile, write_tensors
from anynet.core.typing import Array, Arrays
from anynet.data.dataset import Label
from anynet.data.normalization import Normalization
from anynet.data.views import KINDS_OF_VIEWS
from anynet.nn import Sequential
from anynet.nn.net_json import to_json
from anynet.training.environment import environment
from anynet.training.errors import DivergedError
from anynet.training.evaluate import Metrics
from anynet.training.run_facts import Facts
from anynet.training.run_tensors import (
    ADVICE,
    SNAPSHOTS,
    check_numbers,
    check_types,
    read_history,
    to_snapshot,
    to_tensors,
)

FORMAT = "anynet run 1"
"""Format and version, the metadata's "format"."""
PLAIN = {
    "dtype": str,
    "seed": int,
    "seconds": float,
    "execution": str,
    "interrupted": bool,
    "dropped": bool,
    "stopped_early": bool,
    "logistic": bool,
    "tta": str,
    "environment": dict,
    "settings": dict,
    "seconds_of": dict,
}
"""Fields of a run that JSON has, with their types."""

ABSENT: dict[str, Any] = {"stopped_early": False, "logistic": False, "tta": "none", "settings": {}, "seconds_of": {}}
"""Fields that files from before them lack, with the value that is meant."""


class OlderFileError(FileError):
    """A net's file of a version of anynet that kept settings, history and results in other files only."""


def write_run(
    path: Path,
    *,
    net: Sequential,
    backend: Backend,
    normalization: Normalization,
    history: History,
    last: tuple[int, Array, Arrays],
    best: tuple[int, Array, Arrays],
    test: Metrics | None,
    best_test: Metrics | None,
    classes: tuple[Label, ...],
    dataset: str,
    shape: tuple[int, ...],
    diverged: DivergedError | None,
    **plain: Any,
) -> None:
    """Write the fields of a run into one file, whole or not at all.

    Parameters
    ----------
    path : Path
        File to write or replace.
    net, backend, normalization, history, last, best, test, best_test, classes, dataset, shape, diverged,
    **plain
        Fields of a `Run`.

    Raises
    ------
    ModuleNotFoundError
        If safetensors is not installed.
    OSError
        If the file cannot be written.
    """
    snapshots = dict(zip(SNAPSHOTS, (last, best), strict=True))
    facts = {
        **plain,
        "environment": plain["environment"] or environment(backend),
        "net": to_json(net),
        "shape": shape,
        "columns": history.columns,
        "epochs": {which: snapshot[0] for which, snapshot in snapshots.items()},
        "test": test,
        "best_test": best_test,
        "diverged": diverged and {name: getattr(diverged, name) for name in ("epoch", "step", "steps", "lr", "report")},
    }
    metadata = {"format": FORMAT, "classes": json.dumps(classes), "dataset": dataset, "run": json.dumps(facts)}
    write_tensors(path, to_tensors(net, backend, normalization, history, snapshots), metadata)


def read_run(path: Path, backend: Backend, net: Sequential | None) -> dict[str, Any]:
    """Read the fields of a run from a file that `write_run` wrote.

    Parameters
    ----------
    path : Path
        File to read.
    backend : Backend
        Backend that the net is moved to.
    net : Sequential or None
        The net, if it has layers of others than anynet.

    Returns
    -------
    dict
        Arguments of `Run`, with "last" and "best" as tuples.

    Raises
    ------
    FileError
        If the file is damaged or holds something else; the message names the key or the tensor.
    ValueError
        If the file holds tensors of another net than `net`.
    """
    file = TensorFile(path, (*DTYPES, "int32"), ADVICE)  # int32 is of checkpoints
    metadata = file.metadata
    if "owner" in metadata:
        advice = "load the folder of its run, or a file that Run.save wrote"
        raise FileError(path, "metadata", "those of a file that Run.save wrote", "those of a checkpoint", advice)
    if "format" not in metadata and {"classes", "dataset"} <= metadata.keys():
        advice = "python -m anynet predict can use the run folder that it is in"
        raise OlderFileError(path, "metadata", f'"format": "{FORMAT}"', "a net of an earlier version of anynet", advice)
    if metadata.get("format") != FORMAT:
        got = describe(metadata.get("format"))
        raise FileError(path, "metadata format", f'"{FORMAT}"', got, f"{ADVICE}, or another version of anynet")
    facts = Facts(path, metadata)
    run: dict[str, Any] = {name: facts.value(name, kind, ABSENT.get(name)) for name, kind in PLAIN.items()}
    if run["dtype"] not in DTYPES:
        raise facts.error("dtype", " or ".join(DTYPES), run["dtype"])
    if run["tta"] not in KINDS_OF_VIEWS:
        raise facts.error("tta", " or ".join(KINDS_OF_VIEWS), run["tta"])
    if net is None:
        net = facts.net()
    else:
        if "input.scale" in file.types:  # the sizes of a net's input may be left out
            net = net.with_samples(facts.shape(math.prod(file.types["input.scale"].shape)))
        facts.check_given(net, file.types)
    epochs = facts.epochs()
    columns = facts.columns()
    check_types(path, net, file.types, run["dtype"], epochs["last"], columns)
    tensors = file.read()
    check_numbers(path, net, tensors)
    history = read_history(path, tensors["history"], columns)
    backend.dtype(run["dtype"])  # enables float64 on JAX
    run |= {which: to_snapshot(which, epochs[which], net, tensors, backend) for which in SNAPSHOTS}
    return run | {
        "net": net,
        "backend": backend,
        "dataset": facts.dataset(),
        "classes": facts.classes(net.n_out),
        "shape": facts.shape(tensors["input.scale"].size),
        "input_dtype": facts.input_dtype(),
        "history": history,
        "normalization": Normalization(*(backend.asarray(tensors[f"input.{name}"]) for name in Normalization._fields)),
        "test": facts.metrics("test"),
        "best_test": facts.metrics("best_test"),
        "diverged": facts.diverged(),
    }
