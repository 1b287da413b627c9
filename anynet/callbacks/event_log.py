"""Files of events that TensorBoard reads."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anynet.training.setting_values import Plain


class EventLog:
    """The events of one net, in a new file of a folder.

    ``tensorboardX.SummaryWriter`` would write them in a thread, and an error there, as of a full disk, would be lost.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    step : int
        Step to go on from. What earlier files of the folder have from this step on is no longer read.
    """

    def __init__(self, folder: Path, step: int) -> None:
        from tensorboardX import summary  # here, because tensorboardX takes time to import
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto import event_pb2, summary_pb2

        self._summaries, self._events, self._values = summary, event_pb2, summary_pb2
        known = event_files(folder)
        folder.mkdir(parents=True, exist_ok=True)
        # The writer names its file after the second; the suffix tells it from another of the same second.
        self._file = EventsWriter(str(folder / "events"), filename_suffix=f".{len(known):04}")
        if known:
            self._add(step, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START))

    def settings(self, step: int, values: Mapping[str, Plain]) -> None:
        """Write hyperparameters.

        Without a list of all hyperparameters TensorBoard makes it of all runs, and shows those first that differ.
        """
        _, start, self._success = self._summaries.hparams(dict(values), {})
        self._add(step, summary=start)

    def succeed(self, step: int) -> None:
        """Write, after `settings`, that the training had a result."""
        self._add(step, summary=self._success)

    def text(self, step: int, tag: str, markdown: str) -> None:
        """Write a text."""
        self._add(step, summary=self._summaries.text(tag, markdown))

    def numbers(self, step: int, values: Mapping[str, float | None]) -> None:
        """Write numbers by tag, in single precision, without those that are None."""
        value = self._values.Summary.Value
        measured = [value(tag=tag, simple_value=number) for tag, number in values.items() if number is not None]
        self._add(step, summary=self._values.Summary(value=measured))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _add(self, step: int, **content: Any) -> None:
        self._file.write_event(self._events.Event(wall_time=time.time(), step=step, **content))
        self._file.flush()


def event_files(folder: Path) -> list[Path]:
    """Return the files of events of a folder; none if there is no folder."""
    return sorted(folder.glob("events.out.tfevents.*"))
