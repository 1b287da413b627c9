"""Commands that make a run, a sweep or a search again."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from anynet.app.config import Config
from anynet.app.space import Point, combinations


def train_command(settings: Mapping[str, Any]) -> str:
    """Return the command that trains with these settings.

    Parameters
    ----------
    settings : mapping from str
        Those of a run.

    Returns
    -------
    str

    Examples
    --------
    >>> train_command({"hidden": "", "lr": 0.1, "flip": True, "epochs": 20})
    "python train.py --flip --hidden '' --lr 0.1"
    """
    return shlex.join(["python", "train.py", *_options(settings)])


def sweep_command(shared: Mapping[str, Any], points: Sequence[Point]) -> str:
    """Return the command that trains the members of a sweep.

    Parameters
    ----------
    shared : mapping from str
        Settings that all have.
    points : sequence of dict
        Settings of each.

    Returns
    -------
    str
    """
    values: dict[str, list[Any]] = {name: list(dict.fromkeys(point[name] for point in points)) for name in points[0]}
    flags, own = list[str](), dict(shared)
    seed = values["seed"][0] if "seed" in values else own.get("seed", Config.seed)
    if own.get("order_seed") == seed:
        del own["order_seed"]  # by default that of the first member
    for name, several in values.items():
        consecutive = name == "seed" and several == list(range(several[0], several[0] + len(several)))
        if consecutive:
            own["seed"], flags = several[0], [*flags, "--seeds", str(len(several))]
        else:
            flags += ["--sweep", f"{name}={','.join(map(_in_list, several))}"]
    return shlex.join(["python", "train.py", *_options(own), *flags])


def search_command(search: Mapping[str, Any], out: str) -> str:
    """Return the command of a search.

    Parameters
    ----------
    search : mapping from str
        Content of ``search.json``.
    out : str
        Folder for the results.

    Returns
    -------
    str
    """
    base, words = search["base"], ["python", "-m", "anynet", "search"]
    for name, part in search["space"].items():
        if "values" in part:
            words += ["--over", f"{name}={','.join(map(_in_list, part['values']))}"]
        else:
            words += ["--over", f"{name}={part['low']!r}..{part['high']!r}{'' if part['log'] else '..linear'}"]
    fine = search.get("fine") or {}
    finer = fine.get("base") or base
    own = {
        "trials": search.get("trials"),
        "fine": fine.get("trials"),
        "fine_epochs": finer["epochs"] if finer.get("epochs") != base.get("epochs") else None,
        "fine_train": finer["train"] if finer.get("train") != base.get("train") else None,
        "sampler": search.get("sampler"),
        "storage": search.get("storage"),
    }
    words += [word for name, value in own.items() if value is not None for word in (_flag(name), str(value))]
    words += [] if search.get("prune", True) else ["--no-prune"]
    return shlex.join([*words, *_options(base), "--out", out])


def is_product(points: Sequence[Point]) -> bool:
    """Return True if the members of a sweep are all combinations of their settings, in the order of the command."""
    return [*points] == combinations({name: list(dict.fromkeys(p[name] for p in points)) for name in points[0]})


def _options(settings: Mapping[str, Any]) -> list[str]:
    """Return the options of settings that are not the defaults."""
    words = list[str]()
    for name, default in asdict(Config()).items():
        value = settings.get(name, default)
        if value == default:
            continue
        if isinstance(value, bool):
            words.append(_flag(name) if value else f"--no-{_flag(name)[2:]}")
        else:
            words += [_flag(name), str(value)]
    return words


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _in_list(value: Any) -> str:
    """Return a value as in a list of values, in which a comma of its own is a plus."""
    return str(value).replace(",", "+")
