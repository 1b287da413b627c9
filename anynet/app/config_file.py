"""Settings as a file, ``config.toml``: writing and reading them, each validated as on the command line."""

import re
import reprlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

import tomli_w
from cyclopts import App, CycloptsError
from cyclopts.config import Dict

from anynet.app.config import LAYER_SETTINGS, Config
from anynet.core.atomic import write_text_whole
from anynet.core.checks import nearest
from anynet.core.errors import FileError
from anynet.core.formatting import format_value, printable
from anynet.core.text_files import read_toml
from anynet.training import TrainSettings
from anynet.training.run_facts import NAMES

ADVICE = "correct the file, or take that of another run"
MOST_SETTINGS = 20_000
"""Largest size of a file of settings in bytes."""

ABSENT: dict[str, Any] = {
    **dict.fromkeys(("weight_decay", "dropout", "label_smoothing"), 0.0),
    **{name: getattr(TrainSettings, name) for name in ("evaluate_train", "alternate_flip", "border", "cutout", "tta")},
}
"""Settings that files from before them lack, with the value that is meant."""


def write_config(config: Config, path: Path, without: Collection[str] = ()) -> None:
    """Write settings as TOML, replacing the file in one step.

    Parameters
    ----------
    config : Config
        Settings; those that are None are left out, as are those of layers that ``net`` makes.
    path : Path
        File to write.
    without : collection of str
        Names of settings to leave out.
    """
    left_out = {*without, *(LAYER_SETTINGS if config.net is not None else ())}
    values = {name: value for name, value in asdict(config).items() if value is not None and name not in left_out}
    write_text_whole(path, tomli_w.dumps(values))


def read_config(path: Path, own: Mapping[str, Any] = MappingProxyType({})) -> Config:
    """Read settings that `write_config` wrote, validated as if typed on the command line.

    Parameters
    ----------
    path : Path
        The file ``config.toml`` of a run or a sweep.
    own : mapping from str
        Settings that are not in the file: those of a member.

    Returns
    -------
    Config

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileError
        If it is no TOML, or a setting is missing, unknown or not allowed; the message names the file and the setting.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; expected the folder of a run")
    values = {**ABSENT, **read_settings(path), **own}
    defaults = asdict(Config())
    left_out = LAYER_SETTINGS if "net" in values else ()
    for name, default in defaults.items():
        if name not in values and name not in left_out and default is not None:  # write_config leaves out None
            advice = f"add the value that the training had; the default is now {format_value(default)}"
            raise FileError(path, f"setting {name}", "a value", "nothing", advice)
    check_settings(values, path)
    with refused_in(path):
        return make_config(values, path.name)


def check_settings(values: Mapping[str, Any], path: Path, member: str = "") -> None:
    """Check names and types of settings.

    Parameters
    ----------
    values : mapping from str
        Settings.
    path : Path
        File that they come from.
    member : str
        Beginning of the place in error messages.

    Raises
    ------
    FileError
        If one is unknown or of another type.
    """
    defaults, hints = asdict(Config()), get_type_hints(Config)
    for name, value in values.items():
        place = f"{member}setting {printable(name, 50)}"
        if name not in defaults:
            raise FileError(path, place, "a setting of a run", f"an unknown name{nearest(name, defaults)}", ADVICE)
        kind = get_args(hints[name])[0] if defaults[name] is None else type(defaults[name])
        if type(value) is not kind and (kind, type(value)) != (float, int):
            raise FileError(path, place, NAMES[kind], reprlib.repr(value), ADVICE)


def read_settings(path: Path) -> dict[str, bool | float | str]:
    """Read settings from a TOML file. Raises FileError if it has others than texts, numbers and booleans."""
    values = renamed(read_toml(path, MOST_SETTINGS, ADVICE))
    for name, value in values.items():
        if not isinstance(value, bool | int | float | str):
            place, got = f"setting {printable(name, 50)}", f"a {type(value).__name__}"
            raise FileError(path, place, "a text, a number or a boolean", got, ADVICE)
    return values


def renamed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with ``norm`` in place of ``batch_norm``, true or false, which files from before it have."""
    if not isinstance(values.get("batch_norm"), bool) or "norm" in values:
        return dict(values)
    norm = {"norm": "batch" if values["batch_norm"] else "none"}
    return {name: value for name, value in values.items() if name != "batch_norm"} | norm


@contextmanager
def refused_in(path: Path, advice: str = ADVICE) -> Iterator[None]:
    """Context manager that lets a refused setting be an error of the file that it comes from."""
    try:
        yield
    except FileError:
        raise
    except ValueError as error:
        got = f"this: {printable(str(error), 400)}"
        raise FileError(path, "", "settings that train accepts", got, advice) from None


def make_config(values: Mapping[str, Any], source: str) -> Config:
    """Make a configuration of settings by name, validated as if typed on the command line.

    Parameters
    ----------
    values : mapping from str
        Settings; the others get their defaults.
    source : str
        Where they come from, for error messages.

    Returns
    -------
    Config

    Raises
    ------
    ValueError
        If a setting does not exist or a value is not allowed. The message names the source and the setting.
    """

    def take(config: Config = Config()) -> Config:  # noqa: B008
        return config

    settings = App(config=Dict(dict(values), source=source), default_command=take, result_action="return_value")
    try:
        config: Config = settings([], exit_on_error=False, print_error=False)
    except CycloptsError as error:
        message = re.sub(f" (from|provided by) {re.escape(source)}", "", str(error))
        raise ValueError(f"{source}: {message}") from None
    return config
