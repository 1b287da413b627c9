"""Going on with a run or a sweep that was stopped: which settings it had, and which may change."""

import json
import reprlib
import shlex
from contextlib import suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from anynet.app.config import LAYER_SETTINGS, Config, layer_settings, refuse_layers
from anynet.app.config_file import check_settings, read_config
from anynet.app.grouping import MEMBER_SETTINGS
from anynet.app.result_file import ADVICE, MOST
from anynet.app.space import Point
from anynet.core.atomic import write_text_whole
from anynet.core.errors import FileError
from anynet.core.ranks import RankLost
from anynet.core.text_files import read_json, read_json_list
from anynet.training.checkpoint_files import planned_epochs, read_description, read_histories
from anynet.training.checkpoints import Interval
from anynet.training.load import NET_FILE
from anynet.training.members import MOST_MEMBERS

CHECKPOINTS = "checkpoints"
"""Folder of the checkpoints in that of a run or a sweep."""

POINTS = "points.json"
"""File of a sweep with the settings in which its members differ."""

MOST_POINTS = 10_000_000
"""Largest size of that file in bytes."""

NEW_SWEEP = "start another sweep"
"""Advice if it is damaged."""

NEVER = "never"
"""Interval of no checkpoints."""

MAY_CHANGE = ("epochs", "backend", "precision", "compile", "memory_budget", "evaluate_train", "data")
"""Settings that may differ when a run goes on: its length, where it runs, what is measured, where its images are."""


def check_interval(every: str) -> None:
    """Raise ValueError if this is neither an interval of checkpoints nor "never"."""
    if every != NEVER:
        try:
            Interval.of(every)
        except ValueError as error:
            raise ValueError(f"{error}, or never".replace("checkpoint_every", "--checkpoint-every")) from None


def checkpoint_arguments(folder: Path, every: str, *, resume: bool) -> dict[str, Any]:
    """Return the arguments of `anynet.fit` about the checkpoints of a run or a sweep."""
    if every == NEVER:
        return {}
    return {"checkpoint": folder / CHECKPOINTS, "checkpoint_every": every, "resume": resume}


def has_checkpoints(folder: Path) -> bool:
    """Return True if a run or a sweep can go on from checkpoints."""
    return any((folder / CHECKPOINTS).rglob("epoch-*.safetensors"))


def how_to_go_on(folder: Path) -> str:
    """Return the command with which a run or a sweep goes on, in words."""
    return f"go on with: python train.py --resume {shlex.quote(str(folder))}"


def tell_what_is_kept(error: BaseException | None, folder: Path) -> None:
    """Raise KeyboardInterrupt with the way to go on, if the error is one and a run or a sweep has checkpoints."""
    if not isinstance(error, KeyboardInterrupt):
        return
    kept = f"the epochs until then are kept; {how_to_go_on(folder)}" if has_checkpoints(folder) else "nothing was kept"
    if isinstance(error, RankLost):
        several = " (by mpiexec for several processes)" if has_checkpoints(folder) else ""
        raise RankLost(error.rank, f"{error}; {kept}{several}", told=error.told) from None
    if has_checkpoints(folder):
        raise KeyboardInterrupt(f"interrupted; {kept}") from None


def write_points(points: list[Point], folder: Path) -> None:
    """Write the settings in which the members of a sweep differ."""
    write_text_whole(folder / POINTS, json.dumps(points, indent=1) + "\n")


def read_started(folder: Path) -> tuple[Config, list[Point] | None]:
    """Return the settings that a run or a sweep was started with.

    Parameters
    ----------
    folder : Path
        Of a run or a sweep.

    Returns
    -------
    config : Config
        Of the run, or of the first member.
    points : list of dict or None
        Settings in which the members of a sweep differ; None for a run.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    FileError
        If a file is damaged, or something else is given.
    """
    settings = folder / "config.toml"
    if not settings.exists():
        _refuse_others(folder)
    known = read_description(folder / CHECKPOINTS)
    epochs = {} if known is None else {"epochs": known["epochs"]}  # may have been raised since
    points = read_points(folder) if (folder / POINTS).exists() else None
    return replace(read_config(settings, points[0] if points else {}), **epochs), points


def _refuse_others(given: Path) -> None:
    """Refuse parts of a run, searches and reproductions with what to do; return for other things without settings."""
    expected = "the folder of a run or a sweep"
    run = next((folder for folder in given.parents[:3] if (folder / "config.toml").is_file()), None)
    if run is not None and given.exists():
        raise FileError(given, "", expected, "a part of one", f"resume {run}")
    searched, reproduced = (given / "search.json").exists(), (given / "runs").is_dir() and (given / ".lock").exists()
    if searched or reproduced:
        got = "that of a search" if searched else "that of reproduce"
        raise FileError(given, "", expected, got, "it goes on with the command that began it")


def is_finished(folder: Path, config: Config, done: int) -> bool:
    """Return True if a run or a sweep has all its epochs or stopped early, and everything is written after the last."""
    folders = (folder, *folder.glob("member-*"))
    return all(_is_complete(each, config, done) for each in folders)


def _is_complete(folder: Path, config: Config, done: int) -> bool:
    with suppress(OSError, FileError):  # what is missing or damaged is written again
        result, written = read_json(folder / "result.json", MOST, ADVICE), (folder / "result.json").stat().st_mtime_ns
        if "diverged" in result:
            return True
        sweep = (folder / POINTS).exists()
        pictures = (
            ("curves.png",) if sweep or config.net is not None else ("curves.png", "weights.png")
        )  # not of any first layer
        # A process may have been killed between results and pictures, which are then older.
        drawn = all((folder / name).stat().st_mtime_ns >= written for name in pictures)
        ended = result.get("epochs") == done and (sweep or done >= config.epochs)  # a sweep, if its members have
        ended = (ended or result.get("stopped_early") is True) and result.get("interrupted") is False
        return ended and drawn and (sweep or (folder / NET_FILE).exists())
    return False


def with_other_epochs(folder: Path, epochs: int) -> dict[str, list[int]]:
    """Return an entry of ``result.json`` if the schedule of a run or a sweep ended at other epochs before."""
    planned = planned_epochs(read_description(folder / CHECKPOINTS), epochs)
    return {"planned_epochs": planned} if len(planned) > 1 else {}


def read_points(folder: Path) -> list[Point]:
    """Return the settings in which the members of a sweep differ. Raises FileError if their file is damaged."""
    path = folder / POINTS
    points = read_json_list(path, MOST_POINTS, NEW_SWEEP)
    if not 1 <= len(points) <= MOST_MEMBERS:
        raise FileError(path, "", f"the settings of 1 to {MOST_MEMBERS:,} members", f"{len(points):,}", NEW_SWEEP)
    for k, point in enumerate(points):
        if not (isinstance(point, dict) and point.keys() == points[0].keys() <= {*MEMBER_SETTINGS}):
            expected = f"the same of {', '.join(MEMBER_SETTINGS)} as the first has"
            raise FileError(path, f"member {k}", expected, reprlib.repr(point), NEW_SWEEP)
        check_settings(point, path, f"member {k}, ")
    return points


def defaults(folder: Path) -> dict[str, object]:
    """Return the settings of a run or a sweep by name, to be the defaults of the command line."""
    config, _ = read_started(folder)
    return {name: value for name, value in asdict(config).items() if value is not None}


def check_resumable(config: Config, started: Config, folder: Path) -> int:
    """Return the number of epochs that a run goes on from.

    Parameters
    ----------
    config : Config
        Settings now.
    started : Config
        Settings that it was started with.
    folder : Path
        Of the run or sweep.

    Returns
    -------
    int
        0 if there is no checkpoint.

    Raises
    ------
    ValueError
        If it cannot go on with these settings, has results but no checkpoints, or is part of a sweep.
    FileError
        If a checkpoint is damaged.
    """
    if (folder.parent / POINTS).is_file():
        raise ValueError(f"--resume: {folder} is part of a sweep; resume {folder.parent}")
    if started.net is not None:
        changed = [name for name in LAYER_SETTINGS if getattr(config, name) != getattr(started, name)]
        refuse_layers(f"--resume {folder}", layer_settings(changed))
    for field in fields(Config):
        now, then = getattr(config, field.name), getattr(started, field.name)
        if now != then and field.name not in MAY_CHANGE:
            raise ValueError(
                f"--resume: {folder} was started with {field.name} {then}, not {now}; only {', '.join(MAY_CHANGE)} (a "
                "folder of the same images) may change; start another run"
            )
    if config.epochs < started.epochs:
        raise ValueError(f"--epochs: expected {started.epochs} or more, as {folder} has, got {config.epochs}")
    done = max(map(len, read_histories(folder / CHECKPOINTS)), default=0)
    if not done and (folder / "result.json").exists():
        raise ValueError(f"--resume: {folder} has results, but no checkpoints to go on from; start another run")
    return done
