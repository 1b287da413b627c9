"""A log for TensorBoard."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from anynet.callbacks.event_log import EventLog, event_files
from anynet.core.checks import describe
from anynet.core.epoch import Epoch
from anynet.core.errors import FileError, file_path
from anynet.core.extras import install_command
from anynet.training.callback import Callback, Training, by_member
from anynet.training.run import Run
from anynet.training.runs import Runs
from anynet.training.setting_values import Plain


class TensorBoard(Callback):
    """Write a log for TensorBoard: cost, loss, accuracy, learning rate and seconds of every epoch.

    ``tensorboard --logdir FOLDER`` shows it. Settings are hyperparameters and, with the net, a text. Results on the
    test samples follow at the end. Members are runs of their own, in folders in the folder. A training that goes on
    from checkpoints goes on in the same folder; what had been written after the checkpoint is no longer shown.

    Tags are such as "loss/train", "loss/val", "loss/test" and "loss/test of best epoch"; the step is the number of the
    epoch. Numbers are in single precision.

    Parameters
    ----------
    folder : str or Path
        Folder to write to. A new training needs a new one.
    names : sequence of str, optional
        Names of the members' folders. Default: "member-0", "member-1", ...

    Raises
    ------
    ModuleNotFoundError
        If tensorboardX is not installed.
    """

    def __init__(self, folder: str | Path, *, names: Sequence[str] | None = None) -> None:
        if find_spec("tensorboardX") is None:
            raise ModuleNotFoundError(
                f"TensorBoard needs tensorboardX; install it with: {install_command('tensorboard')}",
                name="tensorboardX",
            )
        self._folder, self._names, self._logs = file_path("folder", folder), names, list[EventLog]()

    def __repr__(self) -> str:
        return f"TensorBoard({str(self._folder)!r})"

    def start(self, training: Training) -> None:
        """Begin a log for each net, with its settings and the epochs that the log lacks.

        Raises FileExistsError if there is a log, unless the training is one that goes on.
        """
        members = training.members
        names = [f"member-{k}" for k in range(len(members))] if self._names is None else self._names
        if members:
            _check_names(names, len(members))
        folders = [self._folder / name for name in names] if members else [self._folder]
        for folder in folders:
            there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
            if not there.is_dir():
                raise FileError(there, "", "a folder", "a file", "choose another for the log")
            if event_files(folder) and not training.resume:
                raise FileExistsError(f"{folder}: expected a new folder, but it has a log; choose another one")
        self._logs = []
        for folder, own, history in zip(folders, members or ({},), training.histories, strict=True):
            # The last epoch is written again, because the results of a test that followed have the same step.
            first = len(history) if event_files(folder) else 0
            self._logs.append(log := EventLog(folder, first))
            _describe(log, first, training, own)
            for row in history[max(0, first - 1) :]:
                _write(log, row)

    def epoch(self, epoch: Any) -> None:
        """Write an epoch of the nets that were trained."""
        for k, row in by_member(epoch).items():
            _write(self._logs[k], row)

    def end(self, result: Run | Runs) -> None:
        """Write the results on the test samples."""
        for log, run in zip(self._logs, result if isinstance(result, Runs) else [result], strict=False):
            for name, metrics in (("test", run.test), ("test of best epoch", run.best_test)):
                if metrics is not None:
                    values = {f"{quantity}/{name}": value for quantity, value in metrics._asdict().items()}
                    log.numbers(len(run.history), values)
            log.succeed(len(run.history))
        self._close()

    def failed(self, error: BaseException) -> None:
        """Close the log."""
        self._close()

    def _close(self) -> None:
        for log in self._logs:
            log.close()


def _check_names(names: Any, members: int) -> None:
    """Raise TypeError or ValueError unless there is a folder's name for each member, so that no two share a log."""
    if isinstance(names, str) or not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"names: expected a list of texts, one for each member, got {describe(names)}")
    if len(names) != members:
        raise ValueError(f"names: expected one for each of the {members} members, got {len(names)}")
    wrong = [name for name in names if name in ("", ".", "..") or {*"/\\\0"} & {*name} or names.count(name) > 1]
    if wrong:
        raise ValueError(f"names: expected names of folders that differ, got {wrong[0]!r}")


def _describe(log: EventLog, step: int, training: Training, own: dict[str, Plain]) -> None:
    """Write settings and net."""
    settings = training.settings | own
    log.settings(step, {name: value for name, value in settings.items() if name != "net" or name in own})
    sizes = ", ".join(f"{size:,} {part}" for part, size in training.sizes.items())
    rows = {"data": f"{training.dataset}: {sizes}", "device": training.device} | settings
    cells = (f"| {name} | {str(value).replace('|', chr(92) + '|')} |\n" for name, value in rows.items())
    log.text(step, "settings", "| setting | value |\n| --- | --- |\n" + "".join(cells))
    log.text(step, "net", "".join(f"    {line}\n" for line in training.net.summary().splitlines()))


def _write(log: EventLog, row: Epoch) -> None:
    values = row._asdict()
    step = values.pop("epoch")
    log.numbers(step, {_tag(name): value for name, value in values.items()})


def _tag(column: str) -> str:
    """Return the tag of a column of the history: "loss/train" for "train_loss"."""
    part, _, quantity = column.partition("_")
    return f"{quantity}/{part}" if quantity else column
