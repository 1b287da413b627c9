"""Reading the files of checkpoints, which may be damaged."""

import re
from pathlib import Path
from typing import Any

from anynet.core.errors import FileError
from anynet.core.formatting import format_count, printable
from anynet.core.history import History
from anynet.core.tensor_file import DIGEST, TensorFile
from anynet.core.text_files import read_json
from anynet.training import state_json
from anynet.training.description import TO_THE_END

FORMAT = "1"
"""Version of the files."""

DESCRIPTION = "training.json"
"""File that says which training the checkpoints of a folder are of."""

MOST_DESCRIPTION = 100_000_000
"""Largest size of that file in bytes."""

ADVICE = "remove the file to go on from an earlier checkpoint"


def read_description(folder: Path) -> dict[str, Any] | None:
    """Return the content of a folder's ``training.json``; None if there is none. Raises FileError if it is damaged."""
    path = folder / DESCRIPTION
    if not path.exists():
        return None
    advice = "start in another folder"
    content = read_json(path, MOST_DESCRIPTION, advice)

    def require(name: str, expected: str, allowed: bool) -> None:
        if not allowed:
            raise FileError(path, name, expected, printable(repr(content.get(name, "nothing")), 50), advice)

    epochs: Any = content.get("epochs")
    training: Any = content.get("training")
    stacks: Any = content.get("stacks")
    texts = isinstance(training, dict) and all(isinstance(value, str) for value in training.values())
    lists = isinstance(stacks, list) and all(isinstance(stack, list) and stack for stack in stacks)
    require("format", FORMAT, content.get("format") == FORMAT)
    require("epochs", "1 or more", type(epochs) is int and epochs >= 1)
    require("training", "settings as text", texts)
    require("stacks", "lists of numbers", lists and all(type(k) is int for stack in stacks for k in stack))
    members = sorted(k for stack in stacks for k in stack)
    known = members == [*range(len(members))] and training.get("members") == str(len(members))
    require("stacks", "each member once", known)
    newest = max((epoch for at in _folders(folder, content) for epoch in checkpoint_files(at)), default=1)
    require("epochs", f"{newest} or more, the number of the newest checkpoint", epochs >= newest)
    planned: Any = content.setdefault("planned_epochs", [epochs])
    numbers = isinstance(planned, list) and all(type(number) is int for number in planned)
    increasing = numbers and planned == sorted({*planned}) and planned[:1] > [0] and planned[-1] == epochs
    require("planned_epochs", f"increasing numbers up to {epochs}", increasing)
    return content


def planned_epochs(description: dict[str, Any] | None, epochs: int) -> list[int]:
    """Return the numbers of epochs that a training has had, if its schedule ends with the last one; otherwise `epochs`.

    Parameters
    ----------
    description : dict or None
        As returned by `read_description`, before the training goes on.
    epochs : int
        The number now.

    Returns
    -------
    list of int
    """
    if description is None or not any(TO_THE_END in text for text in description["training"].values()):
        return [epochs]
    return sorted({*description["planned_epochs"], epochs})


def _folders(folder: Path, description: dict[str, Any]) -> list[Path]:
    """Return the folder of the checkpoints of each stack."""
    stacks = description["stacks"]
    return [folder if len(stacks) == 1 else folder / f"stack-{stack[0]}" for stack in stacks]


def read_histories(folder: Path) -> list[History]:
    """Return the histories of all members up to the newest checkpoints of a folder; empty ones without checkpoints."""
    description = read_description(folder)
    if description is None:
        return []
    found: dict[int, History] = {}
    for stack, at in zip(description["stacks"], _folders(folder, description), strict=True):
        files = checkpoint_files(at)
        rows = [History()] * len(stack)
        if files:
            epoch = max(files)
            rows = state_json.histories_of(read_state(files[epoch], epoch, len(stack))[1])
        found |= dict(zip(stack, rows, strict=True))
    return [found[k] for k in sorted(found)]


def read_state(path: Path, epoch: int, members: int, owner: str | None = None) -> tuple[TensorFile, str]:
    """Return the file and the JSON of a checkpoint, whose tensors are not read yet.

    Parameters
    ----------
    path : Path
    epoch : int
        Number of completed epochs.
    members : int
        Number of nets.
    owner : str, optional
        Text of the training and stack that it must be of. Default: any.

    Returns
    -------
    file : TensorFile
    text : str
        JSON, which has been checked.

    Raises
    ------
    FileError
        If the file is damaged, or of another epoch or number of nets.
    """
    file = TensorFile(path, ("float32", "float64", "int32"), ADVICE)
    metadata = file.metadata
    if metadata.get("format") != FORMAT:
        raise FileError(path, "metadata", f"format {FORMAT}", f"{metadata.get('format')}", ADVICE)
    if owner is not None and metadata.get("owner") != owner:
        raise FileError(path, "metadata", f"the checkpoint of stack {owner}", f"{metadata.get('owner')}", ADVICE)
    try:
        state_json.check(metadata.get("state", ""), epoch, members)
    except ValueError as error:
        raise FileError(
            path, "state", f"that of {format_count(members, 'net')} after epoch {epoch}", f"{error}", ADVICE
        ) from error
    if DIGEST not in metadata:
        raise FileError(path, f"metadata {DIGEST}", "a digest", "nothing", ADVICE)
    return file, metadata["state"]


def checkpoint_files(path: Path) -> dict[int, Path]:
    """Return the checkpoints of a folder by epoch."""
    names = ((re.fullmatch(r"epoch-(\d+)\.safetensors", file.name), file) for file in path.glob("epoch-*.safetensors"))
    return {int(match[1]): file for match, file in names if match}
