"""Points of a search: all combinations of grids, or draws by a named sampler."""

import itertools
import math
from collections.abc import Sequence
from typing import Literal, cast

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from anynet.app.space import Grid, Point, Range, Space, combinations
from anynet.core.checks import nearest
from anynet.core.seeding import Purpose, generator

Sampler = Literal["qmc", "tpe", "random", "grid"]
SAMPLERS = ("qmc", "tpe", "random", "grid")

STARTUP = 10
"""Number of a stage's first points that TPE does not choose: those of qmc."""

MOST_CORNERS = 1000
"""Largest number of corners of a space that are all validated."""


def choose_sampler(sampler: str | None, space: Space, trials: int | None) -> Sampler:
    """Validate a sampler and the number of its draws, or choose a sampler for a space.

    Parameters
    ----------
    sampler : str or None
        One of `SAMPLERS`. None stands for qmc if there is a range, otherwise for grid.
    space : mapping from str to Grid or Range
        As returned by `anynet.app.space.convert_space`.
    trials : int or None
        Number of draws; None for grid.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such sampler, a range for grid, or `trials` is missing, given without need, or below 1.
    """
    ranges = ", ".join(name for name, part in space.items() if isinstance(part, Range))
    chosen: Sampler = "qmc" if ranges else "grid"
    if sampler is not None:
        if sampler not in SAMPLERS:
            raise ValueError(f'sampler: there is no "{sampler}"{nearest(sampler, SAMPLERS)}')
        chosen = cast(Sampler, sampler)
    if chosen == "grid":
        if ranges:
            raise ValueError(f"sampler: expected qmc, tpe or random for the range of {ranges}, got grid; list values")
        if trials is not None:
            advice = "leave it out" if sampler == "grid" else "leave it out, or choose a sampler"
            raise ValueError(f"trials: expected none, since all {_size(space)} points of the grid are tried; {advice}")
        return chosen
    if trials is None:
        what = f"the range of {ranges}" if ranges else f"the grid with {chosen}"
        raise ValueError(f"trials: expected the number of points to draw from {what}, got none")
    if trials < 1:
        raise ValueError(f"trials: expected 1 or more, got {trials}")
    return chosen


def known_points(sampler: Sampler, space: Space, trials: int | None, seed: int, stage: int) -> list[Point]:
    """Return the points that are known before the first is trained: all, or with tpe the first `STARTUP`.

    Parameters
    ----------
    sampler, space, trials
        As for `choose_sampler`, which has validated them. The first points stay the same if there are more trials.
    seed, stage : int
        Key of the draws. Each stage has draws of its own.

    Returns
    -------
    list of dict
    """
    if trials is None:
        return combinations(_values(space))
    generated = generator(seed, Purpose.SEARCH, stage)
    if sampler == "random":
        u = generated.random((trials, len(space)))  # one row per point, so that the first stay the same
    else:
        u = _sobol(min(trials, STARTUP) if sampler == "tpe" else trials, len(space), generated)
    drawn = {
        name: part.interpolate(column).tolist()
        if isinstance(part, Range)
        else [part.values[int(i)] for i in column * len(part.values)]
        for column, (name, part) in zip(u.T, space.items(), strict=True)
    }
    return [dict(zip(drawn, values, strict=True)) for values in zip(*drawn.values(), strict=True)]


def propose(trials: Sequence[FrozenTrial], space: Space, first: int, count: int, seed: int, stage: int) -> list[Point]:
    """Draw the next points by a tree-structured Parzen estimator.

    Parameters
    ----------
    trials : sequence of optuna.trial.FrozenTrial
        Trials so far. Those that are running count as bad ones, so that no other is drawn beside them.
    space : mapping from str to Grid or Range
        Space of the points.
    first : int
        Index of the first of the points, which is a part of the seed: an interrupted search draws the same.
    count : int
        Number of points to be trained at once. Each counts as running for the next.
    seed, stage : int
        As for `known_points`.

    Returns
    -------
    list of dict

    References
    ----------
    Bergstra, Bardenet, Bengio, Kégl (2011), Algorithms for hyper-parameter optimization, section 4.
    """
    drawn = int(generator(seed, Purpose.SEARCH, stage).integers(2**31))
    sampler = optuna.samplers.TPESampler(seed=(drawn + first) % 2**32, n_startup_trials=STARTUP, constant_liar=True)
    study = study_in_memory(sampler)
    study.add_trials([trial for trial in trials if trial.state not in (TrialState.FAIL, TrialState.WAITING)])
    return [study.ask(distributions(space)).params for _ in range(count)]


def study_in_memory(sampler: optuna.samplers.BaseSampler | None = None) -> optuna.Study:
    """Return a new study in memory whose values are the better the larger; Optuna says nothing about it."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    optuna.logging.set_verbosity(verbosity)
    return study


def corners(space: Space) -> list[Point]:
    """Return all combinations of the ends of ranges and the values of grids; of more than 1,000, some that have all."""
    values = _values(space)
    if _size(space) <= MOST_CORNERS:
        return combinations(values)
    longest = max(map(len, values.values()))
    every = {name: itertools.islice(itertools.cycle(part), longest) for name, part in values.items()}
    return [dict(zip(every, point, strict=True)) for point in zip(*every.values(), strict=True)]


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Return Optuna's form of a space."""

    def distribution(part: Grid | Range) -> BaseDistribution:
        if isinstance(part, Grid):
            return CategoricalDistribution(part.values)
        if isinstance(part.low, int):
            return IntDistribution(part.low, int(part.high), log=part.log)
        return FloatDistribution(part.low, part.high, log=part.log)

    return {name: distribution(part) for name, part in space.items()}


def _sobol(count: int, dimensions: int, generated: np.random.Generator) -> NDArray[np.float64]:
    from scipy.stats.qmc import Sobol  # here, because it takes half a second, and grids need it not

    # A power of two, which Sobol' sequences are balanced for, so that SciPy does not warn.
    power = math.ceil(math.log2(count))
    drawn: NDArray[np.float64] = Sobol(dimensions, rng=int(generated.integers(2**63))).random_base2(power)
    return drawn[:count]


def _values(space: Space) -> dict[str, Sequence[object]]:
    return {name: part.values if isinstance(part, Grid) else (part.low, part.high) for name, part in space.items()}


def _size(space: Space) -> int:
    return math.prod(map(len, _values(space).values()))
