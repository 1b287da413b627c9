"""Settings in which the members of a sweep differ: ``--seeds 10 --sweep lr=0.001,0.01``."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from anynet.app.build_optimizer import check_varied
from anynet.app.config import Config
from anynet.app.grouping import MEMBER_SETTINGS
from anynet.app.space import Grid, Point, combinations, convert_space
from anynet.app.space_text import parse_space
from anynet.core.checks import nearest
from anynet.training.members import MOST_MEMBERS


def sweep_points(config: Config, sweep: Iterable[str] = (), seeds: int | None = None) -> list[Point]:
    """Return the settings of each member: all combinations of the swept values, each with all seeds.

    Parameters
    ----------
    config : Config
        Settings that the members share; its seed is the first one.
    sweep : iterable of str
        ``NAME=A,B,C``, one for each setting; see `anynet.app.space.parse_space`.
    seeds : int, optional
        Number of consecutive seeds.

    Returns
    -------
    list of dict

    Raises
    ------
    ValueError
        If a setting does not exist, cannot differ between members or is given twice, or a value is not allowed; the
        message names the setting. If there are more than `MOST_MEMBERS` combinations.

    Examples
    --------
    >>> sweep_points(Config(), ["lr=0.1,0.01"], seeds=1)
    [{'lr': 0.1, 'seed': 42}, {'lr': 0.01, 'seed': 42}]
    """
    flags = list(sweep)
    grids = _grids(flags, config) if flags else {}
    if seeds is not None:
        if "seed" in grids:
            raise ValueError("--seeds and --sweep seed=...: expected one of them, got both")
        grids["seed"] = range(config.seed, config.seed + min(seeds, MOST_MEMBERS + 1))
    if math.prod(map(len, grids.values())) > MOST_MEMBERS:
        raise ValueError(f"--seeds and --sweep: expected at most {MOST_MEMBERS:,} nets, got more; train fewer at once")
    return combinations(grids)


def without_seed(point: Point) -> Point:
    """Return a copy of a point without its seed, which is what repeated runs have in common."""
    return {name: value for name, value in point.items() if name != "seed"}


def _grids(flags: Sequence[str], config: Config) -> dict[str, Sequence[Any]]:
    parsed = parse_space(flags, "--sweep")
    for name, flag in zip(parsed, flags, strict=True):
        _check(name, flag, config)
        if not isinstance(parsed[name], Grid):
            raise ValueError(
                f"--sweep: expected values, as in lr=0.001,0.01, got the range {flag}; list values, or draw some with "
                f"python -m anynet search --over {flag}"
            )
    converted = convert_space(parsed)
    return {name: part.values for name in parsed if isinstance(part := converted[name], Grid)}


def _check(name: str, flag: str, config: Config) -> None:
    if name in {field.name for field in fields(Config)} - set(MEMBER_SETTINGS):
        raise ValueError(
            f"--sweep: expected one of {', '.join(MEMBER_SETTINGS)}, got {name}; try its values with "
            f"python -m anynet search --over {flag}, or in separate runs"
        )
    if name not in MEMBER_SETTINGS:
        raise ValueError(f'--sweep: there is no setting "{name}"{nearest(name, MEMBER_SETTINGS)}')
    check_varied(config, [name])
