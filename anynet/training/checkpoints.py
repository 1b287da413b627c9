"""Checkpoints: files from which a training goes on as if it had not stopped."""

import hashlib
import json
import re
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from anynet.backends import Backend
from anynet.core.atomic import PARTIAL, write_text_whole, write_whole
from anynet.core.errors import Error, FileError, is_disk_full
from anynet.core.formatting import printable
from anynet.training import state as states
from anynet.training.checkpoint_files import ADVICE, DESCRIPTION, FORMAT, checkpoint_files, read_description, read_state
from anynet.training.description import TO_THE_END
from anynet.training.errors import TrainingWarning
from anynet.training.state import TrainingState


class CheckpointError(Error, ValueError):
    """Checkpoints that cannot be used: another training's, in use by another process, or already there."""


class Interval(NamedTuple):
    """Time between two checkpoints.

    Attributes
    ----------
    epochs : int
        Number of epochs, or 0.
    seconds : float
        Number of seconds, if `epochs` is 0.
    """

    epochs: int = 1
    seconds: float = 0.0

    @classmethod
    def of(cls, value: Any) -> "Interval":
        """Return the interval of a number of epochs, or of a number of seconds as text: "30s".

        Raises
        ------
        ValueError
            If it is neither, or not positive.
        """
        text = str(value).strip()
        if re.fullmatch(r"[1-9]\d*", text):
            return cls(int(text))
        if re.fullmatch(r"\d+(\.\d+)?s", text) and float(text[:-1]) > 0:
            return cls(0, float(text[:-1]))
        raise ValueError(f'checkpoint_every: expected a number of epochs, or of seconds, such as "30s", got {value!r}')


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
        self._full = False
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
            if old != new:
                raise CheckpointError(
                    f"{self.path}: its checkpoints are of a training with {printable(name)} {printable(old)}, not "
                    f"{new}; a training is resumed with the same settings"
                )
        if known["epochs"] > epochs:
            raise CheckpointError(
                f"{self.path}: its checkpoints are of a training with {known['epochs']} epochs, not {epochs}; choose "
                "as many or more"
            )
        if known["epochs"] != epochs and any(TO_THE_END in value for value in there.values()):
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
            yield
        finally:
            lock.release()

    def stacks(self, chosen: Sequence[Sequence[int]]) -> list[list[int]]:
        """Return the numbers of the members of each stack: those of the checkpoints, or else the chosen ones."""
        if self._stacks is None:
            self._stacks = [list(stack) for stack in chosen]
        content = {"format": FORMAT, "epochs": self._epochs, "training": self._training, "stacks": self._stacks}
        try:
            if not self._full:
                write_text_whole(self.path / DESCRIPTION, json.dumps(content, indent=1) + "\n")
        except OSError as error:
            self._give_up(error)
        return self._stacks

    def of_stack(self, first: int, backend: Backend) -> "Checkpoints":
        """Return the checkpoints of the stack whose first member has this number; `stacks` comes first."""
        stacks = self._stacks or [[first]]
        path = self.path if len(stacks) == 1 else self.path / f"stack-{first}"
        members = next(len(stack) for stack in stacks if stack[0] == first)
        return Checkpoints(path, self._every, backend, members, f"{first} of {self._digest()}", writes=not self._full)

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


class Checkpoints:
    """Checkpoints of one net or stack: the last two, and that of the best epoch.

    Parameters
    ----------
    path : Path
    every : Interval
    backend : Backend
    members : int
        Number of nets.
    owner : str
        Text that is another one for another training or stack.
    writes : bool
        If False, checkpoints are only read.
    """

    def __init__(
        self, path: Path, every: Interval, backend: Backend, members: int, owner: str, *, writes: bool
    ) -> None:
        self._path, self._every, self._backend, self._writes = path, every, backend, writes
        self._members, self._owner = members, owner
        self._saved, self._when = 0, time.monotonic()
        self._failed = False

    def save_if_due(self, state: TrainingState, *, last: bool) -> None:
        """Write a checkpoint if it is time for one, or if no other epoch will follow."""
        every = self._every
        due = state.epoch % every.epochs == 0 if every.epochs else time.monotonic() - self._when >= every.seconds
        if due or last:
            self.save(state)

    def save(self, state: TrainingState) -> None:
        """Write a checkpoint, unless this epoch has one. A file that cannot be written is a warning, given once."""
        from safetensors.numpy import save  # here, because only checkpoints and saved nets need it

        if not self._writes or state.epoch == self._saved:
            return
        tensors, text = states.to_host(state, self._backend)
        content = save(tensors, {"format": FORMAT, "owner": self._owner, "state": text})
        path = self._path / f"epoch-{state.epoch:06}.safetensors"
        try:
            self._path.mkdir(exist_ok=True)  # if the folder above is gone, net and results will be elsewhere
            write_whole(path, lambda partial: partial.write_bytes(content))
            self._remove_others(state)
        except OSError as error:
            if not self._failed:
                self._failed = True
                warnings.warn(
                    f"{path}: no checkpoint written ({error.strerror}); training goes on",
                    TrainingWarning,
                    stacklevel=2,
                )
            return
        self._saved, self._when, self._failed = state.epoch, time.monotonic(), False

    def load(self, like: Any) -> TrainingState | None:
        """Return the newest state, or None if there is no checkpoint.

        Parameters
        ----------
        like : callable
            ``like(places)`` returns what `state.from_host` expects, for these members in training.

        Raises
        ------
        FileError
            If the newest checkpoint is damaged, or of other nets.
        """
        found = checkpoint_files(self._path)
        if not found:
            return None
        self._saved = max(found)
        path = found[self._saved]
        tensors, text = read_state(path, self._saved, self._members, self._owner)
        try:
            return states.from_host(tensors, text, like(states.places_of(text)), self._backend)
        except (KeyError, TypeError, ValueError) as error:
            raise FileError(path, "", "the checkpoint of this training", f"another ({error})", ADVICE) from error

    def _remove_others(self, state: TrainingState) -> None:
        found = checkpoint_files(self._path)
        best = max(filter(None, state.histories), key=lambda history: history.best.val_accuracy, default=None)
        keep = {*sorted(found)[-2:], 0 if best is None else best.best.epoch}
        for epoch in found.keys() - keep:
            found[epoch].unlink(missing_ok=True)
