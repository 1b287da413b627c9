"""What the members of a sweep differ in, as it is typed: ``--seeds 10 --sweep lr=0.001,0.01``."""

import itertools
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from anynet.app.config import Config
from anynet.app.grouping import OWN
from anynet.core.checks import nearest

Point = dict[str, Any]


def points(config: Config, sweep: Iterable[str] = (), seeds: int | None = None) -> list[Point]:
    """The settings that each member has of its own: every combination of the swept values with every seed.

    sweep: NAME=A,B,C, values to try, for each setting. seeds: how many, from the config's on.

    Raises ValueError that names the setting for one that is not there or that members cannot differ in, for values
    that it does not take, and for one that comes twice.
    """
    grids = _grids(list(sweep), config)
    if seeds is not None:
        if "seed" in grids:
            raise ValueError("--seeds and --sweep seed=...: expected one of them")
        grids["seed"] = tuple(range(config.seed, config.seed + seeds))
    return [dict(zip(grids, values, strict=True)) for values in itertools.product(*grids.values())]


def combination(point: Point) -> Point:
    """A point without its seed: what those that are repeated have in common."""
    return {name: value for name, value in point.items() if name != "seed"}


def _grids(flags: list[str], config: Config) -> dict[str, tuple[Any, ...]]:
    names = [_checked_name(flag, config) for flag in flags]
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice:
        raise ValueError(f"--sweep: {twice} comes twice; give all its values at once")
    if not names:
        return {}
    from anynet.app.search.over import parse  # here, for a search's Optuna takes long to import
    from anynet.app.search.space import Grid, checked

    grids = {name: part.values for name, part in checked(parse(flags)).items() if isinstance(part, Grid)}
    return {name: grids[name] for name in names}


def _checked_name(flag: str, config: Config) -> str:
    name, equals, text = flag.partition("=")
    name = name.strip().replace("-", "_")
    if not name or not equals:
        raise ValueError(f'--sweep: expected NAME=A,B,C, as in lr=0.001,0.01, got "{flag}"')
    others = {field.name for field in fields(Config)} - set(OWN)
    if name in others:
        raise ValueError(
            f"--sweep: nets that are trained at once cannot differ in {name}, but in {', '.join(OWN)}; try its "
            f"values with python -m anynet search --over {flag}, or in runs of their own"
        )
    if name not in OWN:
        raise ValueError(f'--sweep: there is no setting "{name}"{nearest(name, OWN)}')
    if ".." in text:
        raise ValueError(
            f"--sweep: expected values, as in lr=0.001,0.01, got the range {flag}; list values of it, or have some "
            f"drawn by python -m anynet search --over {flag}"
        )
    if name == "momentum" and config.optimizer != "sgd":
        raise ValueError(f"--sweep: {config.optimizer} has no momentum; sweep another setting, or give --optimizer sgd")
    return name
