"""Settings of a search: what processes that share it agree on, and what may grow."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from anynet.app.config import Config
from anynet.app.search.fine import Fine
from anynet.app.search.samplers import SAMPLERS, Sampler
from anynet.app.space import Space
from anynet.core.checks import differences
from anynet.core.errors import FileError
from anynet.core.formatting import printable
from anynet.core.text_files import read_json

LOCAL_SETTINGS = ("backend", "compile", "memory_budget", "evaluate_train")
"""Settings that do not change results; processes that share a search may differ in them."""

Settings = dict[str, Any]
"""Content of ``search.json``."""

MOST_SETTINGS = 10_000_000
"""Largest size of the settings in bytes."""

MOST_TRIALS = 10_000
"""Largest number of points of a stage: all are validated before the first is trained."""

GROWING = ("trials", "fine.trials", "fine.coarse")
"""Settings that processes may differ in, because trials can be added."""


def search_settings(
    bases: tuple[Config, Config],
    space: Space,
    trials: int | None,
    fine: Fine | None,
    prune: bool,
    seed: int,
    sampler: Sampler,
) -> Settings:
    """Return all settings that processes must agree on to share a search, as JSON gives them back.

    Parameters
    ----------
    bases : tuple of Config
        Settings of the coarse and of the fine stage.
    space, trials, fine, prune, seed, sampler
        As for `anynet.app.search.search`.

    Returns
    -------
    dict
        The fine stage has the number of coarse trials whose best it is drawn around as ``coarse``.
    """
    coarse, finer = (_shared_settings(base, space) for base in bases)
    content = {
        "base": coarse,
        "space": {name: asdict(part) for name, part in space.items()},
        "sampler": sampler,
        "trials": trials,
        "fine": None if fine is None else fine._asdict() | {"coarse": trials, "base": finer},
        "prune": prune,
        "seed": seed,
    }
    loaded: Settings = json.loads(json.dumps(content))
    return loaded


def read_settings(path: Path) -> Settings:
    """Read the settings of a search, as `complete` returns them.

    Parameters
    ----------
    path : Path
        ``search.json``.

    Returns
    -------
    dict

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileError
        If it is damaged.
    """
    return complete(read_json(path, MOST_SETTINGS, "choose another folder"), path)


def complete(there: Settings, path: str | Path) -> Settings:
    """Return the settings of a search, with what earlier versions did not write.

    These drew at random, and lacked settings whose defaults are what they did.

    Parameters
    ----------
    there : dict
        As they were found.
    path : str or Path
        Where, for error messages.

    Returns
    -------
    dict
        As returned by `search_settings`, if the settings are whole; other differences than in the sampler and the
        numbers of trials are found by `merge`.

    Raises
    ------
    FileError
        If they are damaged.
    """
    trials, fine = there.get("trials"), there.get("fine")
    earlier: Settings = {"sampler": "grid" if trials is None else "random", "trials": None, "fine": None}
    there = earlier | there
    if isinstance(fine, dict):
        there["fine"] = {"coarse": trials} | fine
    bases = [stage["base"] for stage in (there, there["fine"]) if isinstance(stage, dict) and "base" in stage]
    for base in bases:
        if isinstance(base, dict) and isinstance(there.get("space"), dict):
            base |= _shared_settings(Config(), there["space"]) | base
    checked = {"trials": trials} if trials is not None else {}
    if isinstance(fine, dict):
        checked |= {"fine.trials": there["fine"].get("trials"), "fine.coarse": there["fine"]["coarse"]}
    for name, count in checked.items():
        if type(count) is not int or not 1 <= count <= MOST_TRIALS:
            got = printable(repr(count), 50)
            raise FileError(path, name, f"a number from 1 to {MOST_TRIALS:,}", got, "choose another folder")
    if there["sampler"] not in SAMPLERS:
        got = printable(repr(there["sampler"]), 50)
        raise FileError(path, "sampler", " or ".join(SAMPLERS), got, "choose another folder")
    return there


def merge(there: Settings, wanted: Settings, folder: object) -> Settings:
    """Return the settings of a search that goes on: those that are there, with as many trials as were ever asked for.

    Parameters
    ----------
    there : dict
        As returned by `read_settings`.
    wanted : dict
        As returned by `search_settings`.
    folder : object
        Folder of the search, for error messages.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If anything but the numbers of trials differs; the message lists the differences.
    """
    if different := _differences(there, wanted):
        raise ValueError(
            f"{folder} holds another search: {different}; give the same settings, of which trials and fine alone may "
            "grow, or another folder"
        )
    merged = there | {"trials": _larger(there["trials"], wanted["trials"])}
    if there["fine"] is None and wanted["fine"] is not None:
        merged["fine"] = wanted["fine"] | {"coarse": merged["trials"]}
    elif wanted["fine"] is not None:
        merged["fine"] = there["fine"] | {"trials": _larger(there["fine"]["trials"], wanted["fine"]["trials"])}
    return merged


def fine_trials(settings: Settings) -> int:
    """Return the number of trials of the fine stage, 0 if there is none."""
    return settings["fine"]["trials"] if settings["fine"] else 0


def _larger(there: int | None, wanted: int | None) -> int | None:
    return there if there is None or wanted is None else max(there, wanted)


def _shared_settings(config: Config, space: Mapping[str, Any]) -> Settings:
    return {name: value for name, value in asdict(config).items() if name not in LOCAL_SETTINGS and name not in space}


def _differences(there: Settings, wanted: Settings) -> str:
    """Return a text about the settings that must not differ, but do."""
    stages = () if there["fine"] is not None and wanted["fine"] is not None else ("fine",)
    flat = [_flatten({name: value for name, value in each.items() if name not in stages}) for each in (there, wanted)]

    def pair(name: str) -> list[Any]:
        return [each.get(name) for each in flat]

    names = [name for name in flat[0].keys() | flat[1].keys() if name not in GROWING]
    # Most settings are those of both stages, and would be named twice.
    once = [name for name in names if not (name.startswith("fine.base.") and pair(name) == pair(name[len("fine.") :]))]
    short = {name.replace("base.", ""): pair(name) for name in once if name != "base.seed"}
    short |= {"base.seed": pair("base.seed")}  # of trainings; "seed" is that of the points
    return differences(*({name: both[k] for name, both in short.items()} for k in (0, 1)))


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return {"a.b": 1} for {"a": {"b": 1}}."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        flat |= _flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat
