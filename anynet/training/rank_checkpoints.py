"""Checkpoints of several processes: the first one has the folder; another one writes to it if the first is gone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from anynet.backends import Backend
from anynet.core.ranks import Ranks
from anynet.training import state as states
from anynet.training.checkpoint_folder import CheckpointError, CheckpointFolder
from anynet.training.checkpoints import Checkpoints
from anynet.training.inputs import Inputs
from anynet.training.next_state import expected_arrays
from anynet.training.state import TrainingState
from anynet.training.state_json import places_of


class NewFolder(Protocol):
    """Function that opens the folder of a training; arguments as for `CheckpointFolder`."""

    def __call__(self, *, resume: bool) -> CheckpointFolder:
        """Return the folder."""


class SpareCheckpoints(Checkpoints):
    """Checkpoints of one net on a rank that is not the first, which writes one only if that one is gone.

    Parameters
    ----------
    new_folder : callable
    backend : Backend
    """

    def __init__(self, new_folder: NewFolder, backend: Backend) -> None:
        self._new_folder, self._backend = new_folder, backend

    def save_if_due(self, state: TrainingState, *, last: bool) -> None:
        """Do nothing: the first rank does."""

    def save(self, state: TrainingState) -> None:
        """Write a checkpoint of the end, unless the first rank is there, which has locked the folder."""
        try:
            folder = self._new_folder(resume=True)
            if not folder.path.parent.exists():
                return  # on a disk that this rank does not see
            with folder.locked():
                folder.stacks([[0]])
                own = folder.of_stack(0, self._backend)
                own.save(state)
                own.finish()
        except CheckpointError:
            return

    def finish(self) -> None:
        """Do nothing: nothing is being written."""


class SpareFolder:
    """The folder of checkpoints, on a rank that is not the first.

    Parameters
    ----------
    new_folder : callable
    """

    def __init__(self, new_folder: NewFolder) -> None:
        self._new_folder = new_folder
        self.path = Path()

    def locked(self) -> nullcontext[None]:
        """Return a context that does nothing: the first rank has locked the folder."""
        return nullcontext()

    def stacks(self, chosen: Sequence[Sequence[int]]) -> list[list[int]]:
        """Return the numbers of the members of each stack."""
        return [list(stack) for stack in chosen]

    def of_stack(self, first: int, backend: Backend) -> Checkpoints:
        """Return the checkpoints of one net that is trained by all ranks."""
        return SpareCheckpoints(self._new_folder, backend)

    @contextmanager
    def writing(self) -> Iterator[CheckpointFolder]:
        """Context manager within which this rank writes checkpoints of its own stacks into the folder."""
        folder = self._new_folder(resume=True)
        if not folder.path.exists():
            raise CheckpointError(
                f"{folder.path}: expected a folder that all ranks see, but rank 0 alone does; choose one on a disk "
                "that all machines share, or no checkpoints"
            )
        with folder.writing():
            yield folder


def open_folder(ranks: Ranks | None, new_folder: NewFolder, *, resume: bool) -> CheckpointFolder | SpareFolder:
    """Return the folder of checkpoints, for this rank.

    Parameters
    ----------
    ranks : Ranks or None
    new_folder : callable
    resume : bool
        As for `CheckpointFolder`.
    """
    if ranks is None:
        return new_folder(resume=resume)
    opened: list[CheckpointFolder] = []
    ranks.first(lambda: opened.append(new_folder(resume=resume)))
    return opened[0] if opened else SpareFolder(new_folder)


def load_state(checkpoints: Checkpoints, state: TrainingState, inputs: Inputs) -> TrainingState:
    """Return the newest state of the checkpoints, the same on all ranks, or else the given one.

    Parameters
    ----------
    checkpoints : Checkpoints
    state : TrainingState
        Before the first epoch.
    inputs : Inputs
    """
    like, ranks = partial(expected_arrays, state), inputs.ranks
    if ranks is None:
        return checkpoints.load(like) or state

    def read() -> Any:
        found = checkpoints.load(like)
        return None if found is None else states.to_host(found, inputs.backend)

    content = ranks.first(read)
    if content is None:
        return state
    tensors, text = content
    return states.from_host(tensors, text, like(places_of(text)), inputs.backend)
