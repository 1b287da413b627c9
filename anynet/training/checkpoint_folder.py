"""The folder with the checkpoints of a training, from which it goes on as if it had not stopped."""

import hashlib
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from anynet.backends import Backend
from anynet.core.atomic import PARTIAL, write_text_whole
from anynet.core.errors import Error, TrainingWarning, is_disk_full
from anynet.core.formatting import format_difference, printable
from anynet.training.checkpoint_files import DESCRIPTION, FORMAT, planned_epochs, read_description
from anynet.training.checkpoints import Checkpoints, Interval
from anynet.training.description import LAYERS


class CheckpointError(Error, ValueError):
    """Checkpoints that cannot be used: another training's, in use by another process, or already there."""


class CheckpointFolder:
    """Folder with the checkpoints of a training, locked while it runs.

    Parameters
    ----------
    path : str or Path
    training : mapping of str to str
        Settings that the results depend on, as text.
    resume : bool
        If True, go on from the checkpoints that are there, if any. If False, there must be none.
    every : Interval
    epochs : int
        Number of epochs of the training.

    Raises
    ------
    CheckpointError
        If the folder holds checkpoints of another training, or of any if not `resume`.
    FileError
        If ``training.json`` is damaged.
    """

    def __init__(
        self, path: str | Path, training: Mapping[str, str], *, resume: bool, every: Interval, epochs: int
    ) -> None:
        self.path, self._training, self._every, self._epochs = Path(path), dict(training), every, epochs
        if self.path.exists() and not self.path.is_dir():
            raise CheckpointError(f"{self.path}: expected a folder for checkpoints, got a file; choose another name")
        known = read_description(self.path)
        self._stacks: list[list[int]] | None = None if known is None else known["stacks"]
        self._full, self._planned = False, [epochs]
        if known is None:
            if any(self.path.rglob("epoch-*.safetensors")):
                raise CheckpointError(
                    f"{self.path}: expected {DESCRIPTION} beside the checkpoints there; choose another folder"
                )
            return
        if not resume:
            raise CheckpointError(
                f"{self.path}: expected a new folder, but it holds checkpoints; go on from them with resume=True "
                "(train.py --resume), or choose another folder"
            )
        there = known["training"]
        for name in {**self._training, **there}:
            old, new = there.get(name, "nothing"), self._training.get(name, "nothing")
            if old != new and not (name.startswith(LAYERS) and name not in there):
                old, new = format_difference(old, new)
                raise CheckpointError(
                    f"{self.path}: its checkpoints are of a training with {printable(name)} {old}, not {new}; a "
                    "training is resumed with the same settings"
                )
        self._training = there
        if known["epochs"] > epochs:
            raise CheckpointError(
                f"{self.path}: its checkpoints are of a training with {known['epochs']} epochs, not {epochs}; choose "
                "as many or more"
            )
        self._planned = planned_epochs(known, epochs)
        if self._planned not in ([epochs], known["planned_epochs"]):
            warnings.warn(
                f"the learning rate falls to 0 at the last epoch, which was {known['epochs']} and is {epochs} now: the "
                f"result differs from that of a training started with {epochs} epochs",
                TrainingWarning,
                stacklevel=3,
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Context manager within which no other process may use the folder. Raises CheckpointError if one does."""
        from filelock import FileLock, Timeout  # here, because only checkpoints need it

        lock = FileLock(self.path / ".lock")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            raise CheckpointError(
                f"{self.path}: another process uses these checkpoints; wait for it or stop it"
            ) from None
        except OSError as error:
            self._give_up(error)
        try:
            for partial in self.path.rglob(f"{PARTIAL}*"):  # of a process that was killed
                partial.unlink(missing_ok=True)
            with self.writing():
                yield
        finally:
            lock.release()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Context manager within which checkpoints are written, by a thread."""
        with ThreadPoolExecutor(1, "checkpoints") as self._writer:
            yield

    def stacks(self, chosen: Sequence[Sequence[int]]) -> list[list[int]]:
        """Return the numbers of the members of each stack: those of the checkpoints, or else the chosen ones."""
        if self._stacks is None:
            self._stacks = [list(stack) for stack in chosen]
        content = {
            "format": FORMAT,
            "epochs": self._epochs,
            "planned_epochs": self._planned,
            "training": self._training,
            "stacks": self._stacks,
        }
        try:
            if not self._full:
                write_text_whole(self.path / DESCRIPTION, json.dumps(content, indent=1) + "\n")
        except OSError as error:
            self._give_up(error)
        return self._stacks

    def of_stack(self, first: int, backend: Backend) -> Checkpoints:
        """Return the checkpoints of the stack whose first member has this number; `locked` and `stacks` come first."""
        stacks = self._stacks or [[first]]
        path = self.path if len(stacks) == 1 else self.path / f"stack-{first}"
        members = next(len(stack) for stack in stacks if stack[0] == first)
        writer = None if self._full else self._writer
        return Checkpoints(path, self._every, backend, members, f"{first} of {self._digest()}", writer)

    def _give_up(self, error: OSError) -> None:
        """Write no checkpoints, with a warning, if the disk is full. Raises CheckpointError for other causes."""
        failed = f"{error.filename or self.path} cannot be written ({error.strerror or error})"
        if not is_disk_full(error):
            raise CheckpointError(f"{failed}; choose another folder for checkpoints") from error
        self._full = True
        warnings.warn(f"{failed}; training goes on without checkpoints", TrainingWarning, stacklevel=2)

    def _digest(self) -> str:
        """Return a text that is another one for another training."""
        return hashlib.sha256(json.dumps(self._training, sort_keys=True).encode()).hexdigest()[:16]
