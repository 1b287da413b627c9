"""Checkpoints of one net or stack of nets, written while training goes on."""

import re
import time
import warnings
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from anynet.backends import Backend
from anynet.core.epoch import rank
from anynet.core.errors import FileError, TrainingWarning
from anynet.core.tensor_file import write_tensors
from anynet.training import state as states
from anynet.training.checkpoint_files import ADVICE, FORMAT, checkpoint_files, read_state
from anynet.training.state import TrainingState
from anynet.training.state_json import places_of


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
    writer : ThreadPoolExecutor or None
        Thread that writes the files, so that training need not wait for the disk. If None, they are only read.
    """

    def __init__(
        self, path: Path, every: Interval, backend: Backend, members: int, owner: str, writer: ThreadPoolExecutor | None
    ) -> None:
        self._path, self._every, self._backend = path, every, backend
        self._members, self._owner, self._writer = members, owner, writer
        self._saved, self._when = 0, time.monotonic()
        self._writing: Future[None] | None = None
        self._failed = False

    def save_if_due(self, state: TrainingState, *, last: bool) -> None:
        """Write a checkpoint if it is time for one, or if no other epoch will follow."""
        every = self._every
        due = state.epoch % every.epochs == 0 if every.epochs else time.monotonic() - self._when >= every.seconds
        if due or last:
            self.save(state)

    def save(self, state: TrainingState) -> None:
        """Begin to write a checkpoint, unless this epoch has one, after the one before is written."""
        self.finish()
        if self._writer is None or state.epoch == self._saved:
            return
        tensors, text = states.to_host(state, self._backend)
        best = max((each.best for each in state.histories if each), key=rank, default=None)
        keep = 0 if best is None else best.epoch
        self._writing = self._writer.submit(self._write, state.epoch, tensors, text, keep)
        self._saved, self._when = state.epoch, time.monotonic()

    def finish(self) -> None:
        """Wait until the checkpoint is written. A file that cannot be written is a warning, given once."""
        if self._writing is None:
            return
        error, self._writing = self._writing.exception(), None
        if error is not None and not isinstance(error, OSError):
            raise error
        if error is not None:
            self._saved = 0
            if not self._failed:
                warnings.warn(
                    f"{error.filename}: no checkpoint written ({error.strerror}); training goes on",
                    TrainingWarning,
                    stacklevel=2,
                )
        self._failed = error is not None

    def _write(self, epoch: int, tensors: Mapping[str, NDArray[Any]], text: str, keep: int) -> None:
        """Write a checkpoint, and remove those that are neither among the last two nor of the epoch `keep`."""
        self._path.mkdir(exist_ok=True)  # if the folder above is gone, net and results will be elsewhere
        metadata = {"format": FORMAT, "owner": self._owner, "state": text}
        write_tensors(self._path / f"epoch-{epoch:06}.safetensors", tensors, metadata)
        found = checkpoint_files(self._path)
        for old in found.keys() - {*sorted(found)[-2:], keep}:
            found[old].unlink(missing_ok=True)

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
        file, text = read_state(path, self._saved, self._members, self._owner)
        arrays = like(places_of(text))
        try:
            states.check_types(file.types, arrays, self._backend)
            return states.from_host(file.read(), text, arrays, self._backend)
        except FileError:
            raise
        except ValueError as error:
            raise FileError(path, "", "the checkpoint of this training", f"another ({error})", ADVICE) from error
