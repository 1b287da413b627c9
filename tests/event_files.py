"""Reading what TensorBoard reads: files of frames, each an event."""

import struct
from pathlib import Path
from typing import NamedTuple

from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData


class Log(NamedTuple):
    """Numbers by tag and step, texts by tag, hyperparameters by name, and how often the training succeeded."""

    numbers: dict[tuple[str, int], list[float]]
    texts: dict[str, str]
    settings: dict[str, object]
    ends: list[int]


def events(file: Path):
    """Yield the events of a file whose frames are whole."""
    content = file.read_bytes()
    while content:
        (size,) = struct.unpack("<Q", content[:8])
        frame, content = content[12 : 12 + size], content[16 + size :]
        assert len(frame) == size
        yield Event.FromString(frame)


def read(folder: Path) -> Log:
    """Read a folder as TensorBoard does: a session that starts at a step takes the place of events from there on."""
    kept = []
    for file in sorted(folder.glob("events.out.tfevents.*")):
        for event in events(file):
            if event.session_log.status == SessionLog.START:
                kept = [each for each in kept if each.step < event.step]
            kept.append(event)
    log = Log({}, {}, {}, [])
    for event in kept:
        for value in event.summary.value:
            plugin = value.metadata.plugin_data
            if plugin.plugin_name == "text":
                log.texts[value.tag.removesuffix("/text_summary")] = value.tensor.string_val[0].decode()
            elif plugin.plugin_name == "hparams":
                data = HParamsPluginData.FromString(plugin.content)
                start = data.session_start_info.hparams.items()
                log.settings.update({name: getattr(each, each.WhichOneof("kind")) for name, each in start})
                log.ends.extend([event.step] * data.HasField("session_end_info"))
            else:
                log.numbers.setdefault((value.tag, event.step), []).append(value.simple_value)
    return log


def expected(run) -> dict[tuple[str, int], float]:
    """Return the numbers of a run by tag and step, in single precision."""
    numbers = {}
    for row in run.history:
        for name, value in row._asdict().items():
            if name != "epoch" and value is not None:
                part, _, quantity = name.rpartition("_")
                numbers[f"{quantity}/{part}" if part else name, row.epoch] = value
    for name, metrics in (("test", run.test), ("test of best epoch", run.best_test)):
        for quantity, value in (metrics._asdict() if metrics else {}).items():
            numbers[f"{quantity}/{name}", len(run.history)] = value
    return {key: struct.unpack("f", struct.pack("f", value))[0] for key, value in numbers.items() if value is not None}
