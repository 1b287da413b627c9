"""Callbacks: what is called when a training begins, after its epochs and at its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anynet.core.epoch import Epoch
from anynet.core.history import History
from anynet.data.dataset import Label
from anynet.nn import Sequential
from anynet.training.inputs import Inputs
from anynet.training.members import Member
from anynet.training.setting_values import Plain, plain, setting_values


@dataclass(frozen=True, kw_only=True)
class Training:
    """Description of a training that begins, for callbacks.

    Parameters
    ----------
    net : Sequential
        The net, or that of the first member.
    settings : dict of str to bool, int, float or str
        Net, optimizer and all settings by name, as in ``{"optimizer": "SGD", "lr": 0.1, "epochs": 20, ...}``, without
        those in which members differ, and those that are None.
    members : tuple of dict
        For each member the seed and the settings in which members differ; empty if a net is trained alone.
    dataset : str
        Name of the data set.
    sizes : dict of str to int
        Number of samples by part: "train", "val", "test".
    classes : tuple of str, int or bool
        Labels of the classes; empty if targets are numbers.
    backend, device : str
        Array library, and name of the device.
    epochs : int
        Number of epochs.
    checkpoint : Path or None
        Folder of the checkpoints.
    resume : bool
        True if the training goes on from checkpoints, if there are any.
    histories : tuple of History
        Epochs, until now, of each net that is trained: empty histories unless it goes on from checkpoints.
    """

    net: Sequential
    settings: dict[str, Plain]
    members: tuple[dict[str, Plain], ...]
    dataset: str
    sizes: dict[str, int]
    classes: tuple[Label, ...]
    backend: str
    device: str
    epochs: int
    checkpoint: Path | None
    resume: bool
    histories: tuple[History, ...]

    @property
    def done(self) -> int:
        """Number of the epoch that the training goes on from, the latest of its members; 0 if it is a new one."""
        return max(map(len, self.histories))

    @classmethod
    def of(
        cls,
        inputs: Inputs,
        members: Sequence[Member],
        *,
        stacked: bool,
        checkpoint: Path | None,
        resume: bool,
        histories: Sequence[History],
    ) -> "Training":
        """Return the description of a training; `histories` is empty if it is a new one."""
        data, backend = inputs.data, inputs.backend
        here = {
            "backend": backend.name,
            "precision": backend.precision,
            "loss": plain(inputs.loss),
            "order_seed": inputs.settings.order,
        }
        every = [{"net": str(member.net)} | setting_values(member) | here for member in members]
        first = every[0]
        own = {name for each in every[1:] for name in each if each[name] != first.get(name)} | {"seed"}
        return cls(
            net=members[0].net,
            settings={name: value for name, value in first.items() if not (stacked and name in own)},
            members=tuple({name: each[name] for name in each if name in own} for each in every) if stacked else (),
            dataset=data.name,
            sizes={name: len(part) for name, part in data.parts.items()},
            classes=data.classes,
            backend=backend.name,
            device=backend.device_name,
            epochs=inputs.settings.epochs,
            checkpoint=checkpoint,
            resume=resume,
            histories=tuple(histories) or (History(),) * len(members),
        )


class Callback:
    """Base class of callbacks, whose methods do nothing.

    `start` comes first, and after it, whatever happens, either `end` or `failed`. Callbacks are called one after
    another, in the order given to `fit`, but not always in the thread that called it.

    An error in `start` ends `fit` before any work. A later one is a `TrainingWarning` that names the callback: its
    method `failed` is called, and the training goes on without it.
    """

    def start(self, training: Training) -> None:
        """Begin: everything is validated, and nothing has been trained.

        Parameters
        ----------
        training : Training
            Settings, backend and device of the training, and its epochs and members.
        """

    def epoch(self, epoch: Any) -> Any:
        """Take the results of an epoch.

        Parameters
        ----------
        epoch : Epoch or dict of int to Epoch
            The epoch; of members a dict by number, of those that are trained in one stack. `by_member` returns a dict
            of either.

        Returns
        -------
        bool, collection of int or None
            True ends the training of these nets here, as early stopping does. A collection of numbers of members drops
            them. KeyboardInterrupt interrupts the whole training, as Control-C does, so that it may go on later.
        """

    def end(self, result: Any) -> None:
        """Take the result of the training, which may have been interrupted.

        Parameters
        ----------
        result : Run or Runs
            What `fit` returns.
        """

    def failed(self, error: BaseException) -> None:
        """Close files and connections: there will be no result.

        Parameters
        ----------
        error : BaseException
            Such as a DivergedError, KeyboardInterrupt before the first epoch was complete, or an error of this
            callback.
        """


def by_member(epoch: Epoch | Mapping[int, Epoch]) -> dict[int, Epoch]:
    """Return what `Callback.epoch` is given as a dict by number of the member; a net alone has number 0."""
    return {0: epoch} if isinstance(epoch, Epoch) else dict(epoch)
